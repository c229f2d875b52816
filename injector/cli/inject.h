#pragma once

#include "injector/cli/environment.h"
#include "injector/cli/options.h"

namespace injector::cli {

/// `inject`: what the webhook would do to the pods of a file of manifests, done offline: for GitOps, for CI, and to see
/// it. Standard output has the manifests, the patches or a diff; standard error one line for each object that holds a
/// pod, and every warning and refusal with its file and line.
///
/// 0 when nothing is refused; 1, and nothing on standard output, when something is; 2 when the file or the policy
/// cannot be read.
int run_inject(const Options& options, const Environment& environment);

}  // namespace injector::cli
