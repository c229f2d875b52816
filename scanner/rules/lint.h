#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/base/result.h"
#include "scanner/model/rule.h"
#include "scanner/rules/loader.h"

namespace scanner::rules {

/// What a regex's shape says about its speed and its exactness, without running it.
struct RegexShape {
  static constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

  /// Stands for a set of texts of which every match contains one, lower-case: the shortest of them. Empty: no such set
  /// is known. Small classes and short choices are spelled out, so gh[ps]_ gives "ghp_", one of two.
  std::string literal;
  /// How many texts are in that set: 1 means that every match contains `literal` itself.
  std::size_t literals = 0;
  std::uint64_t min_width = 0;    ///< Of a match, in bytes.
  std::uint64_t max_width = 0;    ///< kNoLimit when some repeat has no upper bound.
  bool terminated = false;        ///< Ends in \b, \B, $, \z, in fixed text, or in one byte that is no letter or digit.
  bool leading_optional = false;  ///< Starts with something that may be empty, such as [\w.-]{0,50}.
  std::uint32_t groups = 0;       ///< Capturing groups.
  Runs runs;
};

/// Errc::config when `regex` is not of the dialect of patterns/README.md; the message gives the byte position.
base::Result<RegexShape> shape_of(std::string_view regex);

/// A literal shorter than this slows the whole set down.
inline constexpr std::size_t kMinLiteral = 3;
/// A rule without such a literal must have keywords that are at least this long.
inline constexpr std::size_t kMinKeyword = 4;
/// Bytes of the widest match: windows overlap by more than that.
inline constexpr std::uint64_t kMaxWidth = 16'384;

/// Holds a built-in rule to what keeps the whole set fast and exact: a mandatory literal of kMinLiteral bytes (or else
/// keywords), a width of at most kMaxWidth, a terminator, exactly one capture group, no leading optional part, at least
/// one example that must match and one near miss, an id of the form <issuer>.<kind>, a title, a fix.
std::vector<Problem> lint(const Rule& rule);

}  // namespace scanner::rules
