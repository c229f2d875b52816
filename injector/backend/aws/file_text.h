#pragma once

#include <string>

#include "injector/memory/secret.h"
#include "scanner/base/result.h"

namespace injector::backend::aws {

/// A file of at most `limit` bytes, straight into the arena. `Errc::missing` when there is none, `Errc::io` when it
/// cannot be read, `Errc::limit` when it is larger; all name the path.
scanner::base::Result<memory::Secret> read_secret_file(const std::string& path, std::size_t limit);

}  // namespace injector::backend::aws
