#pragma once

#include "scanner/base/fd.h"
#include "scanner/base/result.h"

namespace scanner::cli {

/// A docker-archive in memory, small and leaky: a token in a file, one deleted by a later layer, one in ENV, one in a
/// build argument. The secrets are made up when it is called, so that the program itself holds none; the same every
/// time.
base::Result<base::Fd> demo_image();

}  // namespace scanner::cli
