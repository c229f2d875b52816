#include "scanner/judge/checks_tokens.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "scanner/base/json.h"
#include "scanner/judge/checks_answer.h"
#include "scanner/judge/checks_chars.h"
#include "scanner/judge/decode.h"
#include "scanner/judge/randomness.h"

namespace scanner::judge {
namespace {

/// At most `limit` parts; the last one takes what is left.
std::vector<std::string_view> split(std::string_view text, char separator, std::size_t limit) {
  std::vector<std::string_view> parts;
  while (parts.size() + 1 < limit) {
    const auto at = text.find(separator);
    if (at == std::string_view::npos) break;
    parts.push_back(text.substr(0, at));
    text.remove_prefix(at + 1);
  }
  parts.push_back(text);
  return parts;
}

std::optional<base::Json> decode_object(std::string_view base64) {
  const auto text = decode_base64(base64);
  if (!text) return std::nullopt;
  auto json = base::parse_json(*text);
  if (!json || !json->is_object()) return std::nullopt;
  return std::move(*json);
}

std::optional<std::int64_t> time_member(const base::Json& object, const char* key) {
  constexpr double kEndOfTime = 1e15;
  const auto it = object.find(key);
  if (it == object.end() || !it->is_number()) return std::nullopt;
  const auto seconds = it->get<double>();
  if (!(seconds >= 0 && seconds < kEndOfTime)) return std::nullopt;
  return static_cast<std::int64_t>(seconds);
}

/// The host in an issuer, which may be an address of any kind; empty when it names none.
std::string host_of(std::string_view issuer) {
  constexpr std::size_t kLongestHost = 253;
  if (const auto scheme = issuer.find("://"); scheme != std::string_view::npos) issuer.remove_prefix(scheme + 3);
  issuer = issuer.substr(0, issuer.find_first_of("/?#"));
  if (const auto at = issuer.rfind('@'); at != std::string_view::npos) issuer.remove_prefix(at + 1);
  issuer = issuer.substr(0, issuer.find(':'));
  const auto is_host_char = [](char c) { return is_alnum(c) || c == '-' || c == '.'; };
  const bool host = issuer.find('.') != std::string_view::npos && issuer.size() <= kLongestHost;
  return host && all_of(issuer, is_host_char) ? std::string(issuer) : std::string();
}

bool is_sample_token(const base::Json& payload) {
  return base::string_member(payload, "sub") == "1234567890" || base::string_member(payload, "name") == "John Doe" ||
         base::string_member(payload, "iss").find("jwt.io") != std::string::npos;
}

/// Bytes of a signature by that algorithm (RFC 7518, RFC 8037); 0 when it depends on the key or is unknown.
std::size_t signature_size(std::string_view algorithm) {
  struct Size {
    std::string_view algorithm;
    std::size_t bytes;
  };
  constexpr std::array<Size, 8> kSizes = {{{"HS256", 32},
                                           {"HS384", 48},
                                           {"HS512", 64},
                                           {"ES256", 64},
                                           {"ES384", 96},
                                           {"ES512", 132},
                                           {"ES256K", 64},
                                           {"EdDSA", 64}}};
  const auto* size =
      std::find_if(kSizes.begin(), kSizes.end(), [&](const Size& s) { return s.algorithm == algorithm; });
  return size == kSizes.end() ? 0 : size->bytes;
}

bool signature_fits(std::string_view algorithm, std::string_view encoded) {
  constexpr std::size_t kSmallestRsa = 128;
  const auto signature = decode_base64(encoded);
  if (!signature) return false;
  const std::size_t size = signature_size(algorithm);
  return size != 0 ? signature->size() == size : signature->size() >= kSmallestRsa;
}

/// A field of a macaroon, version 2: its type, its length, its bytes. Type 0 ends a section and has neither.
struct Field {
  std::uint64_t type = 0;
  std::string_view bytes;
};

std::optional<std::uint64_t> take_varint(std::string_view& rest) {
  constexpr unsigned kMostBits = 28;  // four bytes: no token is longer
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < kMostBits && !rest.empty(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(rest[0]);
    rest.remove_prefix(1);
    number |= std::uint64_t{byte & 0x7FU} << shift;
    if ((byte & 0x80U) == 0) return number;
  }
  return std::nullopt;
}

std::optional<Field> take_field(std::string_view& rest) {
  Field field;
  const auto type = take_varint(rest);
  if (!type || *type == 0) return type ? std::optional(field) : std::nullopt;
  const auto size = take_varint(rest);
  if (!size || *size > rest.size()) return std::nullopt;
  field = {*type, rest.substr(0, *size)};
  rest.remove_prefix(*size);
  return field;
}

bool is_pypi_macaroon(std::string_view rest) {
  constexpr std::uint64_t kEnd = 0;
  constexpr std::uint64_t kLocation = 1;
  constexpr std::uint64_t kIdentifier = 2;
  constexpr std::uint64_t kSignature = 6;
  constexpr std::size_t kSignatureSize = 32;
  if (!rest.starts_with('\x02')) return false;
  rest.remove_prefix(1);
  const auto location = take_field(rest);
  if (!location || location->type != kLocation) return false;
  if (location->bytes != "pypi.org" && location->bytes != "test.pypi.org") return false;
  const auto identifier = take_field(rest);
  auto end = take_field(rest);
  if (!identifier || identifier->type != kIdentifier || !end || end->type != kEnd) return false;
  while (true) {  // caveats, each closed by an end; one end more closes them all
    auto field = take_field(rest);
    if (!field) return false;
    if (field->type == kEnd) break;
    while (field && field->type != kEnd) field = take_field(rest);
    if (!field) return false;
  }
  const auto signature = take_field(rest);
  return signature && signature->type == kSignature && signature->bytes.size() == kSignatureSize && rest.empty();
}

std::uint32_t big_endian_at(std::string_view bytes, std::size_t offset) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8 | static_cast<std::uint8_t>(bytes[offset + i]);
  return number;
}

}  // namespace

