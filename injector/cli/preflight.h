#pragma once

#include "injector/cli/environment.h"
#include "injector/cli/options.h"

namespace injector::cli {

/// `check`: whether the sidecar would work here, told before it has to: configuration, mount, memory, swap, and every
/// store as its backend's check() sees it. Reads no value and writes nothing. A table, or JSON; 1 when anything failed.
int run_check(const Options& options, const Environment& environment);

}  // namespace injector::cli
