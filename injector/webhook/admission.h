#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "injector/pod/policy.h"

namespace injector::webhook {

/// How a review ended, as metrics and logs say it.
enum class Ending : std::uint8_t {
  patched,    ///< Allowed, with a patch.
  unchanged,  ///< Allowed; nothing was asked of us.
  denied,     ///< A pod asked for what it may not have, or wrongly.
  malformed,  ///< What came is no review that we read: 4xx.
  failed,     ///< A defect of ours: denied.
};
inline constexpr std::size_t kEndings = 5;
std::string_view to_string(Ending ending);

struct Admission {
  int status = 200;
  std::string body;  ///< JSON: an AdmissionReview with 200, a Status of meta/v1 otherwise.
  Ending ending = Ending::unchanged;
  /// For the log: of the request, never of its object. Each empty unless it is what Kubernetes would write: a UID, the
  /// name of a namespace, "Pod" or "other".
  std::string uid;
  std::string pod_namespace;
  std::string kind;
};

/// Answers one AdmissionReview. New pods go to pod::review; whatever else is sent here by a broad rule is allowed as it
/// is, with a warning when it is no pod. Pure; throws nothing but std::bad_alloc.
Admission admit(std::string_view body, const pod::Policy& policy);

}  // namespace injector::webhook
