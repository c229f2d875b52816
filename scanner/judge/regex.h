#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "scanner/judge/span.h"

namespace scanner::judge {

/// One regex of a rule file, compiled by PCRE2 when it is first needed, by whichever thread comes first. Bytes, not
/// UTF-8: `\w`, `\b` and `(?i)` are ASCII; `.` leaves out only "\n"; `$` is the very end.
class Regex {
 public:
  /// Borrows `source`. `groups_needed`: the regex must have so many capture groups.
  explicit Regex(std::string_view source, std::uint32_t groups_needed = 0);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  /// Empty when it compiles; otherwise why not.
  [[nodiscard]] const std::string& problem() const;

 private:
  friend class Search;
  struct Code;
  const Code& code() const;

  std::string_view source_;
  std::uint32_t groups_needed_;
  mutable std::once_flag once_;
  mutable std::unique_ptr<Code> code_;
};

/// Runs regexes, within limits on time, depth and memory. One thread at a time.
class Search {
 public:
  Search();
  Search(Search&&) noexcept;
  ~Search();

  enum class Answer : std::uint8_t {
    match,  ///< `group` tells where.
    none,
    open,       ///< It depends on what follows the subject, for the attempt that starts at `group(0).begin`.
    undecided,  ///< A limit was reached, or the regex does not compile: see `reason`.
  };
  /// What the subject's last byte is.
  enum class Edge : std::uint8_t {
    end,  ///< The end of the text, or so far that no attempt which counts gets there.
    cut,  ///< Something follows. Whatever would look there, be it for `$`, `\b` or one more repeat, makes it `open`.
  };

  /// The leftmost match that is not empty and starts at `from` or after it. What stands before `from` is context.
  Answer find(const Regex& regex, std::string_view subject, std::size_t from, Edge edge, bool subject_is_first = true);

  /// Whether `regex` matches anywhere in `text`, which is whole. `none` and `undecided` as above.
  Answer test(const Regex& regex, std::string_view text);

  /// Of the last match; group 0 is all of it. Empty for a group that took no part.
  [[nodiscard]] Span group(std::uint32_t number) const;
  /// How many groups the last match has, group 0 included.
  [[nodiscard]] std::uint32_t groups() const;
  /// Why the last answer was `undecided`; holds nothing of the subject.
  [[nodiscard]] const std::string& reason() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace scanner::judge
