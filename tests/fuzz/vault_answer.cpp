#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "injector/backend/vault/answer.h"
#include "injector/backend/vault/base64.h"
#include "injector/backend/vault/reading_of.h"
#include "scanner/base/check.h"

namespace {

using namespace injector;
using namespace injector::backend::vault;

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

void check_error(const scanner::base::Error& error) {
  SCANNER_CHECK(printable(error.message()) && error.message().size() < 400);
}

void check_envelope(const Answer& answer) {
  SCANNER_CHECK(printable(answer.request_id()) && answer.request_id().size() <= 100);
  SCANNER_CHECK(answer.warnings().size() <= 8);
  for (const auto& warning : answer.warnings()) SCANNER_CHECK(printable(warning) && warning.size() <= 200);
  if (const auto lease = answer.lease()) {
    SCANNER_CHECK(!lease->id.empty() && printable(lease->id) && lease->duration.count() >= 0);
  }
  if (const auto grant = answer.grant()) {
    SCANNER_CHECK(!grant->token.empty() && printable(grant->token.reveal()));
    SCANNER_CHECK(grant->duration.count() >= 0 && grant->uses >= 0);
  }
  if (const auto wrap = answer.wrap()) SCANNER_CHECK(!wrap->token.empty() && printable(wrap->creation_path));
}

void check_reading(const Answer& answer, const Query& query, Engine engine) {
  const auto now = std::chrono::system_clock::from_time_t(1'795'521'600);
  const auto reading = reading_of(answer, query, engine, now);
  check_error(absence_of(answer, query, engine));
  if (!reading) return check_error(reading.error());
  SCANNER_CHECK(reading->document.size() >= 2 && reading->document.reveal().front() == '{');
  SCANNER_CHECK(printable(reading->version) && reading->version.size() <= 100);
  // What was read is JSON, and reads as the same again.
  const auto again = memory::Document::parse(reading->document);
  SCANNER_CHECK(again && again->root().size() == reading->members.size());
  SCANNER_CHECK(again->root().text().equals(reading->document));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const int status = data[0] % 4 == 0 ? 200 : 100 + (data[0] << 8 | data[1]) % 500;
  const std::string text(data + 2, data + size);
  const auto answer = Answer::of(status, memory::Secret::copy_of(text));
  check_envelope(answer);
  check_error(error_of(answer, "reading kv/a"));
  for (const bool write : {false, true}) {
    const Query query{.path = write ? "transit/decrypt/a" : "kv/a", .write = write};
    for (const auto engine : {Engine::plain, Engine::kv2}) check_reading(answer, query, engine);
  }
  static_cast<void>(time_of(text));
  static_cast<void>(http_date(text));
  if (const auto bytes = from_base64(text)) {
    const auto back = base64(bytes->reveal());
    SCANNER_CHECK(back.size() == text.size());
  }
  return 0;
}
