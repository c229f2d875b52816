#include "scanner/judge/decode.h"

#include <array>
#include <vector>

#include "scanner/judge/checks_chars.h"

namespace scanner::judge {
namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view kBech32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

using Values = std::array<std::int16_t, 256>;  // -1: not in the alphabet

constexpr std::size_t at(char c) { return static_cast<std::uint8_t>(c); }

constexpr Values values_of(std::string_view alphabet) {
  Values values{};
  for (auto& value : values) value = -1;
  for (std::size_t i = 0; i < alphabet.size(); ++i) values[at(alphabet[i])] = static_cast<std::int16_t>(i);
  return values;
}

constexpr Values base64_values() {
  Values values = values_of(kBase64);
  values[at('-')] = 62;
  values[at('_')] = 63;
  return values;
}

constexpr Values base32_values() {
  Values values = values_of(kBase32);
  for (char c = 'a'; c <= 'z'; ++c) values[at(static_cast<char>(c - 'a' + 'A'))] = values[at(c)];
  return values;
}

std::optional<std::string> decode_bits(std::string_view text, const Values& values, unsigned bits_each) {
  std::string bytes;
  bytes.reserve(text.size() * bits_each / 8);
  std::uint32_t pending = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const int value = values[at(c)];
    if (value < 0) return std::nullopt;
    pending = (pending << bits_each) | static_cast<std::uint32_t>(value);
    bits += bits_each;
    if (bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>((pending >> bits) & 0xFFU);
    }
  }
  return bytes;
}

}  // namespace

std::optional<std::string> decode_base64(std::string_view text) {
  static constexpr Values kValues = base64_values();
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  return decode_bits(text, kValues, 6);
}

std::string encode_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t k) {
      return i + k < bytes.size() ? static_cast<std::uint32_t>(at(bytes[i + k])) : 0U;
    };
    const std::uint32_t three = byte(0) << 16 | byte(1) << 8 | byte(2);
    text += kBase64[three >> 18 & 63U];
    text += kBase64[three >> 12 & 63U];
    text += i + 1 < bytes.size() ? kBase64[three >> 6 & 63U] : '=';
    text += i + 2 < bytes.size() ? kBase64[three & 63U] : '=';
  }
  return text;
}

std::optional<std::string> decode_base32(std::string_view text) {
  static constexpr Values kValues = base32_values();
  return decode_bits(text, kValues, 5);
}

std::optional<std::string> decode_base58(std::string_view text, std::string_view alphabet) {
  constexpr std::size_t kMaxLength = 1000;
  if (text.size() > kMaxLength) return std::nullopt;
  const Values values = values_of(alphabet);
  std::size_t zeros = 0;
  while (zeros < text.size() && text[zeros] == alphabet[0]) ++zeros;
  std::vector<std::uint32_t> words;  // little-endian
  for (const char c : text.substr(zeros)) {
    if (values[at(c)] < 0) return std::nullopt;
    auto carry = static_cast<std::uint64_t>(values[at(c)]);
    for (auto& word : words) {
      carry += std::uint64_t{word} * 58;
      word = static_cast<std::uint32_t>(carry);
      carry >>= 32;
    }
    if (carry != 0) words.push_back(static_cast<std::uint32_t>(carry));
  }
  std::string bytes(zeros, '\0');
  bool leading = true;
  for (auto word = words.rbegin(); word != words.rend(); ++word) {
    for (unsigned shift = 32; shift > 0;) {
      shift -= 8;
      const auto byte = static_cast<char>(*word >> shift & 0xFFU);
      leading = leading && byte == 0;
      if (!leading) bytes += byte;
    }
  }
  return bytes;
}

std::string decode_percent(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && is_hex(text[i + 1]) && is_hex(text[i + 2])) {
      bytes += static_cast<char>(*parse_number(text.substr(i + 1, 2), 16));
      i += 2;
    } else {
      bytes += text[i];
    }
  }
  return bytes;
}

bool bech32_holds(std::string_view text) {
  static constexpr Values kValues = values_of(kBech32);
  static constexpr std::array<std::uint32_t, 5> kGenerator = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                                              0x2a1462b3};
  constexpr std::size_t kChecksumLength = 6;
  const auto separator = text.rfind('1');
  if (separator == std::string_view::npos || separator == 0 || text.size() - separator - 1 < kChecksumLength ||
      (any_of(text, is_lower) && any_of(text, is_upper)) || !all_of(text, is_print)) {
    return false;
  }
  std::uint32_t state = 1;
  const auto feed = [&state](std::uint32_t value) {
    const std::uint32_t top = state >> 25;
    state = (state & 0x1ffffffU) << 5 ^ value;
    for (std::size_t i = 0; i < kGenerator.size(); ++i) state ^= (top >> i & 1U) != 0 ? kGenerator[i] : 0U;
  };
  const std::string lower = to_lower(text);
  const std::string_view prefix = std::string_view(lower).substr(0, separator);
  for (const char c : prefix) feed(static_cast<std::uint32_t>(at(c) >> 5));
  feed(0);
  for (const char c : prefix) feed(static_cast<std::uint32_t>(at(c) & 31U));
  for (const char c : std::string_view(lower).substr(separator + 1)) {
    if (kValues[at(c)] < 0) return false;
    feed(static_cast<std::uint32_t>(kValues[at(c)]));
  }
  constexpr std::uint32_t kBech32Constant = 1;
  constexpr std::uint32_t kBech32mConstant = 0x2bc830a3;
  return state == kBech32Constant || state == kBech32mConstant;
}

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint32_t base) {
  if (text.empty()) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : text) {
    const char lower = to_lower(c);
    std::uint32_t digit = base;
    if (is_digit(lower)) digit = static_cast<std::uint32_t>(lower - '0');
    if (is_lower(lower)) digit = static_cast<std::uint32_t>(lower - 'a' + 10);
    if (digit >= base || number > (UINT64_MAX - digit) / base) return std::nullopt;
    number = number * base + digit;
  }
  return number;
}

std::string format_number(std::uint64_t value, std::uint32_t base, std::size_t width) {
  constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string text(width, kDigits[0]);
  for (std::size_t i = width; i > 0; --i) {
    text[i - 1] = kDigits[value % base];
    value /= base;
  }
  return text;
}

std::string little_endian(std::uint32_t value) {
  std::string bytes;
  for (unsigned shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(value >> shift & 0xFFU);
  return bytes;
}

}  // namespace scanner::judge
