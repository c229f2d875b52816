#include "scanner/judge/checks_keys.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "scanner/judge/checks_answer.h"
#include "scanner/judge/checks_armor.h"
#include "scanner/judge/checks_chars.h"
#include "scanner/judge/checks_der.h"
#include "scanner/judge/decode.h"

namespace scanner::judge {
namespace {

CheckResult confirmed_but_protected() {
  return with_severity(confirmed(), Severity::medium, "protected by a passphrase");
}

std::optional<std::uint32_t> take_big_endian(std::string_view& rest, std::size_t size) {
  if (rest.size() < size) return std::nullopt;
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < size; ++i) number = number << 8 | static_cast<std::uint8_t>(rest[i]);
  rest.remove_prefix(size);
  return number;
}

/// A string as SSH writes it: four bytes of length, then as many bytes.
std::optional<std::string_view> take_ssh_string(std::string_view& rest) {
  const auto size = take_big_endian(rest, 4);
  if (!size || *size > rest.size()) return std::nullopt;
  const auto text = rest.substr(0, *size);
  rest.remove_prefix(*size);
  return text;
}

CheckResult judge_openssh_key(std::string_view bytes) {
  constexpr std::string_view kMagic("openssh-key-v1\0", 15);
  if (!bytes.starts_with(kMagic)) return refused();
  bytes.remove_prefix(kMagic.size());
  const auto cipher = take_ssh_string(bytes);
  const auto kdf = take_ssh_string(bytes);
  const auto kdf_options = take_ssh_string(bytes);
  const auto keys = take_big_endian(bytes, 4);
  const auto public_key = take_ssh_string(bytes);
  auto private_part = take_ssh_string(bytes);
  if (!cipher || !kdf || !kdf_options || !keys || !public_key || !private_part) return refused();
  if (*cipher != "none") return confirmed_but_protected();
  const auto check = take_big_endian(*private_part, 4);
  return confirmed_or_refused(check && check == take_big_endian(*private_part, 4));
}

CheckResult judge_ssh2_key(std::string_view bytes) {
  constexpr std::uint32_t kMagic = 0x3F6FF9EB;
  const auto magic = take_big_endian(bytes, 4);
  const auto size = take_big_endian(bytes, 4);
  const auto type = take_ssh_string(bytes);
  const auto cipher = take_ssh_string(bytes);
  if (!magic || *magic != kMagic || !size || !type || !cipher) return refused();
  return *cipher == "none" ? confirmed() : confirmed_but_protected();
}

CheckResult judge_der_key(std::string_view bytes) {
  switch (private_key_form(bytes)) {
    case KeyForm::key:
      return confirmed();
    case KeyForm::encrypted:
      return confirmed_but_protected();
    case KeyForm::none:
      break;
  }
  return refused();
}

CheckResult judge_pem(const Armor& armor) {
  constexpr std::size_t kSmallestKey = 16;
  constexpr std::array<std::string_view, 6> kDerLabels = {
      "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY", "ANY PRIVATE KEY",
  };
  const auto bytes = decode_base64(armor.body);
  if (!bytes || bytes->size() < kSmallestKey) return refused();
  if (armor.encrypted) return with_severity(accepted(), Severity::medium, "protected by a passphrase");
  if (armor.label == "OPENSSH PRIVATE KEY") return judge_openssh_key(*bytes);
  if (armor.label == "SSH2 ENCRYPTED PRIVATE KEY") return judge_ssh2_key(*bytes);
  if (std::find(kDerLabels.begin(), kDerLabels.end(), armor.label) != kDerLabels.end()) return judge_der_key(*bytes);
  if (armor.label.find("ENCRYPTED") == std::string::npos) return accepted();
  return with_severity(accepted(), Severity::medium, "protected by a passphrase");
}

CheckResult judge_pem_in(std::string_view text) {
  const auto armor = find_armor(text, "PRIVATE KEY");
  return armor ? judge_pem(*armor) : refused();
}

/// `-----BEGIN ` in base64, whatever follows.
constexpr std::string_view kWrappedPem = "LS0tLS1CRUdJTi";

std::uint32_t crc24(std::string_view bytes) {
  std::uint32_t crc = 0xB704CE;
  for (const char c : bytes) {
    crc ^= static_cast<std::uint32_t>(static_cast<std::uint8_t>(c)) << 16;
    for (int bit = 0; bit < 8; ++bit) {
      crc <<= 1;
      if ((crc & 0x1000000U) != 0) crc ^= 0x1864CFBU;
    }
  }
  return crc;
}

/// Takes the header of an OpenPGP packet off `rest`, old or new (RFC 9580, 4.2); nothing unless it is a secret key.
bool take_secret_key_header(std::string_view& rest) {
  constexpr std::uint32_t kSecretKey = 5;
  const auto first = take_big_endian(rest, 1);
  if (!first || (*first & 0x80U) == 0) return false;
  if ((*first & 0x40U) == 0) {
    constexpr std::array<std::size_t, 4> kLengthBytes = {1, 2, 4, 0};
    return (*first >> 2 & 15U) == kSecretKey && take_big_endian(rest, kLengthBytes[*first & 3U]);
  }
  const auto length = take_big_endian(rest, 1);
  if ((*first & 63U) != kSecretKey || !length) return false;
  if (*length == 255) return take_big_endian(rest, 4).has_value();
  return *length < 192 || *length >= 224 || take_big_endian(rest, 1);
}

bool skip(std::string_view& rest, std::size_t size) {
  if (rest.size() < size) return false;
  rest.remove_prefix(size);
  return true;
}

bool skip_numbers(std::string_view& rest, int count) {
  for (int i = 0; i < count; ++i) {
    const auto bits = take_big_endian(rest, 2);
    if (!bits || !skip(rest, (*bits + 7) / 8)) return false;
  }
  return true;
}

bool skip_counted(std::string_view& rest) {
  const auto size = take_big_endian(rest, 1);
  return size && skip(rest, *size);
}

bool skip_public_part(std::string_view& rest, std::uint32_t algorithm) {
  switch (algorithm) {
    case 1:  // RSA
    case 2:
    case 3:
      return skip_numbers(rest, 2);
    case 16:  // Elgamal
      return skip_numbers(rest, 3);
    case 17:  // DSA
      return skip_numbers(rest, 4);
    case 18:  // ECDH
      return skip_counted(rest) && skip_numbers(rest, 1) && skip_counted(rest);
    case 19:  // ECDSA
    case 22:  // EdDSA
      return skip_counted(rest) && skip_numbers(rest, 1);
    case 25:  // X25519
    case 27:  // Ed25519
      return skip(rest, 32);
    case 26:  // X448
      return skip(rest, 56);
    case 28:  // Ed448
      return skip(rest, 57);
    default:
      return false;
  }
}

/// The byte that says how the secret numbers are protected, 0 meaning not; nothing when it cannot be reached.
std::optional<std::uint32_t> protection_of(std::string_view key) {
  constexpr std::size_t kTime = 4;
  const auto version = take_big_endian(key, 1);
  if (!version || !skip(key, kTime)) return std::nullopt;
  if (*version < 4 && !skip(key, 2)) return std::nullopt;  // days of validity
  const auto algorithm = take_big_endian(key, 1);
  if (!algorithm || (*version == 6 && !skip(key, 4))) return std::nullopt;  // size of the public part
  return skip_public_part(key, *algorithm) ? take_big_endian(key, 1) : std::nullopt;
}

/// The value of the JSON string member `name` and everything behind it; quotes may be escaped to any depth.
std::string_view from_member(std::string_view text, std::string_view name) {
  const auto skip_quote = [](std::string_view& rest) {
    while (rest.starts_with('\\')) rest.remove_prefix(1);
    const bool quoted = rest.starts_with('"') || rest.starts_with('\'');
    if (quoted) rest.remove_prefix(1);
    return quoted;
  };
  for (auto at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    std::string_view rest = text.substr(at + name.size());
    if (!skip_quote(rest)) continue;
    rest = without_leading_space(rest);
    if (!rest.starts_with(':')) continue;
    rest = without_leading_space(rest.substr(1));
    if (skip_quote(rest)) return rest;
  }
  return {};
}

std::string_view until_quote(std::string_view text) { return text.substr(0, text.find_first_of("\"'\\")); }

}  // namespace

