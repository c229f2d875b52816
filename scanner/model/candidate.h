#pragma once

#include <cstddef>
#include <cstdint>

namespace scanner {

/// A stretch of a chunk, as offsets into it, where matches of rule number `rule` may lie: at least one is claimed to
/// end at `end`, more may end between, and none of those starts before `begin`. For a rule with a bound, `begin` is 0
/// or at least the rule's width before the first of those ends.
struct Candidate {
  std::uint32_t rule = 0;
  std::size_t begin = 0;
  std::size_t end = 0;
  /// The rule's width has no bound, so a match may start before `begin`. If judge confirms nothing here, that is a
  /// doubt to report and not a "no".
  bool unbounded = false;
};

}  // namespace scanner
