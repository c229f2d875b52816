#include "injector/pod/vault_annotations.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

#include "injector/pod/names.h"
#include "injector/pod/vault_files.h"
#include "injector/pod/vault_login.h"
#include "injector/pod/vault_table.h"
#include "injector/pod/vault_view.h"
#include "scanner/base/edit_distance.h"
#include "scanner/base/json.h"

namespace injector::pod {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

/// The member of an object; null when there is none.
const json& member(const json& object, const char* name) {
  static const json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

std::vector<const json*> containers_of(const json& pod, const char* kind) {
  std::vector<const json*> out;
  const json& list = member(member(pod, "spec"), kind);
  if (!list.is_array()) return out;
  for (const auto& each : list)
    if (each.is_object()) out.push_back(&each);
  return out;
}

std::string name_of(const json& container) {
  const json& name = member(container, "name");
  return name.is_string() ? name.get<std::string>() : std::string();
}

/// Whether a container is told of a listener at `port` of loopback, as users of the agent's cache do.
bool uses_listener(const json& pod, const std::string& port) {
  for (const char* kind : {"containers", "initContainers"}) {
    for (const json* container : containers_of(pod, kind)) {
      const json& env = member(*container, "env");
      if (!env.is_array()) continue;
      for (const auto& each : env) {
        const json& value = member(each, "value");
        if (!value.is_string()) continue;
        const auto& text = value.get_ref<const std::string&>();
        for (const char* host : {"127.0.0.1:", "localhost:", "[::1]:"}) {
          const auto at = text.find(host + port);
          const std::size_t after = at == std::string::npos ? at : at + std::string_view(host).size() + port.size();
          if (at != std::string::npos && (after == text.size() || text[after] < '0' || text[after] > '9')) return true;
        }
      }
    }
  }
  return false;
}

std::string nearest(std::string_view word) {
  std::string best;
  std::size_t least = 4;
  for (const auto& row : vault_annotations()) {
    // Where a row has a suffix, only as much of the word counts as the row is long.
    const bool open = row.suffix != VaultAnnotation::Suffix::none;
    const std::string_view front = open ? word.substr(0, std::min(word.size(), row.name.size() + 1)) : word;
    const std::size_t distance = scanner::base::edit_distance(front, open ? std::string(row.name) + "-" : row.name);
    if (distance >= least) continue;
    least = distance;
    best = row.name;
  }
  return best.empty() ? best : " (did you mean " + best + "?)";
}

/// Whether a value may have several lines.
bool may_have_lines(const VaultAnnotation& row) {
  return row.name == "agent-inject-template" || row.name == "agent-inject-command" || row.name == "agent-json-patch" ||
         row.name == "agent-init-json-patch";
}

bool has_control_characters(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// What the table says of them all: refused, ignored, unknown.
void judge(VaultView& view, const json& pod) {
  for (const auto& [name, entry] : view.all()) {
    const VaultName found = vault_name(name);
    if (found.row == nullptr) {
      view.warn(name, "is unknown, and ignored" + nearest(name));
      continue;
    }
    if (entry.value.empty()) continue;
    if (found.row->treatment == VaultAnnotation::Treatment::refused) view.wrong(name, found.row->what);
    if (!may_have_lines(*found.row) && has_control_characters(entry.value))
      view.wrong(name, "must be one line, without control characters");
    if (found.row->treatment != VaultAnnotation::Treatment::ignored) continue;
    const bool no = entry.value == "false" || entry.value == "0" || entry.value == "f" || entry.value == "False";
    if (!no) view.warn(name, "is ignored: " + std::string(found.row->what));
  }
  const bool cached = view.boolean("agent-cache-enable").value_or(false);
  std::string port(trimmed(view.text("agent-cache-listener-port")));
  if (port.empty()) port = "8200";
  if (cached && uses_listener(pod, port))
    view.wrong(
        "agent-cache-enable",
        "a container's environment names the agent's listener, which is not there: let it read the files, or ask "
        "the store itself");
}

std::vector<std::string> containers(VaultView& view, const json& pod) {
  constexpr const char* kName = "agent-inject-containers";
  std::vector<std::string> out;
  std::string_view rest = view.text(kName);
  if (trimmed(rest).empty()) {
    // All of them, but init containers only where they start after the files are there.
    for (const json* each : containers_of(pod, "containers")) out.push_back(name_of(*each));
    return out;
  }
  std::set<std::string> there;
  for (const json* each : containers_of(pod, "containers")) there.insert(name_of(*each));
  bool unknown = false;
  while (!rest.empty()) {
    const auto comma = std::min(rest.find(','), rest.size());
    const std::string name(trimmed(rest.substr(0, comma)));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (name.empty() || std::ranges::find(out, name) != out.end()) continue;
    if (there.contains(name))
      out.push_back(name);
    else
      unknown = true;
  }
  if (out.empty())
    view.wrong(kName, "names no container of this pod: nobody would see the files");
  else if (unknown)
    view.warn(kName, "names a container that this pod does not have");
  return out;
}

void set(std::string& out, VaultView& view, const char* name) {
  if (!view.has(name)) return;
  const std::string value(trimmed(view.text(name)));
  // Empty takes a limit away there.
  if (value.empty()) {
    out = "0";
  } else if (const char* flaw = flaw_of_quantity(value)) {
    view.wrong(name, flaw);
  } else {
    out = value;
  }
}

Resources resources(VaultView& view) {
  Resources out;
  set(out.cpu_limit, view, "agent-limits-cpu");
  set(out.memory_limit, view, "agent-limits-mem");
  set(out.storage_limit, view, "agent-limits-ephemeral");
  set(out.cpu_request, view, "agent-requests-cpu");
  set(out.memory_request, view, "agent-requests-mem");
  set(out.storage_request, view, "agent-requests-ephemeral");
  return out;
}

/// The operations of one annotation; null when there are none.
json operations(VaultView& view, const char* name) {
  const std::string& text = view.text(name);
  if (trimmed(text).empty()) return {};
  auto patch = scanner::base::parse_json(text);
  if (!patch) {
    view.wrong(name, "must be a JSON Patch: " + patch.error().message());
    return {};
  }
  if (!patch->is_array()) {
    view.wrong(name, "must be a JSON Patch: a list of operations");
    return {};
  }
  for (const auto& each : *patch) {
    const json& op = member(each, "op");
    if (op != json("add") && op != json("replace") && op != json("remove")) {
      view.wrong(name, "may only add, replace and remove");
      return {};
    }
  }
  return patch->empty() ? json() : std::move(*patch);
}

/// One container of ours stands for both of vault-k8s': what both patches say is done once.
json container_patch(VaultView& view, bool init_only) {
  json sidecar = operations(view, "agent-json-patch");
  json init = operations(view, "agent-init-json-patch");
  if (init_only) {
    if (!sidecar.is_null()) view.warn("agent-json-patch", "is ignored: agent-pre-populate-only asks for no sidecar");
    return init;
  }
  if (sidecar.is_null()) return init;
  if (init.is_null()) return sidecar;
  for (const auto& each : init)
    if (std::ranges::find(sidecar, each) == sidecar.end()) sidecar.push_back(each);
  return sidecar;
}

void runs_as(VaultView& view, Request& out) {
  out.user = view.number("agent-run-as-user", 1, 4'294'967'294);
  out.group = view.number("agent-run-as-group", 0, 4'294'967'294);
  out.same_user = view.boolean("agent-run-as-same-user").value_or(false);
  if (out.same_user) out.user.reset();
  out.security_context = view.boolean("agent-set-security-context").value_or(true);
}

/// The projected volume that holds the token to log in with.
void token_volume(VaultView& view, const json& pod, Request& out) {
  constexpr const char* kName = "agent-service-account-token-volume-name";
  const std::string& name = view.text(kName);
  if (name.empty()) return;
  const json& volumes = member(member(pod, "spec"), "volumes");
  if (volumes.is_array()) {
    for (const auto& volume : volumes) {
      if (member(volume, "name") != json(name)) continue;
      const json& sources = member(member(volume, "projected"), "sources");
      if (!sources.is_array()) continue;
      for (const auto& source : sources) {
        const json& path = member(member(source, "serviceAccountToken"), "path");
        if (!path.is_string()) continue;
        out.token_volume = name;
        out.token_path = path.get<std::string>();
        return;
      }
    }
  }
  view.wrong(kName, "must be a projected volume of this pod with a serviceAccountToken in it");
}

void shared_processes(VaultView& view, const json& pod, Request& out) {
  constexpr const char* kName = "agent-share-process-namespace";
  out.share_process_namespace = view.boolean(kName);
  const json& now = member(member(pod, "spec"), "shareProcessNamespace");
  if (now.is_boolean() && out.share_process_namespace && now.get<bool>() != *out.share_process_namespace)
    view.wrong(kName, "says another thing than spec.shareProcessNamespace of the pod: keep one of them");
  if (out.share_process_namespace.value_or(now == json(true))) return;
  for (const auto& file : out.files) {
    if (!file.on_change || !std::holds_alternative<SignalProcess>(file.on_change->how)) continue;
    view.wrong(kName, "must be true: a signal of agent-inject-command reaches no other container without it");
    return;
  }
}

void what_runs(VaultView& view, Request& out) {
  const bool populate = view.boolean("agent-pre-populate").value_or(true);
  const bool only = view.boolean("agent-pre-populate-only").value_or(false);
  if (only && !populate)
    view.wrong("agent-pre-populate", "leaves nothing to do beside agent-pre-populate-only: take one of them away");
  out.run = only ? Request::Run::init_only : Request::Run::sidecar;
  out.gate_start = populate;
  out.init_containers_too = populate;
  // Ours is first whatever it says; a value that is none is a mistake all the same.
  static_cast<void>(view.boolean("agent-init-first"));
}

/// A pod that has the sidecar's usual port keeps it: it was there first, and nothing of it is to be edited.
void health_port(const json& pod, Request& out) {
  constexpr std::uint16_t kUsual = 9909;
  std::set<std::int64_t> taken;
  for (const char* kind : {"containers", "initContainers"}) {
    for (const json* container : containers_of(pod, kind)) {
      const json& ports = member(*container, "ports");
      if (!ports.is_array()) continue;
      for (const auto& each : ports) {
        const json& port = member(each, "containerPort");
        if (port.is_number_integer()) taken.insert(port.get<std::int64_t>());
      }
    }
  }
  std::uint16_t port = kUsual;
  while (taken.contains(port)) ++port;
  if (port != kUsual) out.health_port = port;
}

/// When the sidecar ends by itself.
void ends(VaultView& view, Request& out) {
  // About what the agent's first login and its twelve tries of a template take.
  constexpr auto kLogin = 30s;
  constexpr auto kTemplates = 5min;
  if (view.boolean("template-config-exit-on-retry-failure").value_or(false)) out.start_timeout = kTemplates;
  if (view.boolean("agent-auto-auth-exit-on-err").value_or(false)) out.start_timeout = kLogin;
  const auto port = view.number("agent-cache-listener-port", 1, 65535);
  if (view.boolean("agent-enable-quit").value_or(false))
    out.quit_port = static_cast<std::uint16_t>(port.value_or(8200));
  static_cast<void>(view.number("client-max-retries", -1, 1'000'000));
  const auto grace = view.number("agent-revoke-grace", 0, 60);
  if (grace && *grace > 0) out.shutdown_timeout = std::chrono::seconds(*grace);
}

/// Leases that cannot be renewed are replaced at 80 to 90 % of their time, each pod at another: near what was asked
/// for, or a warning.
void lease_threshold(VaultView& view) {
  constexpr const char* kName = "template-lease-renewal-threshold";
  const std::string text(trimmed(view.text(kName)));
  if (text.empty()) return;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (*end != 0 || !(value > 0) || !(value <= 1))
    view.wrong(kName, "must be a number above 0 and up to 1, such as 0.9");
  else if (value < 0.8 || value > 0.95)
    view.warn(kName, "is ignored: leases are replaced at 80 to 90 % of their time");
}

void logs(VaultView& view, Request& out) {
  const std::string& level = view.text("log-level");
  if (level == "trace") {
    out.log_level = "debug";
  } else if (level == "debug" || level == "info" || level == "warn" || level == "error") {
    out.log_level = level;
  } else if (!level.empty()) {
    view.wrong("log-level", "must be one of trace, debug, info, warn, error");
  }
  const std::string& format = view.text("log-format");
  if (format == "json" || format == "standard")
    out.log_format = format == "json" ? "json" : "text";
  else if (!format.empty())
    view.wrong("log-format", "must be standard or json");
}

void verification(VaultView& view, const Policy& policy) {
  if (!view.boolean("tls-skip-verify").value_or(false)) return;
  if (policy.skip_verify == Policy::SkipVerify::refuse)
    view.wrong(
        "tls-skip-verify",
        "the store's certificate is always verified: take this away, and name its authority by ca-cert or in the "
        "policy");
  else
    view.warn("tls-skip-verify", "the certificate is verified all the same");
}

const StorePolicy* store_of(VaultView& view, const Policy& policy, StorePolicy::Provider preferred) {
  const std::string service(trimmed(view.text("service")));
  const StorePolicy* store = service.empty() ? policy.default_vault_store(preferred) : policy.store_at(service);
  if (store != nullptr) return store;
  view.wrong("service", service.empty() ? "the policy has no store of vault or openbao that it could mean"
                                        : "is no address that the policy allows: have it added there, with https, or "
                                          "take this away for the usual one");
  return nullptr;
}

/// Whether these annotations ask for anything; a mistake when they cannot be read.
bool triggered(VaultView& view) {
  if (!view.has("agent-inject")) return false;
  if (view.text("agent-inject").empty()) return false;
  if (!view.boolean("agent-inject").value_or(true)) return false;
  return view.text("agent-inject-status") != "injected";
}

void read(VaultView& view, const json& pod, std::string_view pod_namespace, const Policy& policy, Request& out) {
  judge(view, pod);
  const bool openbao = view.full("agent-inject").starts_with(kOpenBaoDomain);
  out.status_annotation = std::string(openbao ? kOpenBaoDomain : kVaultDomain) + "agent-inject-status";
  out.volume = "vault-secrets";
  out.directory = vault_directory(view);
  out.refresh = view.duration("template-static-secret-render-interval", 1s, 366 * 24h);

  using Provider = StorePolicy::Provider;
  const StorePolicy* store = store_of(view, policy, openbao ? Provider::openbao : Provider::vault);
  out.files = vault_files(view, store == nullptr ? std::string() : store->name, out.directory);
  // With an address that is refused, all other mistakes are told, too.
  if (store == nullptr) store = policy.default_vault_store(openbao ? Provider::openbao : Provider::vault);
  if (store != nullptr) out.stores.push_back(vault_login(view, pod, *store, out.mounts));

  what_runs(view, out);
  out.containers = containers(view, pod);
  out.resources = resources(view);
  runs_as(view, out);
  token_volume(view, pod, out);
  shared_processes(view, pod, out);
  out.container_patch = container_patch(view, out.run == Request::Run::init_only);
  out.copy_mounts_of = view.text("agent-copy-volume-mounts");
  health_port(pod, out);
  ends(view, out);
  lease_threshold(view);
  logs(view, out);
  verification(view, policy);
  const std::string& space = view.text("agent-request-namespace");
  if (!space.empty() && !pod_namespace.empty() && space != pod_namespace)
    view.wrong("agent-request-namespace", "must be the pod's own namespace: take it away");
}

}  // namespace

Asked read_vault_annotations(const json& pod, std::string_view pod_namespace, const Policy& policy) {
  Asked out;
  if (!policy.vault_annotations || !pod.is_object()) return out;
  VaultView view(pod, out);
  out.wanted = triggered(view);
  if (!out.wanted) {
    // What does not ask for injection is not ours to judge, but for a trigger that cannot be read.
    const bool unreadable = view.has("agent-inject") && !out.mistakes.empty();
    if (!unreadable) out.mistakes.clear();
    return out;
  }
  read(view, pod, pod_namespace, policy, out.request);
  if (out.request.files.empty() && out.mistakes.empty())
    view.wrong("agent-inject", "asks for no file: name secrets by agent-inject-secret-X or agent-inject-template-X");
  return out;
}

}  // namespace injector::pod
