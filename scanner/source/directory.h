#pragma once

#include <sys/stat.h>

#include <string>

#include "scanner/base/fd.h"
#include "scanner/base/result.h"

namespace scanner::source {

/// Opens `path` below `directory`, never outside of it: no "..", no absolute links, no magic links
/// (openat2, RESOLVE_BENEATH). `follow` says whether symbolic links within it are followed. Never blocks on a FIFO.
enum class Links : std::uint8_t { follow, refuse };
base::Result<base::Fd> open_beneath(int directory, const std::string& path, int flags, Links links);

}  // namespace scanner::source
