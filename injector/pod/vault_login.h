#pragma once

#include <nlohmann/json.hpp>

#include "injector/pod/request.h"
#include "injector/pod/vault_view.h"

namespace injector::pod {

/// How the pod reaches `policy` and logs in there: auth-type, auth-path, auth-config-*, role, namespace, tls-*,
/// ca-cert, client-*. Adds to `mounts` what the sidecar needs for it: tls-secret, agent-extra-secret, the cluster's
/// authority.
///
/// A file that nothing brings into the sidecar is a mistake here, and not an error in the pod.
StoreRequest vault_login(VaultView& view, const nlohmann::json& pod, const StorePolicy& policy,
                         std::vector<MountRequest>& mounts);

}  // namespace injector::pod
