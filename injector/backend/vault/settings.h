#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "injector/memory/secret.h"
#include "injector/net/http.h"

namespace injector::backend::vault {

/// How the pod proves who it is. Credentials stand in files, and are read anew for every login: platforms rotate them.
struct KubernetesAuth {
  std::string mount = "kubernetes";  ///< Below auth/.
  std::string role{};
  std::string token_file = "/var/run/secrets/kubernetes.io/serviceaccount/token";
};

struct JwtAuth {
  std::string mount = "jwt";
  std::string role{};  ///< Empty: the mount's default role.
  std::string token_file{};
};

struct AppRoleAuth {
  /// What the file of the secret id holds. A response-wrapping token works once: the secret id is kept for later
  /// logins.
  enum class SecretId : std::uint8_t { none, plain, wrapped };
  std::string mount = "approle";
  std::string role_id_file{};
  std::string secret_id_file{};
  SecretId secret_id = SecretId::plain;
  /// What must have made a wrapped secret id; empty: "auth/MOUNT/role/", any role, "/secret-id".
  std::string creation_path{};
};

/// The TLS client certificate of the Http that is passed in.
struct CertAuth {
  std::string mount = "cert";
  std::string name{};  ///< Empty: whichever role the certificate fits.
};

/// Vault only. Needs an IdentitySigner.
struct AwsAuth {
  std::string mount = "aws";
  std::string role{};
  std::string server_id{};  ///< X-Vault-AWS-IAM-Server-ID, signed; empty: none.
};

/// A token that somebody else made and looks after; renewed when it can be, never revoked by us.
struct TokenFileAuth {
  std::string token_file{};
};

using Auth = std::variant<KubernetesAuth, JwtAuth, AppRoleAuth, CertAuth, AwsAuth, TokenFileAuth>;

/// One cluster and how to be there. TLS (CA, client certificate, server name) is the Http's.
struct Settings {
  std::vector<std::string> addresses;  ///< "https://bao-0.example:8200", all of one cluster; no path. At least one.
  std::string auth_space{};            ///< The namespace of the login; empty: the root namespace.
  std::string space{};                 ///< The namespace of secrets, unless a query names another.
  Auth auth;
  std::chrono::milliseconds timeout{10'000};      ///< For one request.
  std::chrono::milliseconds deadline{30'000};     ///< For a call with all its requests: login, probe, next address.
  std::chrono::seconds wrap{0};                   ///< Ask for reads to be wrapped for so long; zero: not.
  bool revoke = true;                             ///< Revoke our token (and its leases) at close.
  std::chrono::milliseconds login_first{1'000};   ///< The wait after a refused login, doubled each time...
  std::chrono::milliseconds login_most{300'000};  ///< ...up to this.
};

/// A GetCallerIdentity request to STS, signed with the pod's AWS credentials: whoever holds it can ask who we are.
struct SignedIdentity {
  std::string url{};
  std::string body{};
  std::vector<net::Header> headers;
};

/// Signs one that carries X-Vault-AWS-IAM-Server-ID when `server_id` is not empty. By cli, from the aws room.
using IdentitySigner = std::function<net::Task<SignedIdentity>(std::string server_id)>;

}  // namespace injector::backend::vault
