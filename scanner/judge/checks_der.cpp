#include "scanner/judge/checks_der.h"

#include <array>

namespace scanner::judge {
namespace {

constexpr std::string_view kRsaEncryption("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 9);

std::uint64_t byte_at(std::string_view bytes, std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); }

/// Remainder of a big-endian number; `modulus` is less than 2^56, so that a byte more does not overflow.
std::uint64_t remainder_of(std::string_view number, std::uint64_t modulus) {
  std::uint64_t rest = 0;
  for (std::size_t i = 0; i < number.size(); ++i) rest = (rest << 8 | byte_at(number, i)) % modulus;
  return rest;
}

/// Whether n = p * q, tried modulo a prime of 31 bits: one wrong triple in two thousand million would pass.
bool is_product(std::string_view n, std::string_view p, std::string_view q) {
  constexpr std::uint64_t kPrime = 2'147'483'647;
  return remainder_of(n, kPrime) == remainder_of(p, kPrime) * remainder_of(q, kPrime) % kPrime;
}

bool is_rsa_key(std::string_view fields) {
  const auto version = take_der(fields, kDerInteger);
  if (!version || version->size() != 1) return false;
  std::array<std::string_view, 8> numbers;  // n, e, d, p, q, d mod p-1, d mod q-1, 1/q mod p
  for (auto& number : numbers) {
    const auto integer = take_der(fields, kDerInteger);
    if (!integer || integer->empty()) return false;
    number = *integer;
  }
  return is_product(numbers[0], numbers[3], numbers[4]);
}

bool is_dsa_key(std::string_view fields) {
  for (int i = 0; i < 6; ++i) {  // 0, p, q, g, y, x
    const auto integer = take_der(fields, kDerInteger);
    if (!integer || integer->empty()) return false;
  }
  return fields.empty();
}

bool is_ec_key(std::string_view fields) {
  constexpr std::size_t kSmallestScalar = 14;  // secp112r1
  const auto version = take_der(fields, kDerInteger);
  const auto scalar = take_der(fields, kDerOctets);
  return version && *version == std::string_view("\x01", 1) && scalar && scalar->size() >= kSmallestScalar;
}

bool is_pkcs8_key(std::string_view fields) {
  const auto version = take_der(fields, kDerInteger);
  auto algorithm = take_der(fields, kDerSequence);
  const auto key = take_der(fields, kDerOctets);
  if (!version || version->size() != 1 || byte_at(*version, 0) > 1 || !algorithm || !key || key->empty()) return false;
  const auto oid = take_der(*algorithm, kDerOid);
  if (!oid || oid->empty()) return false;
  if (*oid != kRsaEncryption) return true;
  const auto rsa = sole_der(*key, kDerSequence);
  return rsa && is_rsa_key(*rsa);
}

bool is_encrypted_pkcs8_key(std::string_view fields) {
  auto algorithm = take_der(fields, kDerSequence);
  const auto ciphertext = take_der(fields, kDerOctets);
  return algorithm && take_der(*algorithm, kDerOid) && ciphertext && !ciphertext->empty() && fields.empty();
}

}  // namespace

std::optional<Der> take_der(std::string_view& rest) {
  constexpr std::uint64_t kLongForm = 0x80;
  constexpr std::uint64_t kManyByteTag = 0x1F;
  if (rest.size() < 2 || (byte_at(rest, 0) & kManyByteTag) == kManyByteTag) return std::nullopt;
  std::uint64_t length = byte_at(rest, 1);
  std::size_t header = 2;
  if (length >= kLongForm) {
    const std::uint64_t bytes = length - kLongForm;
    if (bytes == 0 || bytes > 4 || rest.size() < header + bytes) return std::nullopt;
    length = 0;
    for (const std::size_t end = header + bytes; header < end; ++header) length = length << 8 | byte_at(rest, header);
  }
  if (length > rest.size() - header) return std::nullopt;
  const Der element = {static_cast<std::uint8_t>(rest[0]), rest.substr(header, length)};
  rest.remove_prefix(header + length);
  return element;
}

std::optional<std::string_view> take_der(std::string_view& rest, std::uint8_t tag) {
  if (rest.empty() || byte_at(rest, 0) != tag) return std::nullopt;
  const auto element = take_der(rest);
  return element ? std::optional(element->body) : std::nullopt;
}

std::optional<std::string_view> sole_der(std::string_view bytes, std::uint8_t tag) {
  const auto body = take_der(bytes, tag);
  return body && bytes.empty() ? body : std::nullopt;
}

KeyForm private_key_form(std::string_view der) {
  const auto fields = sole_der(der, kDerSequence);
  if (!fields) return KeyForm::none;
  if (is_encrypted_pkcs8_key(*fields)) return KeyForm::encrypted;
  const bool key = is_rsa_key(*fields) || is_dsa_key(*fields) || is_ec_key(*fields) || is_pkcs8_key(*fields);
  return key ? KeyForm::key : KeyForm::none;
}

}  // namespace scanner::judge
