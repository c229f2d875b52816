#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "injector/config/yaml.h"
#include "injector/model/file_spec.h"
#include "scanner/base/result.h"

namespace injector::config {

/// How a vault store logs in: exactly one of these. What is secret stands in a file, read again for each login.
struct KubernetesAuth {
  std::string role;
  std::string mount = "kubernetes";
  std::string token_file = "/var/run/secrets/kubernetes.io/serviceaccount/token";
  friend bool operator==(const KubernetesAuth&, const KubernetesAuth&) = default;
};
struct JwtAuth {
  std::string role;  ///< Empty: the mount's default role.
  std::string mount = "jwt";
  std::string token_file;
  friend bool operator==(const JwtAuth&, const JwtAuth&) = default;
};
struct AppRoleAuth {
  std::string mount = "approle";
  std::string role_id_file;
  std::string secret_id_file;      ///< Empty where the role asks for none.
  bool secret_id_wrapped = false;  ///< The file holds a wrapping token, good for one use.
  std::string creation_path;       ///< What wrapped it must have been this; set when `secret_id_wrapped`.
  friend bool operator==(const AppRoleAuth&, const AppRoleAuth&) = default;
};
struct CertAuth {
  std::string name;  ///< Empty: the server finds the role.
  std::string mount = "cert";
  friend bool operator==(const CertAuth&, const CertAuth&) = default;
};
struct AwsAuth {
  std::string role;
  std::string mount = "aws";
  std::string region;  ///< Of the STS endpoint that is signed for; empty: the pod's.
  std::string header;  ///< X-Vault-AWS-IAM-Server-ID.
  friend bool operator==(const AwsAuth&, const AwsAuth&) = default;
};
struct TokenFileAuth {
  std::string path;
  friend bool operator==(const TokenFileAuth&, const TokenFileAuth&) = default;
};
using VaultAuth = std::variant<KubernetesAuth, JwtAuth, AppRoleAuth, CertAuth, AwsAuth, TokenFileAuth>;

/// The wait after a login was refused: `first`, doubled each time, at most `most`.
struct LoginBackoff {
  std::chrono::milliseconds first{1'000};
  std::chrono::milliseconds most{300'000};
  friend bool operator==(const LoginBackoff&, const LoginBackoff&) = default;
};

/// HashiCorp Vault or OpenBao.
struct VaultStore {
  /// "https://host:port", of one cluster, tried in order. Without a path, a query or user information; http only for
  /// loopback.
  std::vector<std::string> addresses;
  std::string space;       ///< `namespace`: of the secrets. Empty: the root.
  std::string auth_space;  ///< `auth_namespace`: of the login; `space` unless set.
  std::string ca_file;     ///< Empty, and `ca_dir` too: the system's authorities.
  std::string ca_dir;
  std::string server_name;       ///< The name that the certificate must have, when it is not the address's.
  std::string client_cert_file;  ///< Set together with `client_key_file`.
  std::string client_key_file;
  VaultAuth auth;
  std::string proxy;  ///< "http://host:port", which https goes through by CONNECT; empty: none.
  LoginBackoff login_backoff;
  std::chrono::milliseconds timeout{10'000};  ///< Of one request.
  bool revoke = true;  ///< Revoke our token at exit. Never for a `token_file`, whose token is not ours.

  friend bool operator==(const VaultStore&, const VaultStore&) = default;
};

/// AWS Secrets Manager. What is absent here comes from the platform (AWS_REGION...).
struct AwsStore {
  enum class Source : std::uint8_t { environment, web_identity, profile, container, instance };
  std::string region;
  std::vector<std::string> failover_regions;
  std::string endpoint;      ///< In the place of the region's own; https, or http for loopback.
  std::string sts_endpoint;  ///< Likewise, for STS.
  std::string ca_file;
  bool fips = false;
  bool dual_stack = false;
  std::string role_arn;
  std::string role_session_name;
  std::string web_identity_token_file;
  std::string profile;
  /// Where credentials are looked for, in this order.
  std::vector<Source> credentials = {Source::environment, Source::web_identity, Source::profile, Source::container,
                                     Source::instance};
  std::chrono::milliseconds timeout{10'000};  ///< Of one request.

  friend bool operator==(const AwsStore&, const AwsStore&) = default;
};

/// A directory of values, for development and the quick start.
struct DirectoryStore {
  std::string directory;
  friend bool operator==(const DirectoryStore&, const DirectoryStore&) = default;
};

struct Store {
  std::string name;
  std::variant<VaultStore, AwsStore, DirectoryStore> kind;
  friend bool operator==(const Store&, const Store&) = default;
};

struct Health {
  std::string host = "0.0.0.0";  ///< An address, never a name: the kubelet asks at the pod's.
  std::uint16_t port = 9909;     ///< 0: no server (`listen: none`).
  friend bool operator==(const Health&, const Health&) = default;
};

/// A server on loopback that ends the sidecar by POST /agent/v1/quit, as the agent of Vault does.
struct Quit {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0: no server.
  friend bool operator==(const Quit&, const Quit&) = default;
};

struct Log {
  enum class Level : std::uint8_t { debug, info, warn, error };
  enum class Format : std::uint8_t { automatic, json, text };  ///< automatic: text where a person looks on.
  Level level = Level::info;
  Format format = Format::automatic;
  friend bool operator==(const Log&, const Log&) = default;
};

struct Shutdown {
  bool remove_files = false;
  std::chrono::milliseconds timeout{1'500};  ///< For all of it: SIGTERM ends in under 2 s.
  friend bool operator==(const Shutdown&, const Shutdown&) = default;
};

/// What the sidecar is to do. Checked whole: stores that files name exist, no path stands in another's way.
struct Config {
  std::string mount;  ///< Absolute.
  std::chrono::milliseconds refresh{std::chrono::minutes(5)};
  std::chrono::milliseconds start_jitter{0};  ///< A random wait up to this before the first fetch.
  /// Ends with 1 when not everything was delivered within this time of the start; 0: goes on trying.
  std::chrono::milliseconds start_timeout{0};
  std::vector<Store> stores;
  std::vector<FileSpec> files;
  Requirements require;
  Health health;
  Quit quit;
  Log log;
  Shutdown shutdown;

  [[nodiscard]] const Store* store(std::string_view name) const;  ///< Null when there is none.

  friend bool operator==(const Config&, const Config&) = default;
};

/// Reads a configuration: one YAML document, or JSON, which is YAML. `name` stands for the text in messages.
///
/// `Errc::config` lists every mistake, one a line: "config.yaml:12: files[1].mode: must be ...". Messages name keys and
/// never quote a value: somebody may have put a secret there. Refused: unknown and duplicate keys, anchors, aliases,
/// tags, a second document, keys that ask for a secret itself (token, password, secret_id...). Limits: 1 MiB of text,
/// nesting of 32, 100 mistakes.
scanner::base::Result<Config> parse(std::string_view text, const std::string& name);

/// The same of a document that was read already; its lines are those of the messages.
scanner::base::Result<Config> parse(const Node& root, const std::string& name);

/// The same from a file, `Errc::io` when it cannot be read.
scanner::base::Result<Config> load(const std::string& path);

/// The JSON Schema (draft 2020-12) of all that `parse` takes, made from the tables that it reads by.
/// injector/config/config.schema.json is this, for editors and the chart.
std::string schema();

}  // namespace injector::config
