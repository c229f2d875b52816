#pragma once

#include <memory>
#include <string>

#include "injector/backend/vault/cluster.h"
#include "injector/backend/vault/settings.h"

namespace injector::backend::vault {

/// Proves to a cluster who the pod is, by whichever auth the settings name. Every login reads its credentials anew.
class Login {
 public:
  /// `signer` is needed for AwsAuth alone.
  Login(std::shared_ptr<const Settings> settings, std::shared_ptr<Cluster> cluster, IdentitySigner signer);

  /// Errors: `away` for weather; `denied` when the server refuses (wrong, expired or unknown credentials; a wrapped
  /// secret id that somebody else made or opened); `config` when a credential file cannot be read or holds nothing.
  net::Task<Grant> grant(BootClock::time_point deadline);

  /// Tells whether the credential files are the same as they were: identity, size and time of each. Empty without any.
  [[nodiscard]] std::string stamp() const;

  /// Whether the token is ours to revoke: somebody else's is not.
  [[nodiscard]] bool ours() const { return !std::holds_alternative<TokenFileAuth>(settings_->auth); }

 private:
  net::Task<Grant> log_in(const KubernetesAuth& auth, BootClock::time_point deadline);
  net::Task<Grant> log_in(const JwtAuth& auth, BootClock::time_point deadline);
  net::Task<Grant> log_in(const AppRoleAuth& auth, BootClock::time_point deadline);
  net::Task<Grant> log_in(const CertAuth& auth, BootClock::time_point deadline);
  net::Task<Grant> log_in(const AwsAuth& auth, BootClock::time_point deadline);
  net::Task<Grant> log_in(const TokenFileAuth& auth, BootClock::time_point deadline);

  net::Task<Grant> post(std::string mount, memory::Secret body, BootClock::time_point deadline);
  net::Task<memory::Secret> secret_id(const AppRoleAuth& auth, BootClock::time_point deadline);
  net::Task<memory::Secret> unwrapped_secret_id(const AppRoleAuth& auth, BootClock::time_point deadline);

  std::shared_ptr<const Settings> settings_;
  std::shared_ptr<Cluster> cluster_;
  IdentitySigner signer_;
  memory::Secret wrapping_;   ///< The wrapping token that was opened last,
  memory::Secret secret_id_;  ///< and what was in it.
};

/// A file's content without white space at its ends, at most 64 KiB, into the arena at once. Errors name the path.
scanner::base::Result<memory::Secret> credential(const std::string& path);

}  // namespace injector::backend::vault
