#pragma once

#include "injector/cli/environment.h"
#include "injector/cli/options.h"

namespace injector::cli {

/// `health`: asks the sidecar of this pod at its own address, by a plain socket: an exec probe runs every few seconds,
/// so this takes no library and few milliseconds. 0 when the answer is 200; 1 when it is another, or none in time.
/// With --wait it asks again until then: a startup probe that waits lets containers start at once, where one that is
/// asked every second lets them start up to a second late.
int run_probe(const Options& options, const Environment& environment);

}  // namespace injector::cli
