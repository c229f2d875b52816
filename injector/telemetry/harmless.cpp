#include "injector/telemetry/harmless.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>

namespace injector::telemetry {
namespace {

struct Taken {
  std::string_view bytes;
  std::optional<char32_t> code;  ///< Nothing: one byte that is no UTF-8.
};

Taken take(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {text.substr(0, 1), first};
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return {text.substr(0, 1), std::nullopt};
  char32_t code = first & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return {text.substr(0, 1), std::nullopt};
    code = code << 6U | (byte(i) & 0x3fU);
  }
  static constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  const bool right = code >= kLeast.at(size) && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  if (!right) return {text.substr(0, 1), std::nullopt};
  return {text.substr(0, size), code};
}

/// Controls, and the characters that are not seen but change how others are.
bool harms(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200b && code <= 0x200f) ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
         (code >= 0xe0000 && code <= 0xe007f);
}

std::string hexadecimal(std::string_view prefix, std::uint32_t number, int digits) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%0*x", digits, number);
  return std::string(prefix) + text.data();
}

std::string json_escape(char32_t code) {
  if (code < 0x10000) return hexadecimal("\\u", code, 4);
  const char32_t rest = code - 0x10000;
  return hexadecimal("\\u", 0xd800 + (rest >> 10U), 4) + hexadecimal("\\u", 0xdc00 + (rest & 0x3ffU), 4);
}

}  // namespace

std::string harmless(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto [bytes, code] = take(text);
    if (!code || (harms(*code) && *code < 0x100)) {
      out += hexadecimal("\\x", code ? *code : static_cast<unsigned char>(bytes[0]), 2);
    } else if (harms(*code)) {
      out += hexadecimal("\\u", *code, 4);
    } else {
      out += bytes;
    }
    text.remove_prefix(bytes.size());
  }
  return out;
}

std::string json_text(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const auto [bytes, code] = take(text);
    if (!code) {
      out += "\\ufffd";
    } else if (*code == '"' || *code == '\\') {
      out += '\\';
      out += bytes;
    } else if (harms(*code)) {
      out += json_escape(*code);
    } else {
      out += bytes;
    }
    text.remove_prefix(bytes.size());
  }
  return out + "\"";
}

}  // namespace injector::telemetry
