#pragma once

#include <cstdint>
#include <vector>

#include "scanner/judge/judge.h"
#include "scanner/model/hit.h"

namespace scanner::judge {

/// A hit on its way to the verdict.
struct Record {
  Hit hit;
  bool ignored = false;  ///< By an inline comment. Still a companion, and generic rules still give way to it.
  /// Of a generic rule: numbers of hits on the same line, of rules that are not, whose secret contains this one's.
  std::vector<std::uint32_t> inside;
};

/// Applies what needs all hits of an entry: companions, rules that are not reported, generic rules giving way, inline
/// comments. Adds hits and the count of ignored ones to `verdict`.
void settle(std::vector<Record>& records, const Judge::Impl& judge, Verdict& verdict);

}  // namespace scanner::judge
