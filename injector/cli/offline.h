#pragma once

#include "injector/cli/environment.h"
#include "injector/cli/options.h"

namespace injector::cli {

/// `render`: a configuration and a file of values become the files, without network or mount: for who writes them, and
/// for CI. Values are JSON, {"store:path": what is there, ...}: an object's members are the keys, anything else is the
/// value itself. Files are written with 0600 beneath a directory that is empty, or to standard output.
int run_render(const Options& options, const Environment& environment);

}  // namespace injector::cli
