#pragma once

#include <string>
#include <vector>

#include "injector/pod/request.h"
#include "injector/pod/vault_view.h"

namespace injector::pod {

/// The files of a pod: one for each X of agent-inject-secret-X and agent-inject-template-X, in the order of their
/// names. They draw from `store`, a name of the policy; `directory` is that of the pod. What stands for a secret that
/// nothing else names is a warning, as vault-k8s ignores it.
std::vector<FileRequest> vault_files(VaultView& view, const std::string& store, const std::string& directory);

/// The folder of the files: secret-volume-path, or /vault/secrets.
std::string vault_directory(VaultView& view);

}  // namespace injector::pod
