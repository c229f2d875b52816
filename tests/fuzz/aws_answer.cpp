// What AWS, STS, the metadata services and a person's ~/.aws may hold: the first byte says which, the rest is it.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "injector/backend/aws/answer.h"
#include "injector/backend/aws/fault.h"
#include "injector/backend/aws/provider.h"
#include "injector/backend/aws/shared_file.h"
#include "injector/backend/aws/times.h"
#include "injector/backend/aws/xml.h"
#include "scanner/base/check.h"

namespace {

using namespace injector;
using namespace injector::backend::aws;
using memory::Document;
using memory::Secret;
using scanner::base::Errc;

void read_json(const Secret& text) {
  const auto json = Document::parse(text);
  if (!json) return;
  const auto reading = read_secret(json->root());
  if (reading) {
    SCANNER_CHECK(!reading->version.empty() && reading->document.size() <= 65'536);
  } else {
    SCANNER_CHECK(reading.error().code() == Errc::corrupt || reading.error().code() == Errc::limit);
  }
  const auto batch = read_batch(json->root());
  if (batch) {
    for (const auto& refusal : batch->refusals) SCANNER_CHECK(refusal.fault.code.size() <= 64);
  }
  const auto description = read_description(json->root());
  if (description && !description->holder(kCurrent).empty()) {
    SCANNER_CHECK(description->has(description->holder(kCurrent)));
  }
  const auto credentials = read_metadata_credentials(text);
  if (credentials) SCANNER_CHECK(!credentials->access_key_id.empty() && !credentials->secret_access_key.empty());
}

void read_xml(const Secret& text) {
  const auto xml = XmlLeaves::parse(text);
  if (xml) {
    SCANNER_CHECK(!xml->root().empty() && xml->size() <= 1000);
  } else {
    SCANNER_CHECK(xml.error().code() == Errc::corrupt || xml.error().code() == Errc::limit);
  }
  const auto credentials = read_sts_credentials(text);
  if (credentials) SCANNER_CHECK(credentials->expires && !credentials->session_token.empty());
}

void read_fault(const Secret& text) {
  net::Response response;
  response.status = 400;
  response.headers.push_back({"x-amzn-errortype", Secret::copy_of(text.reveal().substr(0, text.size() / 2))});
  response.headers.push_back({"retry-after", text.clone()});
  response.body = text.clone();
  const Fault fault = fault_of(response);
  SCANNER_CHECK(!fault.code.empty() && fault.code.size() <= 64);
  SCANNER_CHECK(!fault.wait || (fault.wait->count() >= 0 && fault.wait->count() <= 300'000));
}

void read_text(const Secret& text) {
  for (const ProfileFile kind : {ProfileFile::credentials, ProfileFile::config}) {
    Profile profile;
    const auto read = read_profile(text, kind, "default", profile);
    if (!read) SCANNER_CHECK(read.error().code() == Errc::config);
  }
  const auto time = parse_iso8601(text.reveal());
  if (time) SCANNER_CHECK(parse_iso8601(iso8601(*time)) == time);
  (void)parse_http_date(text.reveal());
  (void)plain_http_allowed(std::string(text.reveal()));
  const auto bytes = decode_base64(text.reveal());
  if (bytes) SCANNER_CHECK(bytes->size() <= text.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Secret text = Secret::copy_of({reinterpret_cast<const char*>(data) + 1, size - 1});
  switch (data[0]) {
    case 'j':
      read_json(text);
      break;
    case 'x':
      read_xml(text);
      break;
    case 'f':
      read_fault(text);
      break;
    default:
      read_text(text);
      break;
  }
  return 0;
}
