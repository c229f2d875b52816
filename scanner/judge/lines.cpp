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
  const std::size_t last = std::min(bytes.size(), what.end + reach);
  Span found{first, last};
  const std::string_view before = bytes.substr(first, what.begin - first);
  std::size_t newline = before.rfind('\n');
  for (std::uint32_t left = more; left > 0 && newline != std::string_view::npos; --left) {
    newline = newline == 0 ? std::string_view::npos : before.rfind('\n', newline - 1);
  }
  if (newline != std::string_view::npos) found.begin = first + newline + 1;
  // What ends with a line's end does not stand in the line after it.
  const std::size_t start = what.empty() || bytes[what.end - 1] != '\n' ? what.end : what.end - 1;
  const std::string_view after = bytes.substr(start, last - start);
  newline = after.find('\n');
  for (std::uint32_t left = more; left > 0 && newline != std::string_view::npos; --left) {
    newline = after.find('\n', newline + 1);
  }
  if (newline != std::string_view::npos) found.end = std::max(start + newline, what.end);
  return found;
}

}  // namespace scanner::judge
