#pragma once

#include "scanner/base/result.h"
#include "scanner/model/finding.h"
#include "scanner/model/limits.h"
#include "scanner/scan/assemble.h"
#include "scanner/scan/searcher.h"
#include "scanner/source/source.h"

namespace scanner::scan {

struct Options {
  unsigned jobs = 1;  ///< Units that are searched at the same time; each may use two threads more for its stages.
  Limits limits;
  Secrets secrets = Secrets::mask;
};

/// Searches everything that `source` gives, and fills the report's images, findings, coverage and ignored. Opens and
/// prints nothing. Owns every thread; they have ended when it returns.
///
/// `Errc::usage` or `Errc::unsupported` when the source says that there is nothing it was asked for. Any other trouble
/// of the source ends up in the report's coverage, beside what was found before it.
base::Result<void> run(source::Source& source, const Engine& engine, const RuleSet& rules, const Options& options,
                       Progress& progress, Report& report);

}  // namespace scanner::scan
