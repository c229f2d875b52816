#include "scanner/judge/checks_checksums.h"

#include <string>

#include "scanner/base/hash.h"
#include "scanner/judge/checks_answer.h"
#include "scanner/judge/checks_chars.h"
#include "scanner/judge/decode.h"

namespace scanner::judge {
namespace {

std::uint32_t byte_at(std::string_view bytes, std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); }

std::uint16_t crc16_xmodem(std::string_view bytes) {
  std::uint32_t crc = 0;
  for (const char c : bytes) {
    crc ^= static_cast<std::uint32_t>(static_cast<std::uint8_t>(c)) << 8;
    for (int bit = 0; bit < 8; ++bit) crc = ((crc & 0x8000U) != 0 ? crc << 1 ^ 0x1021U : crc << 1) & 0xFFFFU;
  }
  return static_cast<std::uint16_t>(crc);
}

/// What stands before the last `_`, and what stands after it; nothing before it when there is none.
struct Parts {
  std::string_view before;
  std::string_view after;
};

Parts split_at_last_underscore(std::string_view text) {
  const auto underscore = text.rfind('_');
  if (underscore == std::string_view::npos) return {{}, text};
  return {text.substr(0, underscore), text.substr(underscore + 1)};
}

bool base58check_holds(std::string_view text, std::string_view alphabet) {
  constexpr std::size_t kChecksum = 4;
  const auto bytes = decode_base58(text, alphabet);
  if (!bytes || bytes->size() <= kChecksum) return false;
  const auto body = std::string_view(*bytes).substr(0, bytes->size() - kChecksum);
  const auto once = base::sha256(body);
  const auto twice = base::sha256({reinterpret_cast<const char*>(once.data()), once.size()});
  for (std::size_t i = 0; i < kChecksum; ++i) {
    if (byte_at(*bytes, body.size() + i) != twice[i]) return false;
  }
  return true;
}

}  // namespace

CheckResult check_crc32_base62(std::string_view secret, std::string_view, std::int64_t) {
  constexpr std::size_t kChecksum = 6;
  const std::string_view token = split_at_last_underscore(secret).after;
  if (token.size() <= kChecksum) return refused();
  const auto body = token.substr(0, token.size() - kChecksum);
  return confirmed_or_refused(token.substr(body.size()) == format_number(base::crc32(body), 62, kChecksum));
}

CheckResult check_crc32_hex(std::string_view secret, std::string_view, std::int64_t) {
  constexpr std::size_t kChecksum = 8;
  auto [before, token] = split_at_last_underscore(secret);
  std::string_view body;
  if (token.size() == kChecksum) {  // an underscore of its own sets the checksum apart
    body = split_at_last_underscore(before).after;
  } else if (token.size() > kChecksum) {
    body = token.substr(0, token.size() - kChecksum);
    token.remove_prefix(body.size());
  }
  if (body.empty()) return refused();
  return confirmed_or_refused(token == to_lower(format_number(base::crc32(body), 16, kChecksum)));
}

CheckResult check_grafana_crc32(std::string_view secret, std::string_view, std::int64_t) {
  const auto [body, checksum] = split_at_last_underscore(secret);
  if (body.empty()) return refused();
  return confirmed_or_refused(checksum == base::hex(little_endian(base::crc32(body))));
}

CheckResult check_atlassian_crc32(std::string_view secret, std::string_view, std::int64_t) {
  const auto equals = secret.rfind('=');
  if (equals == std::string_view::npos) return refused();
  const auto body = secret.substr(0, equals + 1);
  return confirmed_or_refused(secret.substr(equals + 1) == format_number(base::crc32(body), 16, 8));
}

CheckResult check_confluent_crc32(std::string_view secret, std::string_view, std::int64_t) {
  constexpr std::string_view kPrefix = "cflt";
  constexpr std::size_t kBody = 54;
  constexpr std::size_t kChecksum = 6;
  if (!secret.starts_with(kPrefix) || secret.size() != kPrefix.size() + kBody + kChecksum) return refused();
  const auto body = secret.substr(kPrefix.size(), kBody);
  const std::string checksum = encode_base64(little_endian(base::crc32(body))).substr(0, kChecksum);
  return confirmed_or_refused(secret.ends_with(checksum));
}

