#pragma once

#include <vector>

#include "injector/config/config.h"
#include "injector/config/grammar.h"

namespace injector::config {

/// What stands under `stores:`: names, each with the settings of one kind of store.
Type<std::vector<Store>> stores();

}  // namespace injector::config
