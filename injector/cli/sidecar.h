#pragma once

#include "injector/cli/environment.h"
#include "injector/cli/options.h"

namespace injector::cli {

/// `run`: the sidecar. Ends by SIGTERM or SIGINT within shutdown.timeout and some milliseconds, with 0; a second signal
/// ends it at once. SIGHUP reads the configuration again: one that is wrong is told of and not taken, one that is the
/// same makes it look at every secret, and a store whose settings are the same keeps its login.
int run_sidecar(const Options& options, const Environment& environment);

/// `init`: everything once, within --timeout; 1 when a file could not be delivered. Gives its tokens back.
int run_init(const Options& options, const Environment& environment);

}  // namespace injector::cli
