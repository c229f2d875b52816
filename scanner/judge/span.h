#pragma once

#include <cstddef>
#include <string_view>

namespace scanner::judge {

/// Some bytes of a text, by offset. Empty when both ends are equal.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;

  [[nodiscard]] std::size_t size() const { return end - begin; }
  [[nodiscard]] bool empty() const { return begin >= end; }
  [[nodiscard]] std::string_view of(std::string_view text) const { return text.substr(begin, size()); }
};

}  // namespace scanner::judge