CheckResult check_gitlab_routable(std::string_view secret, std::string_view, std::int64_t) {
  constexpr std::size_t kLengthDigits = 2;
  constexpr std::size_t kChecksum = 7;
  const auto dot = secret.rfind('.');
  if (dot == std::string_view::npos || secret.size() - dot - 1 != kLengthDigits + kChecksum) return refused();
  const auto covered = secret.substr(0, secret.size() - kChecksum);
  if (secret.substr(covered.size()) != to_lower(format_number(base::crc32(covered), 36, kChecksum))) return refused();

  std::string_view payload = secret.substr(0, dot);
  if (payload.ends_with(".01")) payload.remove_suffix(3);
  const auto length = parse_number(secret.substr(dot + 1, kLengthDigits), 36);
  // The payload's own alphabet holds - and _, which also end the prefix: only the length tells where it begins.
  if (!length || *length == 0 || *length >= payload.size()) return refused();
  const char before = payload[payload.size() - *length - 1];
  return confirmed_or_refused(before == '-' || before == '_');
}

CheckResult check_azure_devops_pat(std::string_view secret, std::string_view, std::int64_t) {
  constexpr std::size_t kLength = 52;
  const auto bytes = decode_base32(secret);
  if (secret.size() != kLength || !bytes) return refused();
  const std::string covered = bytes->substr(0, 2) + bytes->substr(3, 4) + bytes->substr(9, 13) + bytes->substr(23, 9);
  const std::uint32_t stored =
      byte_at(*bytes, 22) | byte_at(*bytes, 8) << 8 | byte_at(*bytes, 7) << 16 | byte_at(*bytes, 2) << 24;
  constexpr std::uint32_t kUser = 0xE0B9692D;
  constexpr std::uint32_t kApplication = 0x1019F92E;
  const std::uint32_t crc = base::crc32(covered);
  return confirmed_or_refused((crc ^ kUser) == stored || (crc ^ kApplication) == stored);
}

CheckResult check_bech32(std::string_view secret, std::string_view, std::int64_t) {
  return confirmed_or_refused(bech32_holds(secret));
}

CheckResult check_base58check(std::string_view secret, std::string_view, std::int64_t) {
  return confirmed_or_refused(base58check_holds(secret, kBitcoinAlphabet) ||
                              base58check_holds(secret, kRippleAlphabet));
}

CheckResult check_strkey(std::string_view secret, std::string_view, std::int64_t) {
  constexpr std::size_t kLength = 56;
  constexpr std::size_t kBody = 33;
  constexpr std::uint32_t kSeedVersion = 0x90;
  const auto bytes = decode_base32(secret);
  if (secret.size() != kLength || !bytes || byte_at(*bytes, 0) != kSeedVersion) return refused();
  const std::uint32_t stored = byte_at(*bytes, kBody) | byte_at(*bytes, kBody + 1) << 8;
  return confirmed_or_refused(crc16_xmodem(std::string_view(*bytes).substr(0, kBody)) == stored);
}

CheckResult check_luhn(std::string_view secret, std::string_view, std::int64_t) {
  std::uint32_t sum = 0;
  std::size_t digits = 0;
  bool all_equal = true;
  for (std::size_t i = secret.size(); i > 0; --i) {
    const char c = secret[i - 1];
    if (c == ' ' || c == '-') continue;
    if (!is_digit(c)) return refused();
    all_equal = all_equal && c == secret.back();
    const auto value = static_cast<std::uint32_t>(c - '0') * (digits % 2 == 0 ? 1U : 2U);
    sum += value > 9 ? value - 9 : value;
    ++digits;
  }
  constexpr std::size_t kShortest = 12;
  constexpr std::size_t kLongest = 19;
  if (digits < kShortest || digits > kLongest || all_equal || sum % 10 != 0) return refused();
  return accepted();
}

}  // namespace scanner::judge
