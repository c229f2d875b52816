#include "scanner/report/frame.h"

#include <algorithm>
#include <string>
#include <vector>

namespace scanner::report {
namespace {

constexpr unsigned kIndent = 4;
constexpr unsigned kNumberColumns = 5;

struct Marked {
  std::vector<Glyph> pieces;
  std::size_t begin = 0;  // pieces[begin, end) are the secret
  std::size_t end = 0;
};

// A range of pieces.
struct Window {
  std::size_t first = 0;
  std::size_t last = 0;
};

bool is_blank(const Glyph& piece) { return piece.text.find_first_not_of(' ') == std::string::npos; }

Marked marked(const Location& location, Charset charset) {
  std::string_view frame = location.frame;
  while (frame.ends_with('\n') || frame.ends_with('\r')) frame.remove_suffix(1);
  Marked out{.pieces = glyphs(frame, charset)};
  for (Glyph& piece : out.pieces) {
    if (frame[piece.offset] == '\t') piece = {.text = "  ", .columns = 2, .offset = piece.offset};
    if (piece.offset < location.mark_begin) ++out.begin;
    if (piece.offset < location.mark_end) ++out.end;
  }
  out.end = std::max(out.begin, out.end);
  const auto indented = static_cast<std::size_t>(
      std::ranges::find_if_not(out.pieces.begin(), out.pieces.begin() + static_cast<std::ptrdiff_t>(out.begin),
                               is_blank) -
      out.pieces.begin());
  out.pieces.erase(out.pieces.begin(), out.pieces.begin() + static_cast<std::ptrdiff_t>(indented));
  out.begin -= indented;
  out.end -= indented;
  return out;
}

// As much of the secret as `room` holds, then of what stands before it, then of what stands after it.
Window window(const Marked& line, unsigned room) {
  Window view{.first = line.begin, .last = line.begin};
  const auto grow_right = [&](std::size_t end) {
    while (view.last < end && line.pieces[view.last].columns <= room) room -= line.pieces[view.last++].columns;
  };
  const auto grow_left = [&](unsigned budget) {
    while (view.first > 0 && line.pieces[view.first - 1].columns <= budget) {
      budget -= line.pieces[--view.first].columns;
      room -= line.pieces[view.first].columns;
    }
  };
  grow_right(line.end);
  grow_left(room * 2 / 3);
  grow_right(line.pieces.size());
  grow_left(room);
  return view;
}

unsigned columns_of(const std::vector<Glyph>& pieces, std::size_t first, std::size_t last) {
  unsigned columns = 0;
  for (std::size_t i = first; i < last; ++i) columns += pieces[i].columns;
  return columns;
}

Span span_of(const std::vector<Glyph>& pieces, std::size_t first, std::size_t last, Ink ink) {
  std::string text;
  for (std::size_t i = first; i < last; ++i) text += pieces[i].text;
  return {text, columns_of(pieces, first, last), ink};
}

Line gutter(const Page& page, const std::string& number) {
  Line line;
  line.to(kIndent + kNumberColumns - std::min<unsigned>(kNumberColumns, static_cast<unsigned>(number.size())));
  return line.add(number, Ink::faint).add(" ").add(page.marks().gutter, Ink::faint).add(" ");
}

bool has_line_numbers(const Location& location) {
  return location.line != 0 && (location.entry.kind == Kind::file || location.entry.kind == Kind::attestation);
}

}  // namespace

void add_frame(Page& page, const Location& location, Ink ink) {
  if (location.frame.empty()) return;
  const Marked line = marked(location, page.charset());
  Line text = gutter(page, has_line_numbers(location) ? std::to_string(location.line) : "");
  Line carets = gutter(page, std::string(text.columns() - kIndent - 3, ' '));

  const Span ellipsis = own(page.marks().ellipsis, Ink::faint);
  const unsigned room = page.width() > text.columns() ? page.width() - text.columns() : 1;
  const bool fits = columns_of(line.pieces, 0, line.pieces.size()) <= room;
  const Window view = fits ? Window{.first = 0, .last = line.pieces.size()} : window(line, room - 2 * ellipsis.columns);
  const std::size_t end = std::min(line.end, view.last);

  if (view.first > 0) text.add(ellipsis);
  text.add(span_of(line.pieces, view.first, line.begin, Ink::plain));
  carets.to(text.columns());
  text.add(span_of(line.pieces, line.begin, end, ink)).add(span_of(line.pieces, end, view.last, Ink::plain));
  carets.add(std::string(columns_of(line.pieces, line.begin, end), '^'), ink);
  if (view.last < line.pieces.size()) text.add(ellipsis);
  page.add(text);
  if (end > line.begin) page.add(carets);
}

}  // namespace scanner::report
