#include "injector/backend/vault/base64.h"

#include <array>
#include <cstdint>

namespace injector::backend::vault {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> values() {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    table[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}
constexpr auto kValues = values();

std::uint32_t byte_at(std::string_view bytes, std::size_t at) {
  return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
}

}  // namespace

memory::Secret base64(std::string_view bytes) {
  auto text = memory::Secret::of_size((bytes.size() + 2) / 3 * 4);
  const auto out = text.writable();
  for (std::size_t i = 0, o = 0; i < bytes.size(); i += 3, o += 4) {
    const auto group = byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
    for (std::size_t k = 0; k < 4; ++k) {
      out[o + k] = i + k > bytes.size() ? '=' : kAlphabet[group >> (18 - 6 * k) & 63];
    }
  }
  return text;
}

std::optional<memory::Secret> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  auto bytes = memory::Secret::of_size(text.size() / 4 * 3);
  const auto out = bytes.writable();
  for (std::size_t i = 0, o = 0; i < text.size(); i += 4, o += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const bool padded = i + k >= text.size() - padding;
      const auto value = padded ? std::int8_t{0} : kValues[static_cast<unsigned char>(text[i + k])];
      if (value < 0) return std::nullopt;
      group = group << 6 | static_cast<std::uint32_t>(value);
    }
    out[o] = static_cast<char>(group >> 16 & 255);
    out[o + 1] = static_cast<char>(group >> 8 & 255);
    out[o + 2] = static_cast<char>(group & 255);
  }
  bytes.shrink(bytes.size() - padding);
  return bytes;
}

}  // namespace injector::backend::vault
