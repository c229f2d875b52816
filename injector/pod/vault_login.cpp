#include "injector/pod/vault_login.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "injector/config/values.h"
#include "injector/pod/names.h"
#include "injector/pod/vault_table.h"

namespace injector::pod {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using Login = StorePolicy::Login;

constexpr std::string_view kTlsFolder = "/vault/tls";
constexpr std::string_view kExtraFolder = "/vault/custom";
constexpr std::string_view kAuthorityFolder = "/vault/cluster-ca";
/// Where the agent of vault-k8s sees the pod's service account.
constexpr std::string_view kServiceAccount[] = {"/var/run/secrets/kubernetes.io/serviceaccount/",
                                                "/run/secrets/kubernetes.io/serviceaccount/"};

/// The name of a file of the service account's volume; empty when the path is none of it.
std::string_view service_account_file(std::string_view path) {
  for (const auto folder : kServiceAccount)
    if (path.starts_with(folder)) return path.substr(folder.size());
  return {};
}

/// The mount paths of a container, init containers too.
std::vector<std::string> mounts_of(const json& pod, const std::string& container) {
  std::vector<std::string> out;
  for (const char* kind : {"containers", "initContainers"}) {
    const auto list =
        pod.find("spec") == pod.end() || !pod["spec"].is_object() ? json() : pod["spec"].value(kind, json());
    if (!list.is_array()) continue;
    for (const auto& each : list) {
      if (!each.is_object() || each.value("name", json()) != json(container)) continue;
      const json mounts = each.value("volumeMounts", json());
      if (!mounts.is_array()) continue;
      for (const auto& mount : mounts)
        if (mount.is_object() && mount.contains("mountPath") && mount["mountPath"].is_string())
          out.push_back(mount["mountPath"].get<std::string>());
    }
  }
  return out;
}

/// Reads what one pod's login is made of.
class LoginReader {
 public:
  LoginReader(VaultView& view, const json& pod, const StorePolicy& policy, std::vector<MountRequest>& mounts)
      : view_(view), policy_(policy), mounts_(mounts) {
    secret("tls-secret", kTlsFolder);
    secret("agent-extra-secret", kExtraFolder);
    folders_.emplace_back("/etc/ssl");
    const auto copied = mounts_of(pod, view.text("agent-copy-volume-mounts"));
    folders_.insert(folders_.end(), copied.begin(), copied.end());
    for (const auto& [name, entry] : view.all()) {
      const VaultName found = vault_name(name);
      if (found.row == nullptr || found.row->name != "auth-config") continue;
      std::string key(found.suffix);
      std::ranges::replace(key, '-', '_');
      parameters_[key] = name;
    }
  }

  StoreRequest read() {
    StoreRequest out;
    out.name = policy_.name;
    space(out);
    tls(out);
    out.timeout = view_.duration("client-timeout", 100ms, 5min);
    out.revoke = view_.boolean("agent-revoke-on-shutdown");
    backoff(out);
    proxy(out);
    login(out);
    for (const auto& [key, name] : parameters_)
      if (!read_.contains(key)) view_.warn(name, "is ignored: this login has no such parameter");
    return out;
  }

 private:
  void secret(std::string_view annotation, std::string_view folder) {
    const std::string& name = view_.text(annotation);
    if (name.empty()) return;
    if (const char* flaw = flaw_of_object_name(name)) return view_.wrong(annotation, flaw);
    mounts_.push_back({MountRequest::Kind::secret, name, std::string(folder), false});
    folders_.emplace_back(folder);
  }

  void space(StoreRequest& out) {
    std::string space = view_.text("namespace");
    while (space.ends_with('/')) space.pop_back();
    while (space.starts_with('/')) space.erase(0, 1);
    if (space.empty()) return;
    if (config::flaw_of_store_path(space) != nullptr) view_.wrong("namespace", "must be a namespace such as team/app");
    out.space = std::move(space);
  }

  /// The longest is never below the shortest, as the agent has it, too.
  void backoff(StoreRequest& out) {
    out.login_first = view_.duration("auth-min-backoff", 100ms, 1h);
    out.login_most = view_.duration("auth-max-backoff", 100ms, 24h);
    const auto least = out.login_first.value_or(config::LoginBackoff{}.first);
    if (out.login_most.value_or(config::LoginBackoff{}.most) >= least) return;
    if (out.login_most)
      view_.wrong("auth-max-backoff", "must not be shorter than auth-min-backoff");
    else
      out.login_most = least;
  }

  void proxy(StoreRequest& out) {
    std::string_view address = trimmed(view_.text("proxy-address"));
    if (address.ends_with('/')) address.remove_suffix(1);
    if (address.empty()) return;
    const std::string_view host = address.substr(std::min(address.size(), std::string_view("http://").size()));
    const bool plain = std::ranges::all_of(host, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view("._-:[]").find(c) != std::string_view::npos;
    });
    if (!address.starts_with("http://") || host.empty() || !plain)
      return view_.wrong("proxy-address",
                         "must be an HTTP proxy such as http://proxy.example:3128, without a password");
    out.proxy = address;
  }