CheckResult check_aws_key_id(std::string_view secret, std::string_view, std::int64_t) {
  constexpr std::size_t kLength = 20;
  constexpr std::size_t kPrefix = 4;
  if (secret.size() != kLength || secret.ends_with("EXAMPLE") || any_of(secret, is_lower)) return refused();
  const auto bytes = decode_base32(secret.substr(kPrefix));
  if (!bytes) return refused();
  CheckResult result = accepted();
  if (secret[kPrefix] == 'I' || secret[kPrefix] == 'J') return result;  // older ids hold no account
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 6; ++i) number = number << 8 | static_cast<std::uint8_t>((*bytes)[i]);
  constexpr std::uint64_t kMask = 0x7fffffffff80;
  constexpr std::uint64_t kAccounts = 1'000'000'000'000;
  const std::uint64_t account = (number & kMask) >> 7;
  if (account < kAccounts) result.notes.push_back("AWS account " + format_number(account, 10, 12));
  return result;
}

CheckResult check_aws_secret(std::string_view secret, std::string_view, std::int64_t) {
  constexpr std::size_t kLength = 40;
  constexpr double kLeastEntropy = 4.2;
  // Of random values of this length one in ten thousand is below, of identifiers and paths nearly all.
  constexpr double kLeastPairBits = 5.0;
  if (secret.size() != kLength || !decode_base64(secret) || all_of(secret, is_hex)) return refused();
  if (to_lower(secret).find("example") != std::string::npos) return refused();
  const bool mixed = any_of(secret, is_lower) && any_of(secret, is_upper) && any_of(secret, is_digit);
  if (!mixed || shannon_entropy(secret) < kLeastEntropy || pair_bits(secret) < kLeastPairBits) return refused();
  return accepted();
}

CheckResult check_jwt(std::string_view secret, std::string_view, std::int64_t now_unix) {
  const auto parts = split(secret, '.', 4);
  if (parts.size() != 3) return refused();
  const auto header = decode_object(parts[0]);
  const auto payload = decode_object(parts[1]);
  if (!header || !payload || is_sample_token(*payload)) return refused();
  const std::string algorithm = base::string_member(*header, "alg");
  if (algorithm.empty() || !decode_base64(parts[2])) return refused();

  CheckResult result = signature_fits(algorithm, parts[2]) ? confirmed() : accepted();
  if (const auto host = host_of(base::string_member(*payload, "iss")); !host.empty()) {
    result.notes.push_back("issued by " + host);
  }
  if (to_lower(algorithm) == "none" || parts[2].empty()) {
    result = with_severity(std::move(result), Severity::low, "not signed");
  }
  const auto expiry = time_member(*payload, "exp");
  return expiry ? with_expiry(std::move(result), *expiry, now_unix) : result;
}

