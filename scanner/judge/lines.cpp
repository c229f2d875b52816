#include "scanner/judge/lines.h"

#include <algorithm>

#include "scanner/base/check.h"

namespace scanner::judge {
namespace {

Position advance(Position position, std::string_view text) {
  for (std::size_t newline = text.find('\n'); newline != std::string_view::npos; newline = text.find('\n')) {
    ++position.line;
    position.column = 1;
    text.remove_prefix(newline + 1);
  }
  position.column += text.size();
  return position;
}

}  // namespace

LineCounter::LineCounter(const Chunk& chunk) : bytes_(chunk.bytes), position_{chunk.line, chunk.column} {}

Position LineCounter::at(std::size_t place) {
  position_ = beyond(place);
  place_ = place;
  return position_;
}

Position LineCounter::beyond(std::size_t place) const {
  SCANNER_CHECK(place >= place_);
  return advance(position_, bytes_.substr(place_, place - place_));
}

Span lines_around(std::string_view bytes, Span what, std::uint32_t more, std::size_t reach) {
  const std::size_t first = what.begin - std::min(what.begin, reach);
  Span found{first, std::min(bytes.size(), what.end + reach)};
  std::uint32_t left = more;
  for (std::size_t i = what.begin; i > first; --i) {
    if (bytes[i - 1] == '\n' && left-- == 0) {
      found.begin = i;
      break;
    }
  }
  left = more;
  // What ends with a line's end does not stand in the line after it.
  const std::size_t start = what.empty() || bytes[what.end - 1] != '\n' ? what.end : what.end - 1;
  for (std::size_t i = start; i < found.end; ++i) {
    if (bytes[i] == '\n' && left-- == 0) {
      found.end = std::max(i, what.end);
      break;
    }
  }
  return found;
}

}  // namespace scanner::judge