  /// A file that the sidecar can read; empty when the annotation is absent or wrong.
  std::string file(std::string_view annotation) {
    std::string path(trimmed(view_.text(annotation)));
    if (path.empty()) return {};
    if (!path.starts_with('/')) {
      view_.wrong(annotation, "must be a path from the root");
      return {};
    }
    if (path.find("/../") != std::string::npos || path.ends_with("/..")) {
      view_.wrong(annotation, "must not hold \"..\"");
      return {};
    }
    const bool there = view_.has("agent-json-patch") || view_.has("agent-init-json-patch") ||
                       std::ranges::any_of(folders_, [&](const std::string& each) { return nested(each, path); });
    if (there) return path;
    view_.wrong(annotation,
                "names a file that the sidecar does not have: bring it there by tls-secret (/vault/tls), "
                "agent-extra-secret (/vault/custom) or agent-copy-volume-mounts");
    return {};
  }

  /// A certificate's file, or the cluster's authority, which all namespaces have in a ConfigMap.
  std::string authority() {
    if (service_account_file(view_.text("ca-cert")) != "ca.crt") return file("ca-cert");
    mounts_.push_back({MountRequest::Kind::config_map, "kube-root-ca.crt", std::string(kAuthorityFolder), false});
    return std::string(kAuthorityFolder) + "/ca.crt";
  }

  void tls(StoreRequest& out) {
    out.ca_file = authority();
    out.server_name = view_.text("tls-server-name");
    client(out, "client-cert", "client-key");
  }

  void client(StoreRequest& out, const std::string& certificate, const std::string& key) {
    if (view_.text(certificate).empty() && view_.text(key).empty()) return;
    if (view_.text(certificate).empty() || view_.text(key).empty()) {
      view_.wrong(view_.text(key).empty() ? certificate : key, "needs client-cert and client-key, both of them");
      return;
    }
    out.client_cert_file = file(certificate);
    out.client_key_file = file(key);
  }

  /// The annotation of a parameter; empty when it is absent.
  std::string parameter(const std::string& key) {
    read_.insert(key);
    const auto found = parameters_.find(key);
    return found == parameters_.end() ? std::string() : found->second;
  }
  std::string parameter_text(const std::string& key) {
    const std::string name = parameter(key);
    return name.empty() ? name : view_.text(name);
  }
  std::string parameter_file(const std::string& key) {
    const std::string name = parameter(key);
    return name.empty() ? name : file(name);
  }
  void ignored(const std::string& key, std::string_view why) {
    if (const std::string name = parameter(key); !name.empty()) view_.warn(name, why);
  }
  /// Parameters that would be a secret itself.
  void refused(std::initializer_list<const char*> keys) {
    for (const char* key : keys) {
      if (const std::string name = parameter(key); !name.empty())
        view_.wrong(name, "holds a secret, which everybody can read here: take it away, and change it");
    }
  }

  std::string role() {
    const std::string other = parameter_text("role");
    std::string role = view_.text("role").empty() ? other : view_.text("role");
    return role.empty() ? policy_.role : role;
  }
  void check_role(const std::string& role) {
    const std::string name = view_.text("role").empty() && !parameter("role").empty() ? parameter("role") : "role";
    if (role.empty())
      view_.wrong(name, "is needed: the store's policy has no role for pods that name none");
    else if (role != policy_.role && !policy_.roles.empty() &&
             std::ranges::none_of(policy_.roles, [&](const std::string& each) { return matches(each, role); }))
      view_.wrong(name, "is none of the roles that the policy allows for this store");
  }

  /// Without "auth/".
  std::string mount(bool policys) {
    std::string_view path = trimmed(view_.text("auth-path"));
    while (path.starts_with('/')) path.remove_prefix(1);
    if (path.starts_with("auth/")) path.remove_prefix(5);
    while (path.ends_with('/')) path.remove_suffix(1);
    if (config::flaw_of_store_path(path) != nullptr && !path.empty())
      view_.wrong("auth-path", "must be the path of a mount, such as auth/kubernetes");
    if (!path.empty()) return std::string(path);
    // As vault-k8s does, whatever the method.
    return policys ? policy_.auth_mount : "kubernetes";
  }

  /// The token's file, unless it is what the projected token of ours takes the place of.
  std::string token(const std::string& key) {
    const std::string name = parameter(key);
    if (name.empty() || service_account_file(view_.text(name)) == "token") return {};
    return file(name);
  }

