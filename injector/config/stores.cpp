#include "injector/config/stores.h"

#include <algorithm>

#include "injector/config/values.h"

namespace injector::config {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;
using scanner::base::Json;

const char* flaw_of_region(std::string_view region) {
  const bool plain =
      std::ranges::all_of(region, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  return plain && region.size() <= 40 ? nullptr : "must be a region such as eu-central-1";
}

const char* flaw_of_mount(std::string_view mount) {
  return flaw_of_store_path(mount) == nullptr ? nullptr : "must be the path of a mount, without '/' at its ends";
}

const char* flaw_of_namespace(std::string_view name) {
  if (name.ends_with('/')) name.remove_suffix(1);
  return flaw_of_store_path(name) == nullptr ? nullptr : "must be a namespace such as team/app";
}

Type<std::string> region() { return text("^[a-z0-9-]+$", flaw_of_region); }
Type<std::string> mount() { return text("^[^/?#]+(?:/[^/?#]+)*$", flaw_of_mount); }
Type<std::string> space() { return text("^[^/?#]+(?:/[^/?#]+)*/?$", flaw_of_namespace); }

/// One kind of login as a key of `auth`.
template <typename Auth>
std::function<bool(const Place&, Auth, VaultAuth&)> chosen() {
  return [](const Place&, Auth auth, VaultAuth& out) {
    out = std::move(auth);
    return true;
  };
}

Type<KubernetesAuth> kubernetes() {
  return Table<KubernetesAuth>()
      .key("role", "The role to log in as.", text(), &KubernetesAuth::role)
      .key("mount", "Where the method is mounted; kubernetes unless set.", mount(), &KubernetesAuth::mount)
      .key("token_file", "The projected service account token; read again for each login.", absolute_path(),
           &KubernetesAuth::token_file)
      .require({"role"})
      .type();
}

Type<JwtAuth> jwt() {
  return Table<JwtAuth>()
      .key("role", "The role to log in as; the mount's default role unless set.", text(), &JwtAuth::role)
      .key("mount", "Where the method is mounted; jwt unless set.", mount(), &JwtAuth::mount)
      .key("token_file", "The file with the JSON Web Token; read again for each login.", absolute_path(),
           &JwtAuth::token_file)
      .require({"token_file"})
      .type();
}

Type<AppRoleAuth> approle() {
  return Table<AppRoleAuth>()
      .key("mount", "Where the method is mounted; approle unless set.", mount(), &AppRoleAuth::mount)
      .key("role_id_file", "The file with the role id.", absolute_path(), &AppRoleAuth::role_id_file)
      .key("secret_id_file", "The file with the secret id; none where the role asks for none.", absolute_path(),
           &AppRoleAuth::secret_id_file)
      .key("secret_id_wrapped", "Whether that file holds a wrapping token in the place of the secret id.", boolean(),
           &AppRoleAuth::secret_id_wrapped)
      .key("creation_path",
           "The path that must have made the wrapping token, such as auth/approle/role/shop/secret-id.",
           text(nullptr, flaw_of_store_path), &AppRoleAuth::creation_path)
      .require({"role_id_file"})
      .check([](const Place& place, AppRoleAuth& auth) {
        if (auth.secret_id_wrapped && (auth.secret_id_file.empty() || auth.creation_path.empty())) {
          return place.member("secret_id_wrapped").wrong("needs secret_id_file and creation_path");
        }
        if (!auth.secret_id_wrapped && !auth.creation_path.empty()) {
          return place.member("creation_path").wrong("goes with secret_id_wrapped: true");
        }
        return true;
      })
      .type();
}

Type<CertAuth> cert() {
  return Table<CertAuth>()
      .key("name", "The role of the certificate; the server finds it unless set.", text(), &CertAuth::name)
      .key("mount", "Where the method is mounted; cert unless set.", mount(), &CertAuth::mount)
      .type();
}

Type<AwsAuth> aws_login() {
  return Table<AwsAuth>()
      .key("role", "The role to log in as.", text(), &AwsAuth::role)
      .key("mount", "Where the method is mounted; aws unless set.", mount(), &AwsAuth::mount)
      .key("region", "The region whose STS is signed for; the pod's unless set.", region(), &AwsAuth::region)
      .key("header", "The value of X-Vault-AWS-IAM-Server-ID that the mount demands.", text(), &AwsAuth::header)
      .require({"role"})
      .type();
}

Type<VaultAuth> auth() {
  return Table<VaultAuth>()
      .key("kubernetes", "Log in with the pod's service account token.", kubernetes(), chosen<KubernetesAuth>())
      .key("jwt", "Log in with a JSON Web Token from a file.", jwt(), chosen<JwtAuth>())
      .key("approle", "Log in with a role id and a secret id from files.", approle(), chosen<AppRoleAuth>())
      .key("cert", "Log in with the store's client certificate.", cert(), chosen<CertAuth>())
      .key("aws", "Log in with the pod's AWS identity.", aws_login(), chosen<AwsAuth>())
      .key<std::string>("token_file", "Use the token of a file, which somebody else keeps good.", absolute_path(),
                        [](const Place&, std::string path, VaultAuth& out) {
                          out = TokenFileAuth{std::move(path)};
                          return true;
                        })
      .one_of({"kubernetes", "jwt", "approle", "cert", "aws", "token_file"})
      .type();
}

/// An HTTP proxy: no user, no path, no TLS to itself.
const char* convert_proxy(std::string_view text, std::string& out) {
  static constexpr const char* kWrong = "must be an HTTP proxy, such as http://proxy.example:3128";
  if (!text.starts_with("http://")) return kWrong;
  std::string_view rest = text.substr(7);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find('@') != std::string_view::npos) return "must not hold a user name or a password";
  const bool plain = std::ranges::all_of(rest, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_' || c == ':' || c == '[' || c == ']';
  });
  if (rest.empty() || !plain) return kWrong;
  out = text.substr(0, 7 + rest.size());
  return nullptr;
}

