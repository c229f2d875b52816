#include "injector/memory/text.h"

#include <algorithm>
#include <utility>

namespace injector::memory {
namespace {

constexpr std::size_t kFirst = 256;

/// The letter after the backslash where JSON has a short form, else 0.
char short_escape(char byte) {
  switch (byte) {
    case '"':
      return '"';
    case '\\':
      return '\\';
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

}  // namespace

Text& Text::append(std::string_view bytes) {
  if (bytes_.size() - size_ < bytes.size()) {
    Secret larger = Secret::of_size(std::max({kFirst, 2 * bytes_.size(), size_ + bytes.size()}));
    std::ranges::copy(reveal(), larger.writable().begin());
    // `bytes` may be a part of this very text: copied before the old bytes end.
    std::ranges::copy(bytes, larger.writable().begin() + static_cast<std::ptrdiff_t>(size_));
    bytes_ = std::move(larger);
  } else {
    std::ranges::copy(bytes, bytes_.writable().begin() + static_cast<std::ptrdiff_t>(size_));
  }
  size_ += bytes.size();
  return *this;
}

Text& Text::append_json(std::string_view string) {
  constexpr std::string_view kHex = "0123456789abcdef";
  append('"');
  while (!string.empty()) {
    const auto stop = std::ranges::find_if(
        string, [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; });
    const auto plain = static_cast<std::size_t>(stop - string.begin());
    append(string.substr(0, plain));
    if (plain == string.size()) break;
    const char byte = string[plain];
    if (const char letter = short_escape(byte); letter != 0) {
      append('\\').append(letter);
    } else {
      const auto code = static_cast<unsigned char>(byte);
      append("\\u00").append(kHex[code >> 4U]).append(kHex[code & 15U]);
    }
    string.remove_prefix(plain + 1);
  }
  return append('"');
}

Secret Text::finish() {
  bytes_.shrink(size_);
  size_ = 0;
  return std::exchange(bytes_, Secret());
}

}  // namespace injector::memory
