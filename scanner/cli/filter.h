#pragma once

#include <string>
#include <vector>

#include "scanner/base/result.h"
#include "scanner/cli/options.h"
#include "scanner/model/finding.h"

namespace scanner::cli {

/// Takes out of the report what the user does not want to hear of again: rules that are not enabled, findings that the
/// baseline or the ignore file names. Counts them. `warnings` gets what is odd about those files.
/// An ignore by place takes out that place; a finding goes when no place is left.
base::Result<void> filter_findings(const Options& options, const RuleSet& rules, Report& report,
                                   std::vector<std::string>& warnings);

/// The exit code that the report deserves.
int exit_code_of(const Options& options, const Report& report);

}  // namespace scanner::cli
