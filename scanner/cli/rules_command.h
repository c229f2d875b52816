#pragma once

#include "scanner/cli/options.h"

namespace scanner::cli {

/// `scan-secrets rules list|show|check|test`. Returns the exit code.
int run_rules(const Options& options);

/// `scan-secrets baseline create REPORT`. Returns the exit code.
int run_baseline(const Options& options);

}  // namespace scanner::cli
