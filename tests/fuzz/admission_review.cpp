// What a client may post to /mutate: read whole and by the door of chunks, answered, and the answer read again.

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "injector/net/request_head.h"
#include "injector/webhook/admission.h"
#include "injector/webhook/chunked.h"
#include "injector/webhook/message.h"
#include "scanner/base/check.h"

namespace {

using namespace injector::webhook;
using nlohmann::json;

void admit_it(std::string_view body) {
  static const injector::pod::Policy kPolicy = injector::pod::default_policy();
  const Admission admission = admit(body, kPolicy);
  SCANNER_CHECK(admission.status == 200 || admission.status == 400 || admission.status == 413);
  SCANNER_CHECK(admission.ending != Ending::failed);
  const json answer = json::parse(admission.body);
  if (admission.status != 200) {
    SCANNER_CHECK(answer.at("code") == admission.status && admission.ending == Ending::malformed);
    return;
  }
  const json& response = answer.at("response");
  const auto question = read_question(body);
  SCANNER_CHECK(question && response.at("uid") == question->uid);
  SCANNER_CHECK(response.at("allowed") == (admission.ending != Ending::denied));
  SCANNER_CHECK(response.contains("patch") == (admission.ending == Ending::patched));
  SCANNER_CHECK(admit(body, kPolicy).body == admission.body);
}

/// A chunked body is the same however it comes.
void take_chunks(std::string_view text) {
  std::string whole(text);
  std::string body;
  const Chunked::State state = Chunked(4096).feed(whole, body);
  SCANNER_CHECK(body.size() <= 4096);
  Chunked slow(4096);
  std::string raw;
  std::string slow_body;
  Chunked::State slow_state = Chunked::State::more;
  for (std::size_t i = 0; i < text.size() && slow_state == Chunked::State::more; ++i) {
    raw += text[i];
    slow_state = slow.feed(raw, slow_body);
  }
  SCANNER_CHECK(slow_state == state && slow_body == body);
}

void read_the_head(std::string_view text) {
  const auto [refused, head] = injector::net::read_head(text, injector::net::Bodies::sized_or_chunked);
  if (refused == 0) SCANNER_CHECK(!head.chunked || head.body_size == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'c':
      take_chunks(text);
      break;
    case 'h':
      read_the_head(text);
      break;
    default:
      admit_it(text);
  }
  return 0;
}