CheckResult check_pem_private_key(std::string_view secret, std::string_view match, std::int64_t) {
  if (!secret.starts_with(kWrappedPem)) {
    return judge_pem_in(secret.find("BEGIN ") != std::string_view::npos ? secret : match);
  }
  std::string wrapped(secret);
  wrapped.erase(std::remove_if(wrapped.begin(), wrapped.end(), is_space), wrapped.end());
  const auto pem = decode_base64(wrapped);
  return pem ? judge_pem_in(*pem) : refused();
}

CheckResult check_pgp_private_key(std::string_view secret, std::string_view match, std::int64_t) {
  const auto text = secret.find("BEGIN ") != std::string_view::npos ? secret : match;
  const auto armor = find_armor(text, "PGP PRIVATE KEY BLOCK");
  const auto bytes = armor ? decode_base64(armor->body) : std::nullopt;
  if (!bytes) return refused();
  std::string_view key = *bytes;
  if (!take_secret_key_header(key)) return refused();
  if (!armor->checksum.empty()) {
    const auto stored = decode_base64(armor->checksum);
    std::string_view three = stored ? std::string_view(*stored) : std::string_view();
    if (take_big_endian(three, 3) != crc24(*bytes)) return refused();
  }
  const auto protection = protection_of(key);
  CheckResult result = armor->checksum.empty() ? accepted() : confirmed();
  if (!protection || *protection == 0) return result;
  return with_severity(std::move(result), Severity::medium, "protected by a passphrase");
}

CheckResult check_putty_key(std::string_view secret, std::string_view match, std::int64_t) {
  constexpr std::string_view kEncryption = "Encryption:";
  const std::string_view text = match.size() > secret.size() ? match : secret;
  if (text.find("PuTTY-User-Key-File-") == std::string_view::npos) return refused();
  const auto at = text.find(kEncryption);
  if (at == std::string_view::npos) return accepted();
  if (!without_leading_space(text.substr(at + kEncryption.size())).starts_with("none")) {
    return with_severity(accepted(), Severity::medium, "protected by a passphrase");
  }
  return text.find("Private-Lines:") != std::string_view::npos ? confirmed() : accepted();
}

CheckResult check_gcp_service_account(std::string_view, std::string_view match, std::int64_t) {
  constexpr std::size_t kKeyIdDigits = 40;
  const auto key_id = until_quote(from_member(match, "private_key_id"));
  const auto email = until_quote(from_member(match, "client_email"));
  if (match.find("service_account") == std::string_view::npos || (key_id.empty() && email.empty())) return refused();
  if (!key_id.empty() && (key_id.size() != kKeyIdDigits || !all_of(key_id, is_hex))) return refused();
  CheckResult result = judge_pem_in(from_member(match, "private_key"));
  const auto is_host = [](char c) { return is_alnum(c) || c == '-' || c == '.'; };
  const auto host = email.substr(std::min(email.find('@'), email.size()));
  if (!is_refused(result) && host.size() > 1 && all_of(host.substr(1), is_host)) {
    result.notes.push_back("service account of " + std::string(host.substr(1)));
  }
  return result;
}

}  // namespace scanner::judge
