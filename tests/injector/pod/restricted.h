#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace injector::pod {

/// What of a pod the Pod Security Standard *restricted* (with all of *baseline*, as Kubernetes 1.37 documents them)
/// forbids; empty when nothing. Written from the standard, and knows nothing of the injector.
std::vector<std::string> restricted_violations(const nlohmann::json& pod);

}  // namespace injector::pod
