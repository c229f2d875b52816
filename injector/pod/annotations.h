#pragma once

#include <span>
#include <string_view>

#include "injector/pod/policy.h"
#include "injector/pod/request.h"
#include "scanner/base/json.h"

namespace injector::pod {

inline constexpr std::string_view kDomain = "secret-injector.io/";
inline constexpr std::string_view kInject = "secret-injector.io/inject";  ///< The label.
inline constexpr std::string_view kStatus = "secret-injector.io/status";
inline constexpr std::string_view kInjected = "injected";
/// Before the name of a store: its certificates, written by us for the sidecar to read.
inline constexpr std::string_view kCaPrefix = "secret-injector.io/ca.";

/// One annotation of ours, as the README and the messages name it.
struct AnnotationHelp {
  std::string_view name;  ///< Without the domain; one that ends with '.' is followed by the name of a file.
  std::string_view type;
  std::string_view preset;  ///< What holds where it is absent.
  std::string_view example;
  std::string_view help;
};

/// All of them, in the order of the README.
std::span<const AnnotationHelp> annotations();

/// Reads secret-injector.io/* of a pod. Asks for something where the label `inject` is "true"; of another value than
/// "true" and "false" is a mistake. Strict: whatever is not in `annotations()` is a mistake, with what exists, and so
/// is everything that could only fail later: a template's grammar, a store that the policy does not have, a role that
/// it does not allow. Never quotes a value.
Asked read_annotations(const scanner::base::Json& pod, std::string_view pod_namespace, const Policy& policy);

}  // namespace injector::pod
