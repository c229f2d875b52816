#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scanner/model/rule.h"
#include "scanner/rules/loader.h"

namespace scanner::rules {

/// What a regex's shape says about its speed and its exactness, without running it.
struct RegexShape {
  /// Longest text that every match contains, lower-case. Empty: none.
  std::string literal;
  bool unbounded = false;       ///< Some repeat has no upper bound.
  bool terminated = false;      ///< Ends in \b, \B, $, \z or a group that consumes a boundary, or in fixed text.
  bool leading_optional = false;  ///< Starts with something that may be empty, such as [\w.-]{0,50}.
  std::uint32_t groups = 0;     ///< Capturing groups.
};

/// Errc::config when `regex` is not of the dialect of patterns/README.md; the message gives the byte position.
base::Result<RegexShape> shape_of(std::string_view regex);

/// Holds a built-in rule to what keeps the whole set fast and exact: a mandatory literal of at least 3 bytes (4 where
/// it can be had), bounded repeats, a terminator, exactly one capture group, no leading optional part, at least one
/// example that must match and one near miss, a title, a fix.
std::vector<Problem> lint(const Rule& rule);

}  // namespace scanner::rules
