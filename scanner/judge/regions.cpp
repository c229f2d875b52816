#include "scanner/judge/regions.h"

#include <algorithm>

namespace scanner::judge {

void merge(std::span<const Candidate> candidates, std::vector<Region>& out) {
  out.clear();
  for (const Candidate& candidate : candidates) {
    Region region{candidate.begin, candidate.end, candidate.end - candidate.begin, candidate.unbounded};
    // A wide candidate can reach back over several regions that were apart until now.
    while (!out.empty() && out.back().end >= region.begin) {
      region.begin = std::min(region.begin, out.back().begin);
      region.width = std::max(region.width, out.back().width);
      region.unbounded = region.unbounded || out.back().unbounded;
      out.pop_back();
    }
    out.push_back(region);
  }
}

}  // namespace scanner::judge
