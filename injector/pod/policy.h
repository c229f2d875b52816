#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/base/result.h"

/// What the operator allows, and what pods get unless they ask otherwise. The webhook and `secret-injector inject` read
/// the same file.
namespace injector::pod {

/// Whose certificates are believed. At most one of the first three is set; none: the authorities in the sidecar's
/// image.
struct Authority {
  std::string config_map;  ///< By this name in the namespace of each pod; kube-root-ca.crt is in all of them.
  std::string secret;      ///< Likewise.
  std::string pem;         ///< Itself; certificates only.
  std::string key = "ca.crt";
  friend bool operator==(const Authority&, const Authority&) = default;
};

/// One store that pods may use. Its name is what annotations say; everything that a pod's author must not choose (where
/// the token of the service account is sent to) stands here alone.
struct StorePolicy {
  enum class Provider : std::uint8_t { vault, openbao, aws };
  /// How pods log in to vault and openbao: by kubernetes and jwt with a token made for `audience`, by aws with the
  /// pod's AWS identity. Other ways need files, which only annotations of vault-k8s can name.
  enum class Login : std::uint8_t { kubernetes, jwt, aws };
  /// Where a pod's AWS identity comes from. automatic: what its containers already have; else a role's ARN, where there
  /// is one, by web identity; else whatever the platform gives.
  enum class Identity : std::uint8_t { automatic, irsa, pod_identity, none };

  std::string name;
  Provider provider = Provider::vault;

  std::vector<std::string> addresses;  ///< vault, openbao: of one cluster, as the sidecar's configuration has them.
  Authority ca;
  std::string server_name;
  Login login = Login::kubernetes;
  std::string auth_mount;           ///< Without "auth/". Empty: the login's own name.
  std::string audience = "vault";   ///< Of the token that is sent to it.
  std::string role;                 ///< Of pods that name none. Empty: they must. For aws: the ARN of a role.
  std::vector<std::string> roles;   ///< The roles that pods may name; empty: any.
  std::string space;                ///< Vault's namespace for pods that name none.
  std::string auth_space;           ///< That of the login; `space` when empty.
  std::vector<std::string> spaces;  ///< Other namespaces that pods may name.
  bool revoke = true;

  std::string region;  ///< aws: empty: the pod's.
  std::vector<std::string> failover_regions;
  std::string endpoint;
  std::string sts_endpoint;
  bool fips = false;
  bool dual_stack = false;
  Identity identity = Identity::automatic;

  std::vector<std::string> pod_namespaces;  ///< Kubernetes namespaces whose pods may use it; empty: all.

  [[nodiscard]] bool is_vault() const { return provider != Provider::aws; }
  friend bool operator==(const StorePolicy&, const StorePolicy&) = default;
};

/// Quantities as Kubernetes writes them; empty: not set.
struct Resources {
  std::string cpu_request, memory_request, storage_request;
  std::string cpu_limit, memory_limit, storage_limit;
  friend bool operator==(const Resources&, const Resources&) = default;
};

struct Policy {
  std::string image = "secret-injector:latest";
  std::vector<std::string>
      images;                     ///< Others that pods may name; one that ends with '*' stands for all that it begins.
  std::string image_pull_policy;  ///< Empty: the cluster's default.
  bool native_sidecar = true;     ///< false before Kubernetes 1.29: an init container, and a sidecar that takes over.

  std::vector<StorePolicy> stores;
  std::string default_store;  ///< For pods that name none. Empty: the only one; of several, pods must name theirs.

  bool vault_annotations = true;  ///< Whether vault.hashicorp.com/* and openbao.org/* are followed.
  /// tls-skip-verify of vault-k8s: refused; or accepted with a warning, and certificates are verified all the same, by
  /// the store's `ca`. There is no way to do without.
  enum class SkipVerify : std::uint8_t { refuse, verify_anyway };
  SkipVerify skip_verify = SkipVerify::refuse;
  bool container_patch = true;  ///< Whether agent-json-patch is followed, within what Pod Security *restricted* allows.

  std::string mount_path = "/run/secrets/app";
  std::string size_limit = "16Mi";  ///< Of the memory that files stand in: two generations of them.
  Resources resources{.cpu_request = "10m",
                      .memory_request = "32Mi",
                      .storage_request = {},
                      .cpu_limit = {},
                      .memory_limit = "96Mi",
                      .storage_limit = {}};
  std::int64_t user = 65532;  ///< What the sidecar runs as where its pod does not say who reads its files.
  std::int64_t group = 65532;
  std::chrono::seconds token_expiration{3600};  ///< Of projected tokens; Kubernetes takes 600 s at least.
  std::chrono::milliseconds refresh{std::chrono::minutes(5)};
  std::chrono::milliseconds start_jitter{0};
  std::string log_level = "info";
  std::string log_format = "json";

  [[nodiscard]] const StorePolicy* store(std::string_view name) const;  ///< Null when there is none.
  /// The store of vault or openbao at this address (a slash at its end is no difference); null when none is allowed.
  [[nodiscard]] const StorePolicy* store_at(std::string_view address) const;
  /// What a pod gets that names none: `default_store`, or the only store. Null when pods must say.
  [[nodiscard]] const StorePolicy* default_store_or_null() const;
  /// The same for annotations of vault-k8s (`preferred` vault) and openbao-k8s (openbao): the default store when it is
  /// of that provider; else the first store that is; else the default or the first of the other. Null when there is
  /// neither vault nor openbao.
  [[nodiscard]] const StorePolicy* default_vault_store(StorePolicy::Provider preferred) const;
  [[nodiscard]] bool allows_image(std::string_view image) const;

  friend bool operator==(const Policy&, const Policy&) = default;
};

/// The policy without a file: OpenBao and Vault at https://openbao.openbao.svc:8200 and https://vault.vault.svc:8200
/// with certificates of the cluster's own authority, and AWS with whatever identity the pod has; the default is
/// `vault`.
Policy default_policy();

/// Reads a policy: YAML or JSON. What it does not set is as in `default_policy`; `stores:` takes the place of all
/// three. `Errc::config` lists every mistake, one a line, with its line and key, and never quotes a value. Limits: as
/// injector::config::parse.
scanner::base::Result<Policy> parse_policy(std::string_view text, const std::string& name);

/// The same from a file; `Errc::io` when it cannot be read.
scanner::base::Result<Policy> load_policy(const std::string& path);

/// The JSON Schema of all that `parse_policy` takes.
std::string policy_schema();

}  // namespace injector::pod
