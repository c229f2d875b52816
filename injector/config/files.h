#pragma once

#include "injector/config/config.h"
#include "injector/config/grammar.h"

namespace injector::config {

/// One of `files:`.
Type<FileSpec> file();

/// Whom the template of `file` asks, when it has one: sets `store` and `from`, or notes what is wrong with it.
bool settle_template(const Place& place, FileSpec& file, const Config& config);

}  // namespace injector::config