Type<LoginBackoff> login_backoff() {
  return Table<LoginBackoff>()
      .key("first", "After the first refusal; 1s unless set.", duration(100ms, 1h), &LoginBackoff::first)
      .key("most", "However often it was refused; 5m unless set.", duration(100ms, 24h), &LoginBackoff::most)
      .check([](const Place& place, LoginBackoff& backoff) {
        return backoff.first <= backoff.most || place.member("most").wrong("must not be shorter than first");
      })
      .type();
}

Type<VaultStore> vault() {
  return Table<VaultStore>()
      .key("address", "The server, or the servers of one cluster, tried in order.", one_or_list(address()),
           &VaultStore::addresses)
      .key("namespace", "The namespace of the secrets.", space(), &VaultStore::space)
      .key("auth_namespace", "The namespace to log in to, where it is another one.", space(), &VaultStore::auth_space)
      .key("ca_file", "PEM certificates of the authorities to trust; the system's unless set.", absolute_path(),
           &VaultStore::ca_file)
      .key("ca_dir", "A directory of such certificates, named by their hashes.", absolute_path(), &VaultStore::ca_dir)
      .key("server_name", "The name that the server's certificate must have, where it is not the address's.", text(),
           &VaultStore::server_name)
      .key("client_cert_file", "The client certificate, PEM.", absolute_path(), &VaultStore::client_cert_file)
      .key("client_key_file", "Its private key, PEM.", absolute_path(), &VaultStore::client_key_file)
      .key("auth", "How to log in: exactly one way.", auth(), &VaultStore::auth)
      .key("proxy", "An HTTP proxy to go through; none unless set, whatever the environment says.",
           from_text<std::string>("^http://[^/@\\s]+/?$", convert_proxy), &VaultStore::proxy)
      .key("login_backoff", "How long to wait after a login was refused; doubled each time.", login_backoff(),
           &VaultStore::login_backoff)
      .key("timeout", "For one request, such as 10s.", duration(100ms, 5min), &VaultStore::timeout)
      .key("revoke", "Whether to revoke our token at exit; true unless set.", boolean(), &VaultStore::revoke)
      .require({"address", "auth"})
      .together({"client_cert_file", "client_key_file"})
      .check([](const Place& place, VaultStore& store) {
        if (store.auth_space.empty()) store.auth_space = store.space;
        if (std::holds_alternative<CertAuth>(store.auth) && store.client_cert_file.empty()) {
          return place.member("auth").wrong("cert needs client_cert_file and client_key_file");
        }
        const bool plain =
            std::ranges::any_of(store.addresses, [](const auto& each) { return each.starts_with("http:"); });
        if (plain && !store.proxy.empty()) return place.member("proxy").wrong("goes with https alone");
        return true;
      })
      .type();
}

