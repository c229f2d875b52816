#include "scanner/judge/checks_azure.h"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <optional>
#include <string>

#include "scanner/judge/checks_answer.h"
#include "scanner/judge/checks_chars.h"
#include "scanner/judge/decode.h"

namespace scanner::judge {
namespace {

class Marvin {
 public:
  explicit Marvin(std::uint64_t seed)
      : low_(static_cast<std::uint32_t>(seed)), high_(static_cast<std::uint32_t>(seed >> 32)) {}

  void add(std::uint32_t word) {
    low_ += word;
    mix();
  }
  void mix() {
    high_ ^= low_;
    low_ = std::rotl(low_, 20) + high_;
    high_ = std::rotl(high_, 9) ^ low_;
    low_ = std::rotl(low_, 27) + high_;
    high_ = std::rotl(high_, 19);
  }
  [[nodiscard]] std::uint32_t folded() const { return low_ ^ high_; }

 private:
  std::uint32_t low_;
  std::uint32_t high_;
};

std::uint32_t little_endian_at(std::string_view bytes, std::size_t offset) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    word |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[offset + i])) << (8 * i);
  }
  return word;
}

/// Microsoft writes a seed as eight ASCII characters, read big-endian.
constexpr std::uint64_t seed_of(std::string_view name) {
  std::uint64_t seed = 0;
  for (const char c : name) seed = seed << 8 | static_cast<std::uint8_t>(c);
  return seed;
}

/// Which service signs with what, and where in a key of which length (in base64 characters).
struct Signature {
  std::size_t length;
  std::size_t offset;
  std::string_view text;
  std::array<std::string_view, 3> seeds;
};

constexpr std::array<Signature, 14> kSignatures = {{
    {88, 76, "+ASt", {"Default0"}},
    {88, 76, "ACDb", {"MastRW00", "MastRO00"}},
    {88, 76, "+ABa", {"AbAcct00"}},
    {88, 76, "+AMC", {"Classic0"}},
    {88, 76, "APIM", {"Tenant00", "Gateway0", "GitKey00"}},
    {56, 44, "AzFu", {"Functi00", "Master00", "System00"}},
    {52, 42, "AzSe", {"Query000", "PAdmin00"}},
    {52, 42, "+ACR", {"ACRDflt0"}},
    {44, 33, "+ASb", {"Send0000", "Listen00", "Manage00"}},
    {44, 33, "+AEh", {"Send0000", "Listen00", "Manage00"}},
    {44, 33, "+ARm", {"Send0000", "Listen00", "Manage00"}},
    {44, 33, "AIoT", {"IoTHub00", "Device00", "DpsKey00"}},
    {44, 33, "AzCa", {"Access00"}},
    {44, 33, "AZEG", {"Default0"}},
}};

bool checksum_fits(std::string_view key, const Signature& signature) {
  if (key.size() != signature.length || key.substr(signature.offset, signature.text.size()) != signature.text) {
    return false;
  }
  const auto bytes = decode_base64(key);
  if (!bytes) return false;
  const auto body = std::string_view(*bytes).substr(0, bytes->size() - 4);
  const std::uint32_t stored = little_endian_at(*bytes, body.size());
  return std::any_of(signature.seeds.begin(), signature.seeds.end(),
                     [&](std::string_view seed) { return !seed.empty() && marvin32(body, seed_of(seed)) == stored; });
}

bool any_checksum_fits(std::string_view key) {
  return std::any_of(kSignatures.begin(), kSignatures.end(),
                     [key](const Signature& signature) { return checksum_fits(key, signature); });
}

/// The value of `name=` in a query; empty when there is none. JSON and HTML write the & in front in their own ways.
std::string_view query_value(std::string_view text, std::string_view name) {
  const std::string wanted = std::string(name) + "=";
  for (auto at = text.find(wanted); at != std::string_view::npos; at = text.find(wanted, at + 1)) {
    const auto before = text.substr(0, at);
    if (!before.empty() && is_word(before.back()) && !before.ends_with("u0026")) continue;
    const auto value = text.substr(at + wanted.size());
    const auto ends = [](char c) {
      return !is_alnum(c) && std::string_view("-._~%+/:=").find(c) == std::string_view::npos;
    };
    const auto end = std::find_if(value.begin(), value.end(), ends);
    return value.substr(0, static_cast<std::size_t>(end - value.begin()));
  }
  return {};
}

