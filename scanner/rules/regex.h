#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/base/result.h"
#include "scanner/rules/byte_set.h"

namespace scanner::rules {

/// A regex of the dialect of patterns/README.md (Go's RE2 syntax, on bytes), taken apart.
struct Regex {
  static constexpr std::uint32_t kNoLimit = std::numeric_limits<std::uint32_t>::max();

  /// Groups and flags leave no node: a group is its content.
  struct Node {
    enum class Kind : std::uint8_t { nothing, start, end, boundary, set, sequence, choice, repeat };
    Kind kind = Kind::nothing;
    ByteSet bytes;               ///< Of a `set`: one byte out of these.
    std::uint32_t min = 0;       ///< Of a `repeat`.
    std::uint32_t max = 0;       ///< Of a `repeat`; kNoLimit when it has none.
    std::vector<Node> children;  ///< Of a `sequence` or `choice`; the one child of a `repeat`.
  };

  Node root;
  /// The same regex in plain ASCII, as Hyperscan and PCRE2 both read it without options. Taken apart again, it gives
  /// itself.
  std::string text;
  std::uint32_t groups = 0;  ///< Capturing groups.
};

/// `Errc::config` when it is not of the dialect; the message ends in the byte position, from 0. The limits on length
/// (16'000 bytes), nesting (200) and repeats (30'000) are a little below those of the engines.
base::Result<Regex> parse_regex(std::string_view regex);

}  // namespace scanner::rules