Type<AwsStore> aws() {
  using Source = AwsStore::Source;
  const auto source = choice<Source>({{"environment", Source::environment},
                                      {"web_identity", Source::web_identity},
                                      {"profile", Source::profile},
                                      {"container", Source::container},
                                      {"instance", Source::instance}});
  return Table<AwsStore>()
      .key("region", "The region of the secrets; the pod's unless set.", region(), &AwsStore::region)
      .key("failover_regions", "Where the secrets are replicated to: asked in order when the region is away.",
           list(region()), &AwsStore::failover_regions)
      .key("endpoint", "An endpoint in the place of the region's own.", address(), &AwsStore::endpoint)
      .key("sts_endpoint", "An endpoint of STS in the place of the region's own.", address(), &AwsStore::sts_endpoint)
      .key("ca_file", "PEM certificates of the authorities to trust; the system's unless set.", absolute_path(),
           &AwsStore::ca_file)
      .key("fips", "Whether to use the FIPS endpoints.", boolean(), &AwsStore::fips)
      .key("dual_stack", "Whether to use the dual-stack endpoints.", boolean(), &AwsStore::dual_stack)
      .key("role_arn", "The role to assume with the web identity; AWS_ROLE_ARN unless set.",
           text("^arn:",
                [](std::string_view arn) -> const char* {
                  return arn.starts_with("arn:") ? nullptr : "must be an ARN";
                }),
           &AwsStore::role_arn)
      .key("role_session_name", "The name of its session.", text(), &AwsStore::role_session_name)
      .key("web_identity_token_file", "The projected token; AWS_WEB_IDENTITY_TOKEN_FILE unless set.", absolute_path(),
           &AwsStore::web_identity_token_file)
      .key("profile", "The profile of the shared files; AWS_PROFILE unless set.", text(), &AwsStore::profile)
      .key("credentials", "Where credentials are looked for, in order.", list(source), &AwsStore::credentials)
      .key("timeout", "For one request, such as 10s.", duration(100ms, 5min), &AwsStore::timeout)
      .check([](const Place& place, AwsStore& store) {
        auto sorted = store.credentials;
        std::ranges::sort(sorted);
        if (std::ranges::adjacent_find(sorted) != sorted.end()) {
          return place.member("credentials").wrong("names something twice");
        }
        return true;
      })
      .type();
}

Type<DirectoryStore> directory() {
  return Table<DirectoryStore>()
      .key("directory", "Where the values stand, one a file.", absolute_path(), &DirectoryStore::directory)
      .require({"directory"})
      .type();
}

template <typename Kind>
std::function<bool(const Place&, Kind, Store&)> of_kind() {
  return [](const Place&, Kind kind, Store& out) {
    out.kind = std::move(kind);
    return true;
  };
}

Type<Store> store() {
  return Table<Store>()
      .key("vault", "HashiCorp Vault or OpenBao.", vault(), of_kind<VaultStore>())
      .key("aws", "AWS Secrets Manager.", aws(), of_kind<AwsStore>())
      .key("file", "A directory of values, for development.", directory(), of_kind<DirectoryStore>())
      .one_of({"vault", "aws", "file"})
      .type();
}

}  // namespace

Type<std::vector<Store>> stores() {
  const auto one = store();
  Type<std::vector<Store>> type;
  type.schema = {{"type", "object"},
                 {"minProperties", 1},
                 {"propertyNames", {{"pattern", "^[a-z0-9][a-z0-9_-]{0,62}$"}}},
                 {"additionalProperties", one.schema}};
  type.read = [one](const Place& place, std::vector<Store>& out) {
    if (place.node->kind != Node::Kind::mapping || place.node->members.empty()) {
      return place.wrong("must hold at least one store by its name");
    }
    bool good = true;
    for (const auto& [name, value] : place.node->members) {
      const Place at = place.at(name.text, value);
      if (!is_store_name(name.text)) good = at.wrong("must have a name of small letters, digits, '-' and '_'");
      if (place.node->find(name.text) != &value) good = at.wrong("is there twice");
      Store store;
      store.name = name.text;
      good = one.read(at, store) && good;
      out.push_back(std::move(store));
    }
    return good;
  };
  return type;
}

}  // namespace injector::config
