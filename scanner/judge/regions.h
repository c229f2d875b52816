#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "scanner/model/candidate.h"

namespace scanner::judge {

/// Where matches of one rule may lie: candidates that overlap or touch, merged.
struct Region {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t width = 0;  ///< Of its widest candidate.
  bool unbounded = false;
};

/// Replaces `out` by the regions of `candidates`, which are of one rule and ordered by end. In order, disjoint.
void merge(std::span<const Candidate> candidates, std::vector<Region>& out);

}  // namespace scanner::judge