CheckResult check_pypi_macaroon(std::string_view secret, std::string_view, std::int64_t) {
  constexpr std::string_view kPrefix = "pypi-";
  if (secret.starts_with(kPrefix)) secret.remove_prefix(kPrefix.size());
  const auto bytes = decode_base64(secret);
  return confirmed_or_refused(bytes && is_pypi_macaroon(*bytes));
}

CheckResult check_discord_token(std::string_view secret, std::string_view, std::int64_t) {
  constexpr std::size_t kFewestDigits = 17;
  constexpr std::size_t kMostDigits = 20;
  const auto parts = split(secret, '.', 4);
  if (parts.size() != 3 || parts[1].empty() || parts[2].empty()) return refused();
  const auto id = decode_base64(parts[0]);
  return confirmed_or_refused(id && id->size() >= kFewestDigits && id->size() <= kMostDigits && all_of(*id, is_digit));
}

CheckResult check_telegram_token(std::string_view secret, std::string_view, std::int64_t) {
  constexpr std::size_t kKey = 35;
  const auto parts = split(secret, ':', 2);
  if (parts.size() != 2 || !parts[1].starts_with("AA") || parts[1].size() != kKey) return refused();
  const auto id = parts[0];
  const bool counted_up = std::string_view("1234567890").starts_with(id);
  if (id.size() < 8 || id.size() > 10 || !all_of(id, is_digit) || id[0] == '0' || counted_up) return refused();
  return decode_base64(parts[1].substr(0, kKey - 1)) && looks_random(parts[1]) ? accepted() : refused();
}

CheckResult check_snyk_token(std::string_view secret, std::string_view, std::int64_t now_unix) {
  const auto parts = split(secret, '.', 5);
  const auto claims = parts.size() == 4 ? decode_object(parts[2]) : std::nullopt;
  if (!claims || !claims->contains("e") || !claims->contains("h")) return refused();
  const auto expiry = time_member(*claims, "e");
  return expiry ? with_expiry(confirmed(), *expiry, now_unix) : confirmed();
}

CheckResult check_jfrog_reference_token(std::string_view secret, std::string_view, std::int64_t) {
  const auto text = decode_base64(secret);
  if (!text) return refused();
  const auto parts = split(*text, ':', 5);
  return confirmed_or_refused(parts.size() == 5 && parts[0] == "reftkn" && parts[1] == "01" && !parts[2].empty() &&
                              !parts[3].empty() && all_of(parts[3], is_digit) && !parts[4].empty() &&
                              all_of(parts[4], is_print));
}

CheckResult check_jenkins_secret(std::string_view secret, std::string_view, std::int64_t) {
  constexpr std::size_t kHeader = 9;  // version, size of the IV, size of the data
  constexpr std::size_t kBlock = 16;
  if (secret.starts_with('{')) secret.remove_prefix(1);
  if (secret.ends_with('}')) secret.remove_suffix(1);
  const auto bytes = decode_base64(secret);
  if (!bytes || bytes->size() < kHeader || (*bytes)[0] != 1) return refused();
  const std::uint64_t iv = big_endian_at(*bytes, 1);
  const std::uint64_t data = big_endian_at(*bytes, 5);
  return confirmed_or_refused(iv == kBlock && data != 0 && data % kBlock == 0 && bytes->size() == kHeader + iv + data);
}

CheckResult check_base64_json(std::string_view secret, std::string_view, std::int64_t) {
  constexpr std::size_t kLongestPrefix = 40;
  constexpr std::array<std::string_view, 3> kObjectStarts = {"eyJ", "ewo", "eyA"};  // {" and { with white space
  if (decode_object(secret)) return accepted();
  const auto head = secret.substr(0, kLongestPrefix);
  for (const auto start : kObjectStarts) {
    const auto at = head.find(start);
    if (at != std::string_view::npos && decode_object(secret.substr(at))) return accepted();
  }
  return refused();
}

}  // namespace scanner::judge