std::optional<std::int64_t> number_at(std::string_view text, std::size_t offset, std::size_t digits) {
  if (text.size() < offset + digits) return std::nullopt;
  const auto number = parse_number(text.substr(offset, digits), 10);
  return number ? std::optional(static_cast<std::int64_t>(*number)) : std::nullopt;
}

/// The end of the validity of a shared access signature: ISO 8601 in UTC (storage) or seconds since 1970 (Service Bus).
std::optional<std::int64_t> parse_expiry(std::string_view text) {
  constexpr std::size_t kFewestSeconds = 9;
  constexpr std::size_t kMostSeconds = 11;
  if (text.size() >= kFewestSeconds && text.size() <= kMostSeconds && all_of(text, is_digit)) {
    return number_at(text, 0, text.size());
  }
  const auto year = number_at(text, 0, 4);
  const auto month = number_at(text, 5, 2);
  const auto day = number_at(text, 8, 2);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  const std::int64_t seconds = std::chrono::sys_seconds(std::chrono::sys_days(date)).time_since_epoch().count();
  const auto hour = number_at(text, 11, 2);
  const auto minute = number_at(text, 14, 2);
  if (!hour || !minute) return seconds + 86'400;  // the day alone: until it ends
  return seconds + *hour * 3600 + *minute * 60 + number_at(text, 17, 2).value_or(0);
}

}  // namespace

std::uint32_t marvin32(std::string_view bytes, std::uint64_t seed) {
  Marvin state(seed);
  std::size_t i = 0;
  for (; i + 4 <= bytes.size(); i += 4) state.add(little_endian_at(bytes, i));
  std::string last(bytes.substr(i));
  last += '\x80';
  last.resize(4, '\0');
  state.add(little_endian_at(last, 0));
  state.mix();
  return state.folded();
}

CheckResult check_azure_marvin32(std::string_view secret, std::string_view, std::int64_t) {
  if (any_checksum_fits(secret)) return confirmed();
  std::string substituted(secret);
  std::replace(substituted.begin(), substituted.end(), '+', 'P');
  std::replace(substituted.begin(), substituted.end(), '/', 'F');
  return any_checksum_fits(substituted) ? confirmed() : accepted();
}

CheckResult check_azure_annotated_key(std::string_view secret, std::string_view, std::int64_t) {
  constexpr std::size_t kCovered = 80;  // base64 characters of the 60 bytes
  constexpr std::size_t kShown = 4;
  constexpr std::size_t kWidth = 6;  // base62 digits of 32 bits
  if (secret.size() != 84 && secret.size() != 88) return accepted();
  const auto bytes = decode_base64(secret.substr(0, kCovered));
  if (!bytes) return accepted();
  const std::uint32_t checksum = marvin32(*bytes, seed_of("Default0"));
  const std::uint32_t swapped = __builtin_bswap32(checksum);
  const auto shown = secret.substr(kCovered, kShown);
  const bool fits = encode_base64(little_endian(checksum)).starts_with(shown) ||
                    format_number(checksum, 62, kWidth).starts_with(shown) ||
                    format_number(swapped, 62, kWidth).starts_with(shown);
  return fits ? confirmed() : accepted();
}

CheckResult check_entra_secret(std::string_view secret, std::string_view, std::int64_t) {
  constexpr std::string_view kDigits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890.-_~";
  constexpr std::size_t kMarker = 3;
  constexpr std::size_t kCovered = 37;
  if (secret.size() < kCovered) return refused();
  if (secret.substr(kMarker).starts_with("7Q~")) return secret.size() == kCovered ? accepted() : refused();
  if (!secret.substr(kMarker).starts_with("8Q~") || secret.size() != kCovered + 3) return refused();
  std::uint32_t rest = marvin32(secret.substr(0, kCovered), seed_of("AadPwd00"));
  std::string digits(6, kDigits[0]);
  for (std::size_t i = digits.size(); i > 0; --i) {
    digits[i - 1] = kDigits[rest % kDigits.size()];
    rest /= static_cast<std::uint32_t>(kDigits.size());
  }
  return confirmed_or_refused(digits.starts_with(secret.substr(kCovered)));
}

CheckResult check_azure_sas(std::string_view secret, std::string_view match, std::int64_t now_unix) {
  constexpr std::size_t kSignature = 32;
  const auto sent = query_value(match, "sig");
  const auto signature = decode_base64(decode_percent(sent.empty() ? secret : sent));
  if (!signature || signature->size() != kSignature) return refused();
  const auto expiry = parse_expiry(decode_percent(query_value(match, "se")));
  return expiry ? with_expiry(accepted(), *expiry, now_unix) : accepted();
}

}  // namespace scanner::judge
