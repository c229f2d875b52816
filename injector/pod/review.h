#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scanner/base/json.h"

/// What is done to a pod that asks for secrets. Pure: no clock, no file, no network, no randomness.
namespace injector::pod {

struct Policy;

struct Verdict {  // NOLINT(bugprone-exception-escape): nlohmann::json checks itself when it is moved.
  bool allowed = true;
  std::string message;  ///< Why not, and how to mend it; one sentence for each mistake. Empty when allowed.
  std::vector<std::string> warnings;  ///< For the one who applied the object; each at most 120 characters.
  scanner::base::Json patch;          ///< RFC 6902, `add` alone; an empty array when nothing is to be done.
};

/// `pod` is the object of an AdmissionReview, or the template of a workload. The same three arguments give the same
/// bytes; a pod that was patched gives an empty patch. Throws nothing; whatever is malformed is a refusal that names
/// the field and never its content.
Verdict review(const scanner::base::Json& pod, std::string_view pod_namespace, const Policy& policy);

}  // namespace injector::pod
