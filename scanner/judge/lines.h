#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "scanner/judge/span.h"
#include "scanner/model/chunk.h"

namespace scanner::judge {

/// A line and a byte column, both from 1.
struct Position {
  std::uint64_t line = 1;
  std::uint64_t column = 1;
};

/// Counts lines through a chunk, once, for places that are asked for in ascending order.
class LineCounter {
 public:
  explicit LineCounter(const Chunk& chunk);

  Position at(std::size_t place);
  /// The position of `place`, which lies at or after the last one asked of `at`, without moving on.
  [[nodiscard]] Position beyond(std::size_t place) const;

 private:
  std::string_view bytes_;
  std::size_t place_ = 0;
  Position position_;
};

/// The lines that `what` stands in and `more` lines above and below, without the last line's end, and at most `reach`
/// bytes to each side of `what`.
Span lines_around(std::string_view bytes, Span what, std::uint32_t more, std::size_t reach);

}  // namespace scanner::judge
