#pragma once

#include "injector/cli/environment.h"
#include "injector/cli/options.h"

namespace injector::cli {

/// `demo`: the real sidecar on a directory of made-up values and a tmpfs of its own, with a reader beside it and
/// rotations meanwhile; then everything is gone again. Takes three seconds and touches no network.
int run_demo(const Options& options, const Environment& environment);

}  // namespace injector::cli
