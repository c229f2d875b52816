#include "injector/pod/policy.h"

#include <algorithm>
#include <array>

#include "injector/config/grammar.h"
#include "injector/config/values.h"
#include "injector/pod/names.h"
#include "scanner/base/fd.h"

namespace injector::pod {
namespace {

using namespace std::chrono_literals;
using config::choice;
using config::Place;
using config::Table;
using config::Type;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Result;
using Provider = StorePolicy::Provider;

constexpr std::size_t kMostPem = 64UL << 10;

/// Certificates and nothing else: this text ends up in an annotation of the pod.
const char* flaw_of_pem(std::string_view pem) {
  static constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  static constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
  if (pem.find("PRIVATE KEY") != std::string_view::npos) return "must be certificates alone: a private key stands here";
  if (pem.size() > kMostPem) return "must be at most 64 KiB of certificates";
  std::size_t count = 0;
  for (std::size_t at = pem.find(kBegin); at != std::string_view::npos; at = pem.find(kBegin, at)) {
    const auto end = pem.find(kEnd, at);
    if (end == std::string_view::npos) return "must be PEM certificates, each with its END line";
    const std::string_view body = pem.substr(at + kBegin.size(), end - at - kBegin.size());
    const bool plain =
        body.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n \t") ==
        std::string_view::npos;
    if (!plain || body.size() < 64) return "must be PEM certificates, base64 between their lines";
    at = end;
    ++count;
  }
  return count > 0 ? nullptr : "must be PEM certificates, beginning with -----BEGIN CERTIFICATE-----";
}

/// Text of several lines, which a block scalar (|) gives.
Type<std::string> pem() {
  Type<std::string> type;
  type.schema = {{"type", "string"}, {"pattern", "-----BEGIN CERTIFICATE-----"}};
  type.read = [](const Place& place, std::string& out) {
    if (place.node->kind != config::Node::Kind::scalar) return place.wrong("must be text");
    if (const char* wrong = flaw_of_pem(place.node->text)) return place.wrong(wrong);
    out = place.node->text;
    return true;
  };
  return type;
}

Type<std::string> checked(const char* (*flaw)(std::string_view)) { return config::text(nullptr, flaw); }

const char* flaw_of_region(std::string_view region) {
  const bool plain =
      std::ranges::all_of(region, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  return plain && region.size() <= 40 ? nullptr : "must be a region such as eu-central-1";
}

const char* flaw_of_auth_mount(std::string_view mount) {
  if (mount.starts_with("auth/")) return "must be without \"auth/\" before it";
  return config::flaw_of_store_path(mount) == nullptr ? nullptr : "must be the path of a mount, such as kubernetes";
}

const char* flaw_of_space(std::string_view space) {
  return config::flaw_of_store_path(space) == nullptr ? nullptr : "must be a namespace such as team/app";
}

const char* flaw_of_pattern(std::string_view pattern) {
  if (pattern.ends_with('*')) pattern.remove_suffix(1);
  if (pattern.find('*') != std::string_view::npos) return "may have one '*', at its end";
  return nullptr;
}

const char* flaw_of_image_pattern(std::string_view image) {
  if (const char* wrong = flaw_of_pattern(image)) return wrong;
  if (image == "*") return nullptr;
  if (image.ends_with('*')) image.remove_suffix(1);
  return flaw_of_image(image);
}

Type<Authority> authority() {
  return Table<Authority>()
      .key("config_map", "The name of a ConfigMap in the namespace of each pod.", checked(flaw_of_object_name),
           &Authority::config_map)
      .key("secret", "The name of a Secret in the namespace of each pod.", checked(flaw_of_object_name),
           &Authority::secret)
      .key("pem", "The certificates themselves.", pem(), &Authority::pem)
      .key("key", "The key in that ConfigMap or Secret; ca.crt unless set.", checked(flaw_of_data_key), &Authority::key)
      .one_of({"config_map", "secret", "pem"})
      .type();
}

/// The names that pods may ask for beside the preset one.
void add_role_keys(Table<StorePolicy>& table, const char* preset) {
  table.key("role", preset, config::text(), &StorePolicy::role)
      .key("roles", "The roles that pods may name, the last letter a '*' for all that begin so; any unless set.",
           list(checked(flaw_of_pattern)), &StorePolicy::roles);
}

Type<StorePolicy> vault(Provider provider) {
  using Login = StorePolicy::Login;
  Table<StorePolicy> table;
  table
      .key("address", "The server, or the servers of one cluster, tried in order.", one_or_list(config::address()),
           &StorePolicy::addresses)
      .key("ca", "Whose certificates are believed; those in the sidecar's image unless set.", authority(),
           &StorePolicy::ca)
      .key("server_name", "The name that the server's certificate must have, where it is not the address's.",
           config::text(), &StorePolicy::server_name)
      .key("login", "How pods log in; kubernetes unless set.",
           choice<Login>({{"kubernetes", Login::kubernetes}, {"jwt", Login::jwt}, {"aws", Login::aws}}),
           &StorePolicy::login)
      .key("auth_mount", "Where the method is mounted; the login's name unless set.", checked(flaw_of_auth_mount),
           &StorePolicy::auth_mount)
      .key("audience", "Whom the pod's token is made for; vault unless set.", config::text(), &StorePolicy::audience)
      .key("namespace", "The namespace of the secrets, for pods that name none.", checked(flaw_of_space),
           &StorePolicy::space)
      .key("auth_namespace", "The namespace to log in to, where it is another one.", checked(flaw_of_space),
           &StorePolicy::auth_space)
      .key("namespaces", "Other namespaces that pods may name, the last letter a '*' for all that begin so.",
           list(checked(flaw_of_pattern)), &StorePolicy::spaces)
      .key("revoke", "Whether pods revoke their tokens at their end; true unless set.", config::boolean(),
           &StorePolicy::revoke);
  add_role_keys(table, "The role of pods that name none.");
  table.require({"address"}).check([provider](const Place&, StorePolicy& store) {
    store.provider = provider;
    return true;
  });
  return table.type();
}

Type<StorePolicy> aws() {
  using Identity = StorePolicy::Identity;
  Table<StorePolicy> table;
  table.key("region", "The region of the secrets; the pod's unless set.", checked(flaw_of_region), &StorePolicy::region)
      .key("failover_regions", "Where the secrets are replicated to.", list(checked(flaw_of_region)),
           &StorePolicy::failover_regions)
      .key("endpoint", "An endpoint in the place of the region's own.", config::address(), &StorePolicy::endpoint)
      .key("sts_endpoint", "An endpoint of STS in the place of the region's own.", config::address(),
           &StorePolicy::sts_endpoint)
      .key("ca", "Whose certificates are believed; those in the sidecar's image unless set.", authority(),
           &StorePolicy::ca)
      .key("fips", "Whether to use the FIPS endpoints.", config::boolean(), &StorePolicy::fips)
      .key("dual_stack", "Whether to use the dual-stack endpoints.", config::boolean(), &StorePolicy::dual_stack)
      .key("identity", "Where pods have their identity from; automatic unless set.",
           choice<Identity>({{"automatic", Identity::automatic},
                             {"irsa", Identity::irsa},
                             {"pod_identity", Identity::pod_identity},
                             {"none", Identity::none}}),
           &StorePolicy::identity);
  add_role_keys(table, "The ARN of the role of pods that name none.");
  table.check([](const Place& place, StorePolicy& store) {
    store.provider = Provider::aws;
    if (!store.role.empty() && !store.role.starts_with("arn:")) return place.member("role").wrong("must be an ARN");
    return true;
  });
  return table.type();
}

std::function<bool(const Place&, StorePolicy, StorePolicy&)> of_kind() {
  return [](const Place&, StorePolicy kind, StorePolicy& out) {
    kind.pod_namespaces = std::move(out.pod_namespaces);
    out = std::move(kind);
    return true;
  };
}

Type<StorePolicy> store() {
  return Table<StorePolicy>()
      .key<StorePolicy>("vault", "HashiCorp Vault.", vault(Provider::vault), of_kind())
      .key<StorePolicy>("openbao", "OpenBao.", vault(Provider::openbao), of_kind())
      .key<StorePolicy>("aws", "AWS Secrets Manager.", aws(), of_kind())
      .key("pod_namespaces",
           "Kubernetes namespaces whose pods may use it, the last letter a '*' for all that begin so; all unless set.",
           list(checked(flaw_of_pattern)), &StorePolicy::pod_namespaces)
      .one_of({"vault", "openbao", "aws"})
      .type();
}

Type<std::vector<StorePolicy>> stores() {
  const auto one = store();
  Type<std::vector<StorePolicy>> type;
  type.schema = {{"type", "object"},
                 {"minProperties", 1},
                 {"propertyNames", {{"pattern", "^[a-z0-9][a-z0-9_-]{0,62}$"}, {"not", {{"const", "arn"}}}}},
                 {"additionalProperties", one.schema}};
  type.read = [one](const Place& place, std::vector<StorePolicy>& out) {
    if (place.node->kind != config::Node::Kind::mapping || place.node->members.empty())
      return place.wrong("must hold at least one store by its name");
    bool good = true;
    for (const auto& [name, value] : place.node->members) {
      const Place at = place.at(name.text, value);
      if (!config::is_store_name(name.text)) good = at.wrong("must have a name of small letters, digits, '-' and '_'");
      if (name.text == "arn") good = at.wrong("must have another name: ARNs of secrets begin so");
      if (place.node->find(name.text) != &value) good = at.wrong("is there twice");
      StorePolicy store;
      good = one.read(at, store) && good;
      store.name = name.text;
      out.push_back(std::move(store));
    }
    return good;
  };
  return type;
}

struct Amounts {
  std::string cpu, memory, storage;
};

Type<Amounts> amounts() {
  return Table<Amounts>()
      .key("cpu", "Such as 10m; \"0\" for none.", config::text(nullptr, flaw_of_quantity), &Amounts::cpu)
      .key("memory", "Such as 64Mi; \"0\" for none.", config::text(nullptr, flaw_of_quantity), &Amounts::memory)
      .key("ephemeral-storage", "Such as 10Mi; \"0\" for none.", config::text(nullptr, flaw_of_quantity),
           &Amounts::storage)
      .type();
}

void put(const std::string& value, std::string& out) {
  if (!value.empty()) out = value;
}

/// Keys that are there change the preset, the others leave it.
Type<Policy> resources() {
  return Table<Policy>()
      .key<Amounts>("requests", "What is reserved for the sidecar.", amounts(),
                    [](const Place&, const Amounts& value, Policy& out) {
                      put(value.cpu, out.resources.cpu_request);
                      put(value.memory, out.resources.memory_request);
                      put(value.storage, out.resources.storage_request);
                      return true;
                    })
      .key<Amounts>("limits", "What it may use at most.", amounts(),
                    [](const Place&, const Amounts& value, Policy& out) {
                      put(value.cpu, out.resources.cpu_limit);
                      put(value.memory, out.resources.memory_limit);
                      put(value.storage, out.resources.storage_limit);
                      return true;
                    })
      .type();
}

Type<Policy> logging() {
  const auto words = [](const std::vector<std::string>& all) {
    std::vector<std::pair<std::string, std::string>> pairs;
    pairs.reserve(all.size());
    for (const auto& word : all) pairs.emplace_back(word, word);
    return choice<std::string>(pairs);
  };
  return Table<Policy>()
      .key("level", "The least that is logged; info unless set.", words({"debug", "info", "warn", "error"}),
           &Policy::log_level)
      .key("format", "json or text; json unless set.", words({"json", "text"}), &Policy::log_format)
      .type();
}

bool check_whole(const Place& place, Policy& policy) {
  if (!policy.default_store.empty() && policy.store(policy.default_store) == nullptr) {
    std::vector<std::string> names;
    names.reserve(policy.stores.size());
    for (const auto& each : policy.stores) names.push_back(each.name);
    return place.member("default_store")
        .wrong("there is no such store" + config::suggestion(policy.default_store, names));
  }
  const Resources& amount = policy.resources;
  const auto more = [](const std::string& request, const std::string& limit) {
    return !limit.empty() && quantity(limit).value_or(0) > 0 && quantity(request).value_or(0) > *quantity(limit);
  };
  if (more(amount.cpu_request, amount.cpu_limit) || more(amount.memory_request, amount.memory_limit) ||
      more(amount.storage_request, amount.storage_limit)) {
    return place.member("resources").wrong("requests more than the limit");
  }
  return true;
}

const Type<Policy>& grammar() {
  constexpr std::int64_t kLastId = 4'294'967'294;
  const auto word = [](const std::vector<std::string>& all) {
    std::vector<std::pair<std::string, std::string>> pairs;
    pairs.reserve(all.size());
    for (const auto& each : all) pairs.emplace_back(each, each);
    return choice<std::string>(pairs);
  };
  using Skip = Policy::SkipVerify;
  static const Type<Policy> kType =
      Table<Policy>()
          .key("image", "The sidecar's image.", checked(flaw_of_image), &Policy::image)
          .key("images", "Others that pods may name; '*' at the end for all that begin so.",
               list(checked(flaw_of_image_pattern)), &Policy::images)
          .key("image_pull_policy", "Always, IfNotPresent or Never; the cluster's way unless set.",
               word({"Always", "IfNotPresent", "Never"}), &Policy::image_pull_policy)
          .key("native_sidecar", "Whether init containers may be sidecars: true from Kubernetes 1.29 on.",
               config::boolean(), &Policy::native_sidecar)
          .key("stores", "The stores that pods may use, each under its name.", stores(), &Policy::stores)
          .key("default_store", "The store of pods that name none; the only one unless set.", config::text(),
               &Policy::default_store)
          .key("vault_annotations", "Whether vault.hashicorp.com/* and openbao.org/* are followed.", config::boolean(),
               &Policy::vault_annotations)
          .key("tls_skip_verify",
               "What becomes of vault-k8s' tls-skip-verify: refuse, or verify_anyway with a warning.",
               choice<Skip>({{"refuse", Skip::refuse}, {"verify_anyway", Skip::verify_anyway}}), &Policy::skip_verify)
          .key("container_patch", "Whether vault-k8s' agent-json-patch is followed.", config::boolean(),
               &Policy::container_patch)
          .key("mount_path", "Where containers see the files; /run/secrets/app unless set.", checked(flaw_of_directory),
               &Policy::mount_path)
          .key("size_limit", "How much memory the files may take; 16Mi unless set.",
               config::text(nullptr, flaw_of_quantity), &Policy::size_limit)
          .key<Policy>("resources", "What the sidecar gets.", resources(),
                       [](const Place&, const Policy& value, Policy& out) {
                         out.resources = value.resources;
                         return true;
                       })
          .key("user", "The user that the sidecar runs as, where its pod does not say; 65532 unless set.",
               config::integer(1, kLastId), &Policy::user)
          .key("group", "Its group; 65532 unless set.", config::integer(1, kLastId), &Policy::group)
          .key<std::chrono::milliseconds>(
              "token_expiration", "How long projected tokens live; 1h unless set.", config::duration(10min, 24h),
              [](const Place&, std::chrono::milliseconds value, Policy& out) {
                out.token_expiration = std::chrono::duration_cast<std::chrono::seconds>(value);
                return true;
              })
          .key("refresh", "How often to look for other values; 5m unless set.", config::duration(10ms, 366 * 24h),
               &Policy::refresh)
          .key("start_jitter", "A random wait up to this before the first fetch; none unless set.",
               config::duration(0ms, 10min), &Policy::start_jitter)
          .key<Policy>("log", "How the sidecar logs.", logging(),
                       [](const Place&, const Policy& value, Policy& out) {
                         out.log_level = value.log_level;
                         out.log_format = value.log_format;
                         return true;
                       })
          .check(check_whole)
          .type();
  return kType;
}

std::string_view bare(std::string_view address) {
  if (address.ends_with('/')) address.remove_suffix(1);
  return address;
}

}  // namespace

const StorePolicy* Policy::store(std::string_view name) const {
  const auto found = std::ranges::find(stores, name, &StorePolicy::name);
  return found == stores.end() ? nullptr : &*found;
}

const StorePolicy* Policy::store_at(std::string_view address) const {
  const auto found = std::ranges::find_if(stores, [&](const StorePolicy& each) {
    return each.is_vault() &&
           std::ranges::any_of(each.addresses, [&](const std::string& one) { return bare(one) == bare(address); });
  });
  return found == stores.end() ? nullptr : &*found;
}

const StorePolicy* Policy::default_store_or_null() const {
  if (!default_store.empty()) return store(default_store);
  return stores.size() == 1 ? stores.data() : nullptr;
}

const StorePolicy* Policy::default_vault_store(StorePolicy::Provider preferred) const {
  const StorePolicy* preset = default_store_or_null();
  if (preset != nullptr && preset->provider == preferred) return preset;
  const auto first = std::ranges::find(stores, preferred, &StorePolicy::provider);
  if (first != stores.end()) return &*first;
  if (preset != nullptr && preset->is_vault()) return preset;
  const auto other = std::ranges::find_if(stores, &StorePolicy::is_vault);
  return other == stores.end() ? nullptr : &*other;
}

bool Policy::allows_image(std::string_view name) const {
  return name == image || std::ranges::any_of(images, [&](const std::string& each) { return matches(each, name); });
}

Policy default_policy() {
  Policy policy;
  const auto inside = [](const char* name, Provider provider) {
    StorePolicy store;
    store.name = name;
    store.provider = provider;
    store.addresses = {"https://" + store.name + "." + store.name + ".svc:8200"};
    store.ca.config_map = "kube-root-ca.crt";
    return store;
  };
  policy.stores.push_back(inside("vault", Provider::vault));
  policy.stores.push_back(inside("openbao", Provider::openbao));
  StorePolicy aws;
  aws.name = "aws";
  aws.provider = Provider::aws;
  policy.stores.push_back(std::move(aws));
  policy.default_store = "vault";
  return policy;
}

Result<Policy> parse_policy(std::string_view text, const std::string& name) {
  auto root = config::parse_yaml(text, name);
  if (!root) return fail(std::move(root).error());
  Policy policy = default_policy();
  if (root->find("stores") != nullptr) policy.default_store.clear();
  config::Mistakes mistakes(name);
  grammar().read({&*root, "", &mistakes}, policy);
  if (!mistakes.none()) return fail(Errc::config, mistakes.text());
  return policy;
}

Result<Policy> load_policy(const std::string& path) {
  auto text = scanner::base::read_file(path, config::kMostText);
  if (!text) return fail(std::move(text).error());
  return parse_policy(*text, path);
}

std::string policy_schema() {
  scanner::base::Json out = grammar().schema;
  out["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  out["title"] = "Policy of secret-webhook";
  return scanner::base::dump_json(out, 2) + "\n";
}

}  // namespace injector::pod
