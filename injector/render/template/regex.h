#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "injector/render/template/pool.h"

namespace injector::render::templates {

/// A regular expression as Go reads it (RE2's syntax, leftmost-first), run in a time that is bounded by its size times
/// the text's. Of \p{...} only L, Lu, Ll and Nd are known.
class Regex {
 public:
  /// Stops when it is none.
  static Regex compile(std::string_view pattern);

  /// Where each group was found: begin and end, npos for one that had no part in it. Empty: no match at or after
  /// `from`.
  [[nodiscard]] std::vector<std::size_t> find(Pool& pool, std::string_view text, std::size_t from) const;
  /// By number, or by name; -1 when there is none.
  [[nodiscard]] int group(std::string_view name) const;

  static constexpr std::size_t kMostInstructions = 5'000;
  static constexpr std::size_t kMostStates = 64UL << 20;

 private:
  friend class RegexCompiler;
  enum class Op : std::uint8_t {
    set,
    split,
    jump,
    save,
    begin_text,
    end_text,
    begin_line,
    end_line,
    word,
    no_word,
    match
  };
  struct Range {
    char32_t first;
    char32_t last;
  };
  struct Instruction {
    Op op = Op::match;
    std::size_t x = 0;  ///< Where to go on first; of `save` its place.
    std::size_t y = 0;  ///< Then.
    std::vector<Range> ranges;
    bool negated = false;
    bool folds = false;  ///< Whether upper and lower case are one.
  };
  [[nodiscard]] static bool holds(const Instruction& set, char32_t rune);

  std::vector<Instruction> program_;
  std::size_t groups_ = 1;
  std::map<std::string, int, std::less<>> names_;
};

}  // namespace injector::render::templates