  void login(StoreRequest& out) {
    const std::string& type = view_.text("auth-type");
    const std::map<std::string, Login, std::less<>> ours_by_name = {
        {"kubernetes", Login::kubernetes}, {"jwt", Login::jwt}, {"aws", Login::aws}};
    const auto ours = ours_by_name.find(type);
    const bool policys = type.empty() || (ours != ours_by_name.end() && ours->second == policy_.login);
    const Login login = type.empty() ? policy_.login : ours == ours_by_name.end() ? Login::kubernetes : ours->second;
    if (type == "approle") return approle(out);
    if (type == "cert") return certificate(out);
    if (type == "token_file") return token_file(out);
    if (!type.empty() && ours == ours_by_name.end())
      return view_.wrong("auth-type", "must be one of kubernetes, jwt, approle, cert, token_file, aws");
    if (login == Login::kubernetes) return kubernetes(out, policys);
    if (login == Login::jwt) return jwt(out, policys);
    aws(out, policys);
  }

  void kubernetes(StoreRequest& out, bool policys) {
    config::KubernetesAuth auth{role(), mount(policys), token("token_path")};
    check_role(auth.role);
    ignored("token_loc", "is ignored: use token_path");
    finish(out, policys, std::move(auth), "kubernetes");
  }

  void jwt(StoreRequest& out, bool policys) {
    config::JwtAuth auth{role(), mount(policys), token("path")};
    if (!auth.role.empty()) check_role(auth.role);
    ignored("remove_jwt_after_reading", "is ignored: the sidecar's mounts are read-only");
    ignored("remove_jwt_follows_symlinks", "is ignored: the sidecar's mounts are read-only");
    ignored("jwt_read_period", "is ignored: the token is read again for each login");
    finish(out, policys, std::move(auth), "jwt");
  }

  /// A login as the policy has it stays that: review knows the rest. One with a file of its own is given whole.
  template <typename Auth>
  void finish(StoreRequest& out, bool policys, Auth auth, const char* usual_mount) {
    if (policys && auth.token_file.empty()) {
      out.role = auth.role;
      if (!auth.mount.empty() && auth.mount != policy_.auth_mount) out.auth_mount = auth.mount;
      return;
    }
    if (auth.mount.empty()) auth.mount = usual_mount;
    out.auth = std::move(auth);
  }

  void aws(StoreRequest& out, bool policys) {
    refused({"access_key", "secret_key", "session_token"});
    config::AwsAuth auth{role(), mount(policys), parameter_text("region"), parameter_text("header_value")};
    check_role(auth.role);
    if (auth.mount.empty()) auth.mount = "aws";
    const std::string type = parameter_text("type");
    if (!type.empty() && type != "iam")
      view_.wrong(parameter("type"), "must be iam: EC2's documents are no login of a pod");
    ignored("nonce", "is ignored: it belongs to the type ec2");
    ignored("credential_poll_interval", "is ignored: credentials are renewed before they end");
    out.auth = std::move(auth);
  }

  void approle(StoreRequest& out) {
    config::AppRoleAuth auth;
    auth.mount = mount(false);
    auth.role_id_file = parameter_file("role_id_file_path");
    auth.secret_id_file = parameter_file("secret_id_file_path");
    auth.creation_path = parameter_text("secret_id_response_wrapping_path");
    auth.secret_id_wrapped = !auth.creation_path.empty();
    ignored("remove_secret_id_file_after_reading", "is ignored: the sidecar's mounts are read-only");
    if (parameter("role_id_file_path").empty()) view_.wrong("auth-type", "approle needs auth-config-role-id-file-path");
    if (auth.secret_id_wrapped && parameter("secret_id_file_path").empty())
      view_.wrong("auth-type", "a wrapped secret id needs auth-config-secret-id-file-path");
    refused({"role_id", "secret_id"});
    read_.insert("role");
    out.auth = std::move(auth);
  }

  void certificate(StoreRequest& out) {
    config::CertAuth auth{parameter_text("name"), mount(false)};
    if (const auto own = parameter("ca_cert"); !own.empty() && out.ca_file.empty()) out.ca_file = file(own);
    const auto own_certificate = parameter("client_cert");
    const auto own_key = parameter("client_key");
    if (!own_certificate.empty() && !own_key.empty()) client(out, own_certificate, own_key);
    ignored("reload", "is ignored: certificates are read again when they change");
    if (out.client_cert_file.empty()) view_.wrong("auth-type", "cert needs client-cert and client-key");
    read_.insert("role");
    out.auth = std::move(auth);
  }

  void token_file(StoreRequest& out) {
    const std::string name = parameter("token_file_path");
    if (name.empty()) return view_.wrong("auth-type", "token_file needs auth-config-token-file-path");
    read_.insert("role");
    out.auth = config::TokenFileAuth{file(name)};
  }

  VaultView& view_;
  const StorePolicy& policy_;
  std::vector<MountRequest>& mounts_;
  std::vector<std::string> folders_;               ///< Where the sidecar has files.
  std::map<std::string, std::string> parameters_;  ///< auth-config-K: K with '_' -> the annotation's name.
  std::set<std::string> read_;
};

}  // namespace

StoreRequest vault_login(VaultView& view, const json& pod, const StorePolicy& policy,
                         std::vector<MountRequest>& mounts) {
  return LoginReader(view, pod, policy, mounts).read();
}

}  // namespace injector::pod
