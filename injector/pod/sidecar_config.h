#pragma once

#include <string>

#include "injector/pod/plan.h"
#include "scanner/base/result.h"

namespace injector::pod {

/// The configuration of the sidecar, as it stands in SECRET_INJECTOR_CONFIG: YAML, the same bytes for the same plan,
/// and read here by the sidecar's own parser before anybody gets it.
///
/// `Errc::config` where that parser says no (which it can only for what no check before has met), `Errc::limit` when it
/// is longer than kMostConfig: the kernel takes no longer variable.
scanner::base::Result<std::string> sidecar_config(const Plan& plan, const Request& request, const Policy& policy);

inline constexpr std::size_t kMostConfig = 120'000;

}  // namespace injector::pod
