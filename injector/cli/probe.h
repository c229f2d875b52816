#pragma once

#include "injector/cli/environment.h"
#include "injector/cli/options.h"

namespace injector::cli {

/// `health`: asks the sidecar of this pod at its own address, by a plain socket: an exec probe runs every few seconds,
/// so this takes no library and few milliseconds. 0 when the answer is 200; 1 when it is another, or none in time.
int run_probe(const Options& options, const Environment& environment);

}  // namespace injector::cli
