#include "injector/backend/aws/answer.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "injector/model/members.h"

namespace injector::backend::aws {
namespace {

using memory::Document;
using memory::Secret;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Ok;
using scanner::base::Result;

constexpr std::size_t kLargestSecret = 65'536;
constexpr std::uint8_t kNoDigit = 255;

constexpr std::array<std::uint8_t, 256> base64_digits() {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<std::uint8_t, 256> table{};
  table.fill(kNoDigit);
  for (std::size_t i = 0; i < kDigits.size(); ++i) {
    table[static_cast<std::uint8_t>(kDigits[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}

/// A name out of an answer, as far as it may stand in a message or a log.
std::string printable(std::string_view text) {
  constexpr std::size_t kLongest = 2048;
  if (text.size() > kLongest) return {};
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
  return plain ? std::string(text) : std::string();
}

}  // namespace

Result<Secret> decode_base64(std::string_view text) {
  static constexpr auto kDigits = base64_digits();
  const auto wrong = [] { return fail(Errc::corrupt, "a binary value is no base64"); };
  if (text.size() % 4 != 0) return wrong();
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  Secret out = Secret::of_size(text.size() / 4 * 3);
  std::size_t at = 0;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const std::size_t digits = i + 4 == text.size() ? 4 - padding : 4;
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const std::uint8_t digit = k < digits ? kDigits[static_cast<std::uint8_t>(text[i + k])] : 0;
      if (digit == kNoDigit) return wrong();
      group = (group << 6) | digit;
    }
    for (int shift = 16; shift >= 0; shift -= 8) out.writable()[at++] = static_cast<char>((group >> shift) & 0xFF);
  }
  out.shrink(at - padding);
  return out;
}

Result<Reading> read_secret(const Document::Value& item) {
  Reading reading;
  reading.version = printable(item["VersionId"].string());
  if (reading.version.empty()) return fail(Errc::corrupt, "an answer without a VersionId");
  const Document::Value text = item["SecretString"];
  const Document::Value binary = item["SecretBinary"];
  if (text.is_string() == binary.is_string()) {
    return fail(Errc::corrupt, "an answer needs exactly one of SecretString and SecretBinary");
  }
  if (text.is_string()) {
    if (text.string().size() > kLargestSecret) return fail(Errc::limit, "a secret of more than 65,536 bytes");
    reading.document = Secret::copy_of(text.string());
  } else {
    auto bytes = decode_base64(binary.string());
    if (!bytes) return fail(std::move(bytes).error());
    if (bytes->size() > kLargestSecret) return fail(Errc::limit, "a secret of more than 65,536 bytes");
    reading.document = std::move(*bytes);
  }
  add_members(reading);
  return reading;
}

Result<Batch> read_batch(const Document::Value& root) {
  const Document::Value values = root["SecretValues"];
  const Document::Value errors = root["Errors"];
  if (!values.is_array() && !errors.is_array()) return fail(Errc::corrupt, "a batch with neither values nor errors");
  Batch batch;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Document::Value item = values.at(i);
    batch.items.push_back({printable(item["Name"].string()), printable(item["ARN"].string()), read_secret(item)});
  }
  for (std::size_t i = 0; i < errors.size(); ++i) {
    const Document::Value item = errors.at(i);
    batch.refusals.push_back({printable(item["SecretId"].string()),
                              classify(400, plain_code(item["ErrorCode"].string()), item["Message"].string())});
  }
  return batch;
}

Result<Description> read_description(const Document::Value& root) {
  if (!root["ARN"].is_string()) return fail(Errc::corrupt, "a description without an ARN");
  Description description;
  const Document::Value deleted = root["DeletedDate"];
  description.deleted = deleted.exists() && !deleted.is_null();
  const Document::Value versions = root["VersionIdsToStages"];
  if (!versions.is_object()) return description;
  for (const auto& [id, stages] : versions.members()) {
    Description::Version version{printable(id), {}};
    for (std::size_t i = 0; i < stages.size(); ++i) version.stages.push_back(printable(stages.at(i).string()));
    description.versions.push_back(std::move(version));
  }
  return description;
}

std::string Description::holder(std::string_view stage) const {
  for (const Version& version : versions) {
    if (std::find(version.stages.begin(), version.stages.end(), stage) != version.stages.end()) return version.id;
  }
  return {};
}

bool Description::has(std::string_view version) const {
  return std::any_of(versions.begin(), versions.end(), [&](const Version& known) { return known.id == version; });
}

bool answers_to(std::string_view asked, std::string_view name, std::string_view arn) {
  if (asked == name || asked == arn) return !asked.empty();
  constexpr std::size_t kRandom = 7;  // "-AbCdEf"
  return asked.starts_with("arn:") && arn.size() == asked.size() + kRandom && arn.starts_with(asked) &&
         arn[asked.size()] == '-';
}

}  // namespace injector::backend::aws
