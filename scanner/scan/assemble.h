#pragma once

#include <vector>

#include "scanner/model/finding.h"
#include "scanner/scan/outcome.h"

namespace scanner::scan {

/// Makes findings out of what the units gave, now that it is known what they were: places get their image, layer and
/// state; the same secret in several places becomes one finding. Fills Report::images, findings, coverage and ignored.
void assemble(const RuleSet& rules, source::Description description, std::vector<Outcome> outcomes, Report& report);

}  // namespace scanner::scan
