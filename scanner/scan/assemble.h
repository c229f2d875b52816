#pragma once

#include <vector>

#include "scanner/model/finding.h"
#include "scanner/scan/outcome.h"

namespace scanner::scan {

/// Whether the report may hold raw secrets.
enum class Secrets : std::uint8_t { mask, show };

/// Makes findings out of what the units gave, now that it is known what they were: places get their image, layer and
/// state; the same secret in several places becomes one finding. Fills Report::images, findings, coverage and ignored.
/// Unless they are to be shown, secrets are masked wherever the report quotes the target, and dropped.
void assemble(const RuleSet& rules, source::Description description, std::vector<Outcome> outcomes, Secrets secrets,
              Report& report);

}  // namespace scanner::scan
