#pragma once

#include <nlohmann/json.hpp>

#include <string_view>

#include "injector/pod/policy.h"
#include "injector/pod/request.h"

namespace injector::pod {

/// What the annotations of vault-k8s (vault.hashicorp.com/*) or openbao-k8s (openbao.org/*) ask for: the same trigger,
/// file names, paths, modes and content. vault-k8s.md says what differs, annotation by annotation.
///
/// Asks for something where agent-inject is true and agent-inject-status is not "injected", and never where the policy
/// does not follow these annotations. Both domains are read as one; the same name in both with different values is a
/// mistake.
///
/// What vault-k8s would do and we cannot is a mistake (of a class R annotation, or a value of another) or a warning; an
/// annotation that vault-k8s does not know is a warning, because it ignores those. Warnings have at most 120
/// characters. Nothing quotes a value.
Asked read_vault_annotations(const nlohmann::json& pod, std::string_view pod_namespace, const Policy& policy);

}  // namespace injector::pod
