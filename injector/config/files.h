#pragma once

#include "injector/config/config.h"
#include "injector/config/grammar.h"

namespace injector::config {

/// One of `files:`.
Type<FileSpec> file();

}  // namespace injector::config
