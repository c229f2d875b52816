#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/report/formats.h"
#include "scanner/report/harmless.h"

namespace scanner::report {

/// The 16-colour palette, by meaning. Colour never says anything that a word does not say too.
enum class Ink : std::uint8_t { plain, strong, faint, critical, high, medium, low, good };

/// The marks of the text report, for the reader's character set.
struct Marks {
  std::string_view critical, high, medium, low, none, gutter, rule, good, bad, part, dot, dash, ellipsis, corner;
};

const Marks& marks(Charset charset);
Charset charset(const Style& style);

/// A piece of a line. Made from our own words or from scanned bytes, and harmless either way.
struct Span {
  std::string text;
  unsigned columns = 0;
  Ink ink = Ink::plain;
};

/// Our own words: ASCII, or what `marks` gives.
Span own(std::string_view words, Ink ink = Ink::plain);

/// Anything that comes from a target, a rule file or the command line. What is longer than `columns` loses its end,
/// or its middle, to an ellipsis.
Span scanned(std::string_view bytes, Charset charset, Ink ink = Ink::plain);
Span cut(std::string_view bytes, Charset charset, unsigned columns, Ink ink = Ink::plain);
Span cut_middle(std::string_view bytes, Charset charset, unsigned columns, Ink ink = Ink::plain);

/// One line of the report.
class Line {
 public:
  Line& add(const Span& span);
  Line& add(std::string_view words, Ink ink = Ink::plain) { return add(own(words, ink)); }
  /// Spaces up to `column`; none when the line is there already.
  Line& to(unsigned column);

  [[nodiscard]] unsigned columns() const;
  [[nodiscard]] const std::vector<Span>& spans() const { return spans_; }

 private:
  std::vector<Span> spans_;
};

/// `label` at `indent`, and what follows it at `column`.
Line labelled(std::string_view label, unsigned indent, unsigned column);

/// The text report while it is written.
class Page {
 public:
  explicit Page(const Style& style);

  void add(const Line& line);
  void blank();
  /// Items with a dot between them, `head` before the first; a new line, indented by head's columns, where the next
  /// item would not fit. An item is never broken: only one that is too long by itself runs over. Empty ones are left
  /// out.
  void flow(const Line& head, std::span<const Span> items);
  /// Words, wrapped. A word that is longer than a line is cut.
  void prose(const Line& head, std::string_view text, Ink ink = Ink::plain);

  [[nodiscard]] unsigned width() const { return width_; }
  /// Whether the reader wants every finding, place and skip, not only the first ones.
  [[nodiscard]] bool shows_all() const { return all_; }
  /// How many of `count` to show when `some` is enough for a reader who does not want all.
  [[nodiscard]] std::size_t shown_of(std::size_t count, std::size_t some) const {
    return all_ ? count : std::min(count, some);
  }
  [[nodiscard]] Charset charset() const { return charset_; }
  [[nodiscard]] const Marks& marks() const { return report::marks(charset_); }
  /// " · "
  [[nodiscard]] Span separator() const;
  /// Scanned bytes as an item of a flow: cut to a line.
  [[nodiscard]] Span item(std::string_view bytes, Ink ink = Ink::plain) const;
  /// A path as an item of a flow: whole, even when it is longer than a line.
  [[nodiscard]] Span path(std::string_view bytes, Ink ink = Ink::plain) const;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void put(const Line& head, std::span<const Span> items, const Span& separator);

  bool color_;
  bool all_;
  Charset charset_;
  unsigned width_;
  std::string text_;
};

}  // namespace scanner::report
