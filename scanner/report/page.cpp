#include "scanner/report/page.h"

#include <algorithm>
#include <array>
#include <utility>

namespace scanner::report {
namespace {

constexpr unsigned kNarrowest = 60;
constexpr unsigned kWidestHead = 21;
constexpr unsigned kLongestPath = 4096;  // What a file system takes.

constexpr Marks kUtf8 = {.critical = "●",
                         .high = "▲",
                         .medium = "◆",
                         .low = "○",
                         .none = "·",
                         .gutter = "│",
                         .rule = "─",
                         .good = "✓",
                         .bad = "✗",
                         .part = "!",
                         .dot = "·",
                         .dash = "–",
                         .ellipsis = "…",
                         .corner = "└"};

constexpr Marks kAscii = {.critical = "#",
                          .high = "^",
                          .medium = "+",
                          .low = "o",
                          .none = ".",
                          .gutter = "|",
                          .rule = "-",
                          .good = "=",
                          .bad = "x",
                          .part = "!",
                          .dot = "-",
                          .dash = "-",
                          .ellipsis = "...",
                          .corner = "`-"};

std::string_view sgr(Ink ink) {
  static constexpr std::array<std::string_view, 8> kCodes = {"", "1", "2", "1;31", "31", "33", "36", "32"};
  return kCodes[static_cast<std::size_t>(ink)];
}

unsigned columns_of(std::span<const Glyph> pieces) {
  unsigned columns = 0;
  for (const Glyph& piece : pieces) columns += piece.columns;
  return columns;
}

std::string text_of(std::span<const Glyph> pieces) {
  std::string text;
  for (const Glyph& piece : pieces) text += piece.text;
  return text;
}

// As many pieces from the front as `columns` can hold.
std::size_t fitting(std::span<const Glyph> pieces, unsigned columns) {
  std::size_t count = 0;
  while (count < pieces.size() && pieces[count].columns <= columns) columns -= pieces[count++].columns;
  return count;
}

std::size_t fitting_from_back(std::span<const Glyph> pieces, unsigned columns) {
  std::size_t count = 0;
  while (count < pieces.size() && pieces[pieces.size() - 1 - count].columns <= columns) {
    columns -= pieces[pieces.size() - 1 - count++].columns;
  }
  return count;
}

Span shortened(std::string_view bytes, Charset charset, unsigned columns, unsigned tail, Ink ink) {
  const std::vector<Glyph> pieces = glyphs(bytes, charset);
  const unsigned whole = columns_of(pieces);
  if (whole <= columns) return {text_of(pieces), whole, ink};
  const Span ellipsis = own(marks(charset).ellipsis);
  const unsigned room = columns > ellipsis.columns ? columns - ellipsis.columns : 0;
  const std::span<const Glyph> all(pieces);
  const auto back = all.last(fitting_from_back(all, std::min(tail, room)));
  const auto front = all.first(fitting(all, room - columns_of(back)));
  return {text_of(front) + ellipsis.text + text_of(back), columns_of(front) + ellipsis.columns + columns_of(back), ink};
}

}  // namespace

const Marks& marks(Charset charset) { return charset == Charset::utf8 ? kUtf8 : kAscii; }

Charset charset(const Style& style) { return style.utf8 ? Charset::utf8 : Charset::ascii; }

Span own(std::string_view words, Ink ink) {
  const auto begins_character = [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; };
  return {std::string(words), static_cast<unsigned>(std::ranges::count_if(words, begins_character)), ink};
}

Span scanned(std::string_view bytes, Charset charset, Ink ink) {
  const std::vector<Glyph> pieces = glyphs(bytes, charset);
  return {text_of(pieces), columns_of(pieces), ink};
}

Span cut(std::string_view bytes, Charset charset, unsigned columns, Ink ink) {
  return shortened(bytes, charset, columns, 0, ink);
}

Span cut_middle(std::string_view bytes, Charset charset, unsigned columns, Ink ink) {
  return shortened(bytes, charset, columns, columns * 2 / 3, ink);
}

Line& Line::add(const Span& span) {
  if (!span.text.empty()) spans_.push_back(span);
  return *this;
}

Line& Line::to(unsigned column) {
  const unsigned now = columns();
  return column > now ? add(std::string(column - now, ' ')) : *this;
}

unsigned Line::columns() const {
  unsigned columns = 0;
  for (const Span& span : spans_) columns += span.columns;
  return columns;
}

Line labelled(std::string_view label, unsigned indent, unsigned column) {
  Line line;
  return line.to(indent).add(label, Ink::faint).to(column);
}

Page::Page(const Style& style)
    : color_(style.color),
      all_(style.all),
      charset_(report::charset(style)),
      width_(std::max(style.width, kNarrowest)) {}

void Page::add(const Line& line) {
  for (const Span& span : line.spans()) {
    const std::string_view code = sgr(span.ink);
    if (color_ && !code.empty()) {
      text_.append("\x1b[").append(code).append("m").append(span.text).append("\x1b[0m");
    } else {
      text_ += span.text;
    }
  }
  text_.erase(text_.find_last_not_of(' ') + 1);
  text_ += '\n';
}

void Page::blank() { text_ += '\n'; }

void Page::put(const Line& head, std::span<const Span> items, const Span& separator) {
  const unsigned indent = head.columns();
  Line line = head;
  bool first = true;
  for (const Span& item : items) {
    if (item.text.empty()) continue;
    if (!first && line.columns() + separator.columns + item.columns > width_) {
      add(line);
      line = Line().to(indent);
      first = true;
    }
    if (!first) line.add(separator);
    line.add(item);
    first = false;
  }
  add(line);
}

void Page::flow(const Line& head, std::span<const Span> items) { put(head, items, separator()); }

void Page::prose(const Line& head, std::string_view text, Ink ink) {
  static constexpr std::string_view kSpace = " \t\n\v\f\r";
  const unsigned room = width_ > head.columns() ? width_ - head.columns() : 1;
  std::vector<Span> words;
  for (std::size_t at = text.find_first_not_of(kSpace); at != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kSpace, at), text.size());
    words.push_back(cut(text.substr(at, end - at), charset_, room, ink));
    at = text.find_first_not_of(kSpace, end);
  }
  put(head, words, own(" "));
}

Span Page::separator() const { return own(std::string(" ").append(marks().dot).append(" "), Ink::faint); }

Span Page::item(std::string_view bytes, Ink ink) const {
  return cut_middle(bytes, charset_, width_ - kWidestHead, ink);
}

Span Page::path(std::string_view bytes, Ink ink) const { return cut_middle(bytes, charset_, kLongestPath, ink); }

}  // namespace scanner::report
