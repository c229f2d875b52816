#pragma once

#include <string>

#include "injector/pod/plan.h"

namespace injector::pod {

/// The operations that make of `pod` what `plan` says: `add` alone, lists and objects that are not there made first,
/// nothing replaced, every bit in a fixed order. `config` is what sidecar_config() made. A request's container_patch is
/// applied to the sidecar's container alone, and what comes out must hold to Pod Security *restricted*: mistakes of it
/// go to `asked`.
scanner::base::Json make_patch(const scanner::base::Json& pod, const Plan& plan, const Policy& policy,
                               const std::string& config, Asked& asked);

}  // namespace injector::pod
