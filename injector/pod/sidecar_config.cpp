#include "injector/pod/sidecar_config.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "injector/config/config.h"
#include "injector/pod/names.h"
#include "injector/pod/yaml_text.h"

namespace injector::pod {
namespace {

using scanner::base::Errc;
using scanner::base::fail;
using Json = OrderedJson;
using scanner::base::Result;
using std::chrono::milliseconds;

void put(Json& out, const char* key, const std::string& value) {
  if (!value.empty()) out[key] = value;
}

std::string duration(milliseconds value) {
  static constexpr std::array<std::pair<std::int64_t, const char*>, 4> kUnits{
      {{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "m"}, {1'000, "s"}}};
  for (const auto& [size, name] : kUnits) {
    if (value.count() != 0 && value.count() % size == 0) return std::to_string(value.count() / size) + name;
  }
  return std::to_string(value.count()) + "ms";
}

std::string octal(mode_t mode) {
  std::string out = "0";
  for (int shift = 6; shift >= 0; shift -= 3)
    out += static_cast<char>('0' + ((mode >> static_cast<unsigned>(shift)) & 7U));
  return out;
}

std::string lookup(const std::map<std::string, std::string, std::less<>>& map, std::string_view key) {
  const auto found = map.find(key);
  return found == map.end() ? std::string() : found->second;
}

/// Each way to log in as the key of `auth` that it is. A token that is not named is the projected one.
struct AuthWriter {
  const std::string& token;

  Json operator()(const config::KubernetesAuth& auth) const {
    Json out = Json::object();
    put(out, "role", auth.role);
    put(out, "mount", auth.mount);
    put(out, "token_file", token.empty() ? auth.token_file : token);
    return {{"kubernetes", out}};
  }
  Json operator()(const config::JwtAuth& auth) const {
    Json out = Json::object();
    put(out, "role", auth.role);
    put(out, "mount", auth.mount);
    put(out, "token_file", token.empty() ? auth.token_file : token);
    return {{"jwt", out}};
  }
  Json operator()(const config::AppRoleAuth& auth) const {
    Json out = Json::object();
    put(out, "mount", auth.mount);
    put(out, "role_id_file", auth.role_id_file);
    put(out, "secret_id_file", auth.secret_id_file);
    if (auth.secret_id_wrapped) out["secret_id_wrapped"] = true;
    put(out, "creation_path", auth.creation_path);
    return {{"approle", out}};
  }
  Json operator()(const config::CertAuth& auth) const {
    Json out = Json::object();
    put(out, "name", auth.name);
    put(out, "mount", auth.mount);
    return {{"cert", out}};
  }
  Json operator()(const config::AwsAuth& auth) const {
    Json out = Json::object();
    put(out, "role", auth.role);
    put(out, "mount", auth.mount);
    put(out, "region", auth.region);
    put(out, "header", auth.header);
    return {{"aws", out}};
  }
  Json operator()(const config::TokenFileAuth& auth) const { return {{"token_file", auth.path}}; }
};

config::VaultAuth auth_of(const StoreRequest& use, const StorePolicy& store) {
  using Login = StorePolicy::Login;
  if (use.auth) return *use.auth;
  const std::string role = use.role.empty() ? store.role : use.role;
  const std::string mount = use.auth_mount.value_or(store.auth_mount);
  const auto with_mount = [&](auto auth) {
    auth.role = role;
    if (!mount.empty()) auth.mount = mount;
    return config::VaultAuth(auth);
  };
  if (store.login == Login::jwt) return with_mount(config::JwtAuth{});
  if (store.login == Login::aws) return with_mount(config::AwsAuth{});
  return with_mount(config::KubernetesAuth{});
}

/// With room for `members`: this kind of object copies all that it has when it grows.
Json object_for(std::size_t members) {
  Json out = Json::object();
  out.get_ref<Json::object_t&>().reserve(members);
  return out;
}

Json vault(const StoreRequest& use, const StorePolicy& store, const Plan& plan) {
  Json out = object_for(14);
  out["address"] = store.addresses;
  const std::string space = use.space.value_or(store.space);
  put(out, "namespace", space);
  put(out, "auth_namespace", use.auth_space.value_or(store.auth_space));
  put(out, "ca_file", use.ca_file.empty() ? lookup(plan.authority_files, store.name) : use.ca_file);
  put(out, "ca_dir", use.ca_dir);
  put(out, "server_name", use.server_name.empty() ? store.server_name : use.server_name);
  put(out, "client_cert_file", use.client_cert_file);
  put(out, "client_key_file", use.client_key_file);
  if (use.timeout) out["timeout"] = duration(*use.timeout);
  put(out, "proxy", use.proxy);
  if (use.login_first) out["login_backoff"]["first"] = duration(*use.login_first);
  if (use.login_most) out["login_backoff"]["most"] = duration(*use.login_most);
  out["revoke"] = use.revoke.value_or(store.revoke);
  out["auth"] = std::visit(AuthWriter{lookup(plan.token_files, store.name)}, auth_of(use, store));
  return {{"vault", out}};
}

Json aws(const StoreRequest& use, const StorePolicy& store, const Plan& plan) {
  using Identity = StorePolicy::Identity;
  Json out = Json::object();
  put(out, "region", store.region);
  if (!store.failover_regions.empty()) out["failover_regions"] = store.failover_regions;
  put(out, "endpoint", store.endpoint);
  put(out, "sts_endpoint", store.sts_endpoint);
  put(out, "ca_file", use.ca_file.empty() ? lookup(plan.authority_files, store.name) : use.ca_file);
  if (store.fips) out["fips"] = true;
  if (store.dual_stack) out["dual_stack"] = true;
  if (use.timeout) out["timeout"] = duration(*use.timeout);
  if (const std::string role = lookup(plan.assumed_roles, store.name); !role.empty()) {
    out["role_arn"] = role;
    put(out, "web_identity_token_file", lookup(plan.token_files, store.name));
  }
  // One source that is known is not shadowed by another that happens to be there.
  const bool by_token = plan.token_files.contains(store.name);
  if (by_token) out["credentials"] = {"web_identity"};
  if (store.identity == Identity::pod_identity) out["credentials"] = {"container"};
  return {{"aws", out}};
}

Json query(const Query& query) {
  const bool plain = !query.write && query.version.empty() && query.stage.empty() && query.space.empty() &&
                     query.path.find('#') == std::string::npos;
  if (plain) return query.store + ":" + query.path + (query.key.empty() ? "" : "#" + query.key);
  Json out = {{"store", query.store}, {query.write ? "write" : "path", query.path}};
  put(out, "key", query.key);
  put(out, "version", query.version);
  put(out, "stage", query.stage);
  put(out, "namespace", query.space);
  if (!query.data.empty()) out["data"] = query.data;
  return out;
}

Json on_change(const OnChange& change) {
  Json out = Json::object();
  if (const auto* signal = std::get_if<SignalProcess>(&change.how)) {
    const char* name = ::sigabbrev_np(signal->number);
    out["signal"] = name == nullptr ? "HUP" : name;
    put(out, "process", signal->process);
    put(out, "pid_file", signal->pid_file);
  } else if (const auto* post = std::get_if<PostLoopback>(&change.how)) {
    out["post"] = post->url;
  } else if (const auto* run = std::get_if<RunProgram>(&change.how)) {
    out["run"] = run->argv;
  }
  const OnChange preset{};
  if (change.timeout != preset.timeout) out["timeout"] = duration(change.timeout);
  if (change.debounce != preset.debounce) out["debounce"] = duration(change.debounce);
  return out;
}

Json max_stale(const MaxStale& stale) {
  static constexpr std::array kThen = {"serve", "warn", "unready", "remove"};
  return {{"after", duration(stale.after)}, {"then", kThen.at(static_cast<std::size_t>(stale.then))}};
}

const char* name_of(Format format) {
  static constexpr std::array kNames = {"raw", "json", "dotenv", "properties", "yaml", "pem"};
  return kNames.at(static_cast<std::size_t>(format));
}

Json file(const Placed& placed, const Request& request) {
  const FileRequest& asked = *placed.file;
  Json out = {{"path", placed.path.text()}, {"mode", octal(placed.mode)}};
  if (asked.templ) {
    const TemplateRequest& templ = *asked.templ;
    Json inner = {{"text", templ.text}, {"store", templ.store}};
    if (templ.left_delimiter != "{{") put(inner, "left_delimiter", templ.left_delimiter);
    if (templ.right_delimiter != "}}") put(inner, "right_delimiter", templ.right_delimiter);
    if (templ.error_on_missing_key) inner["error_on_missing_key"] = true;
    out["template"] = inner;
  } else if (asked.from.size() == 1) {
    out["from"] = query(asked.from[0]);
  } else {
    for (const Query& each : asked.from) out["from"].push_back(query(each));
  }
  if (asked.format) out["format"] = name_of(*asked.format);
  if (asked.owner) out["owner"] = *asked.owner;
  if (asked.group) out["group"] = *asked.group;
  if (asked.refresh) out["refresh"] = duration(*asked.refresh);
  if (const auto& stale = asked.max_stale ? asked.max_stale : request.max_stale) out["max_stale"] = max_stale(*stale);
  if (asked.on_change && request.run == Request::Run::sidecar) out["on_change"] = on_change(*asked.on_change);
  return out;
}

Json requirements(const Requirements& require) {
  Json out = Json::array();
  const auto add = [&](bool wanted, const char* name) {
    if (wanted) out.push_back(name);
  };
  add(require.noswap, "noswap");
  add(require.swap_off, "swap_off");
  add(require.nodev, "nodev");
  add(require.nosuid, "nosuid");
  add(require.noexec, "noexec");
  add(require.size, "size");
  add(require.locked_memory, "locked_memory");
  add(require.secret_memory, "secret_memory");
  return out;
}

/// What a reader of yaml_text(value) makes of it, but for the lines.
config::Node node_of(const Json& value) {
  config::Node out;
  if (value.is_object()) {
    out.kind = config::Node::Kind::mapping;
    out.members.reserve(value.size());
    for (const auto& [key, member] : value.items()) {
      out.members.emplace_back();
      out.members.back().key.text = key;
      out.members.back().key.scalar = config::Node::Scalar::text;
      out.members.back().value = node_of(member);
    }
  } else if (value.is_array()) {
    out.kind = config::Node::Kind::sequence;
    out.items.reserve(value.size());
    for (const Json& item : value) out.items.push_back(node_of(item));
  } else if (value.is_string()) {
    out.scalar = config::Node::Scalar::text;
    out.text = value.get_ref<const std::string&>();
  } else {
    out.scalar = value.is_boolean() ? config::Node::Scalar::boolean : config::Node::Scalar::integer;
    out.text = value.dump();
  }
  return out;
}

Json whole(const Plan& plan, const Request& request, const Policy& policy) {
  Json out = object_for(11);
  out["mount"] = plan.roots.front();
  out["refresh"] = duration(request.refresh.value_or(policy.refresh));
  if (const auto jitter = request.start_jitter.value_or(policy.start_jitter); jitter.count() > 0)
    out["start_jitter"] = duration(jitter);
  for (const StoreRequest& use : request.stores) {
    const StorePolicy& store = *policy.store(use.name);
    out["stores"][use.name] = store.is_vault() ? vault(use, store, plan) : aws(use, store, plan);
  }
  for (const Placed& placed : plan.files) out["files"].push_back(file(placed, request));
  if (Json require = requirements(request.require); !require.empty()) out["require"] = std::move(require);
  out["health"]["listen"] = plan.health;
  out["log"] = {{"level", request.log_level.empty() ? policy.log_level : request.log_level},
                {"format", request.log_format.empty() ? policy.log_format : request.log_format}};
  if (request.start_timeout) out["start_timeout"] = duration(*request.start_timeout);
  if (request.quit_port) out["quit"]["listen"] = "127.0.0.1:" + std::to_string(*request.quit_port);
  if (request.shutdown_timeout) out["shutdown"]["timeout"] = duration(*request.shutdown_timeout);
  return out;
}

}  // namespace

Result<std::string> sidecar_config(const Plan& plan, const Request& request, const Policy& policy) {
  const Json config = whole(plan, request, policy);
  std::string text = yaml_text(config);
  if (text.size() > kMostConfig)
    return fail(Errc::limit, "all annotations together make a configuration of more than " +
                                 std::to_string(kMostConfig) +
                                 " bytes, which is more than a variable can hold: shorten the templates");
  // Not of the text, whose reading would be a tenth of what an admission costs.
  auto parsed = config::parse(node_of(config), "configuration");
  if (!parsed) return fail(std::move(parsed).error());
  return text;
}

}  // namespace injector::pod
