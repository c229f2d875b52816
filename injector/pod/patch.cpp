#include "injector/pod/patch.h"

#include <algorithm>
#include <array>
#include <utility>

#include "injector/pod/annotations.h"
#include "injector/pod/names.h"

namespace injector::pod {
namespace {

using scanner::base::Json;

constexpr const char* kProgram = "/usr/bin/secret-injector";
/// 0444, in decimal as JSON has it: nobody but the sidecar has this volume, and its user is not that of the file where
/// the pod has neither an fsGroup nor one user for all.
constexpr int kReadable = 0444;

std::string escaped(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

/// The kubelet puts $(NAME) together; a dollar stands for itself when there are two.
std::string unexpanded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '$') out += c;
  }
  return out;
}

/// object("name", "x", "readOnly", true). What nlohmann makes of `{{"name", "x"}, ...}` is the same; on the way there
/// it makes a list of each member and copies it, which was a third of an admission's allocations.
inline void put(Json&) {}
template <class Value, class... More>
void put(Json& out, const char* name, Value&& value, More&&... more) {
  out.emplace(name, std::forward<Value>(value));
  put(out, std::forward<More>(more)...);
}
template <class... Members>
Json object(Members&&... members) {
  Json out = Json::object();
  put(out, std::forward<Members>(members)...);
  return out;
}

/// Operations in the making. Knows what is there already, so that lists are made once and never anew.
class Patch {
 public:
  void add(const std::string& path, Json value) {
    operations_.push_back(object("op", "add", "path", path, "value", std::move(value)));
  }

  /// Adds to the end of the list `list` of what is at `where`, which is made when it is not there.
  void append(const Json& where, const std::string& path, const char* list, Json value) {
    make(where, path, list, Json::array());
    add(path + "/" + list + "/-", std::move(value));
  }
  /// Makes the member `name` when it is not there, and was not made before.
  void make(const Json& where, const std::string& path, const char* name, Json empty) {
    const std::string whole = path + "/" + name;
    if (find(where, name) != nullptr || std::ranges::find(made_, whole) != made_.end()) return;
    made_.push_back(whole);
    add(whole, std::move(empty));
  }

  Json take() { return std::move(operations_); }

 private:
  Json operations_ = Json::array();
  std::vector<std::string> made_;
};

const Json& object_or_empty(const Json& object, const char* name) {
  static const Json kEmpty = Json::object();
  const Json* found = find(object, name);
  return found == nullptr ? kEmpty : *found;
}

class Maker {
 public:
  Maker(const Json& pod, const Plan& plan, const Policy& policy, const std::string& config, Asked& asked)
      : pod_(pod),
        spec_(*find(pod, "spec")),
        plan_(plan),
        policy_(policy),
        config_(config),
        asked_(asked),
        request_(asked.request) {}

  Json make() {
    annotate();
    change_pod();
    add_volumes();
    mount_in_readers();
    add_containers();
    return patch_.take();
  }

 private:
  void annotate() {
    const Json& metadata = object_or_empty(pod_, "metadata");
    patch_.make(pod_, "", "metadata", Json::object());
    patch_.make(metadata, "/metadata", "annotations", Json::object());
    const auto add = [&](std::string_view name, const std::string& value) {
      patch_.add("/metadata/annotations/" + escaped(name), value);
    };
    add(kStatus, std::string(kInjected));
    if (!request_.status_annotation.empty()) add(request_.status_annotation, std::string(kInjected));
    for (const Source& source : plan_.sources) {
      if (source.kind == Source::Kind::annotation) add(source.name, source.value);
    }
  }

  void change_pod() {
    if (plan_.share_process_namespace) patch_.add("/spec/shareProcessNamespace", true);
    if (!plan_.supplemental_group) return;
    patch_.make(spec_, "/spec", "securityContext", Json::object());
    patch_.append(object_or_empty(spec_, "securityContext"), "/spec/securityContext", "supplementalGroups",
                  *plan_.supplemental_group);
  }

  void add_volumes() {
    const auto add = [&](Json volume) { patch_.append(spec_, "/spec", "volumes", std::move(volume)); };
    const std::string size = request_.size_limit.empty() ? policy_.size_limit : request_.size_limit;
    add(object("name", request_.volume, "emptyDir", object("medium", "Memory", "sizeLimit", size)));
    if (!plan_.sources.empty()) {
      Json sources = Json::array();
      for (const Source& source : plan_.sources) sources.push_back(projection(source));
      add(object("name", kIdentityVolume, "projected",
                 object("defaultMode", kReadable, "sources", std::move(sources))));
    }
    if (plan_.handover)
      add(object("name", kHandoverVolume, "emptyDir", object("medium", "Memory", "sizeLimit", "4Mi")));
    for (std::size_t i = 0; i < request_.mounts.size(); ++i) {
      const MountRequest& each = request_.mounts[i];
      if (each.kind == MountRequest::Kind::volume) continue;
      const bool secret = each.kind == MountRequest::Kind::secret;
      Json source = object(secret ? "secretName" : "name", each.name, "defaultMode", kReadable);
      if (each.optional) source["optional"] = true;
      add(object("name", volume_name(i), secret ? "secret" : "configMap", std::move(source)));
    }
  }

  Json projection(const Source& source) const {
    const auto item = [&](const char* name, auto&& value) {
      Json items = Json::array();
      items.push_back(object(name, value, "path", source.path));
      return items;
    };
    switch (source.kind) {
      case Source::Kind::token:
        return object("serviceAccountToken", object("audience", source.name, "expirationSeconds",
                                                    policy_.token_expiration.count(), "path", source.path));
      case Source::Kind::config_map:
        return object("configMap", object("name", source.name, "items", item("key", source.key)));
      case Source::Kind::secret:
        return object("secret", object("name", source.name, "items", item("key", source.key)));
      case Source::Kind::annotation:
        break;
    }
    const std::string field = "metadata.annotations['" + source.name + "']";
    return object("downwardAPI", object("items", item("fieldRef", object("apiVersion", "v1", "fieldPath", field))));
  }

  void mount_in_readers() {
    for (const Reader& reader : plan_.readers) {
      const char* list = reader.part == Part::container ? "containers" : "initContainers";
      const std::string path = std::string("/spec/") + list + "/" + std::to_string(reader.index);
      const Json& container = (*find(spec_, list))[reader.index];
      for (const auto& root : plan_.roots)
        patch_.append(container, path, "volumeMounts",
                      object("name", request_.volume, "mountPath", root, "readOnly", true));
    }
  }

  /// Init containers come last: what is put before them moves their numbers.
  void add_containers() {
    const bool once = request_.run == Request::Run::init_only;
    if (plan_.native && !once) {
      Json sidecar = container(kContainer, "run");
      sidecar["restartPolicy"] = "Always";
      add_probes(sidecar);
      return put_first(finished(std::move(sidecar)));
    }
    if (once || request_.gate_start) put_first(finished(container(once ? kContainer : kInitContainer, "init")));
    if (once) return;
    Json sidecar = container(kContainer, "run");
    add_probes(sidecar);
    patch_.append(spec_, "/spec", "containers", finished(std::move(sidecar)));
  }

  void put_first(Json container) {
    patch_.make(spec_, "/spec", "initContainers", Json::array());
    patch_.add("/spec/initContainers/0", std::move(container));
  }

  [[nodiscard]] Json container(std::string_view name, const char* command) const {
    Json out = object("name", name, "image", request_.image.empty() ? policy_.image : request_.image);
    if (!policy_.image_pull_policy.empty()) out["imagePullPolicy"] = policy_.image_pull_policy;
    out["command"] = {kProgram};
    out["args"] = plan_.handover ? Json{command, "--handover", kHandoverPath} : Json{command};
    out["env"] = environment();
    out["resources"] = resources();
    out["securityContext"] = security();
    out["volumeMounts"] = mounts();
    return out;
  }

  [[nodiscard]] Json environment() const {
    const auto field = [](const char* name, const char* path) {
      return object("name", name, "valueFrom", object("fieldRef", object("apiVersion", "v1", "fieldPath", path)));
    };
    Json out = Json::array();
    out.push_back(field("POD_NAME", "metadata.name"));
    out.push_back(field("POD_NAMESPACE", "metadata.namespace"));
    for (const Variable& each : plan_.environment)
      out.push_back(object("name", each.name, "value", unexpanded(each.value)));
    if (plan_.session_name) out.push_back(object("name", "AWS_ROLE_SESSION_NAME", "value", "$(POD_NAME)"));
    out.push_back(object("name", "SECRET_INJECTOR_CONFIG", "value", unexpanded(config_)));
    return out;
  }

  [[nodiscard]] Json resources() const {
    const auto side = [](std::initializer_list<std::tuple<const char*, const std::string*, const std::string*>> rows) {
      Json out = Json::object();
      for (const auto& [name, asked, preset] : rows) {
        const std::string& value = asked->empty() ? *preset : *asked;
        if (!value.empty() && quantity(value).value_or(0) > 0) out[name] = value;
      }
      return out;
    };
    const Resources& asked = request_.resources;
    const Resources& preset = policy_.resources;
    Json out = Json::object();
    Json requests = side({{"cpu", &asked.cpu_request, &preset.cpu_request},
                          {"memory", &asked.memory_request, &preset.memory_request},
                          {"ephemeral-storage", &asked.storage_request, &preset.storage_request}});
    Json limits = side({{"cpu", &asked.cpu_limit, &preset.cpu_limit},
                        {"memory", &asked.memory_limit, &preset.memory_limit},
                        {"ephemeral-storage", &asked.storage_limit, &preset.storage_limit}});
    for (auto& [name, value] : requests.items()) {
      // Who lowers a limit only means the preset request, too.
      if (limits.contains(name) && *quantity(value.get<std::string>()) > *quantity(limits[name].get<std::string>()))
        value = limits[name];
    }
    if (!requests.empty()) out["requests"] = std::move(requests);
    if (!limits.empty()) out["limits"] = std::move(limits);
    return out;
  }

  [[nodiscard]] Json security() const {
    Json out = object("allowPrivilegeEscalation", false, "capabilities", object("drop", Json::array({"ALL"})),
                      "readOnlyRootFilesystem", true, "runAsNonRoot", true, "seccompProfile",
                      object("type", "RuntimeDefault"));
    if (plan_.user) out["runAsUser"] = *plan_.user;
    if (plan_.group) out["runAsGroup"] = *plan_.group;
    return out;
  }

  [[nodiscard]] Json mounts() const {
    Json out = Json::array();
    out.push_back(object("name", request_.volume, "mountPath", plan_.roots.front()));
    if (!plan_.sources.empty())
      out.push_back(object("name", kIdentityVolume, "mountPath", kReserved, "readOnly", true));
    if (plan_.handover) out.push_back(object("name", kHandoverVolume, "mountPath", kHandoverPath));
    for (const Mounted& each : plan_.mounts) {
      Json mount = object("name", each.volume, "mountPath", each.path, "readOnly", true);
      if (!each.sub_path.empty()) mount["subPath"] = each.sub_path;
      out.push_back(std::move(mount));
    }
    return out;
  }

  /// The first probe waits for the first delivery, so that the containers start when it is there and not a second
  /// later.
  void add_probes(Json& sidecar) const {
    const std::string address = "127.0.0.1" + plan_.health.substr(plan_.health.rfind(':'));
    const auto probe = [&](std::initializer_list<const char*> words, int period, int timeout, int failures) {
      Json command = Json::array({kProgram, "health"});
      for (const char* word : words) command.push_back(word);
      command.push_back("--address");
      command.push_back(address);
      return object("exec", object("command", std::move(command)), "periodSeconds", period, "timeoutSeconds", timeout,
                    "failureThreshold", failures);
    };
    // A store that is away is weather: a day of it is waited for, and restarting the sidecar would not mend it.
    if (request_.gate_start) sidecar["startupProbe"] = probe({"--started", "--wait", "8s"}, 1, 10, 86'400);
    sidecar["livenessProbe"] = probe({"--live"}, 30, 5, 3);
    const bool unready = std::ranges::any_of(request_.files, [&](const FileRequest& each) {
      const auto& stale = each.max_stale ? each.max_stale : request_.max_stale;
      return stale && stale->then == MaxStale::Then::unready;
    });
    if (unready) sidecar["readinessProbe"] = probe({"--ready"}, 5, 5, 1);
  }

  /// The container as the pod's own patch of it has it, when that keeps to *restricted* and leaves what we rely on.
  Json finished(Json container) {
    if (request_.container_patch.is_null() || !policy_.container_patch) return container;
    Json before = container;
    try {
      container.patch_inplace(request_.container_patch);
    } catch (const Json::exception&) {
      wrong("the patch of the sidecar's container must be a JSON Patch (RFC 6902) that fits it");
      return before;
    }
    if (!still_restricted(container))
      wrong("the patch of the sidecar's container gives it more than Pod Security restricted allows");
    for (const char* name : {"name", "command", "args", "image", "env", "restartPolicy", "volumeMounts"}) {
      if (!kept(before, container, name))
        wrong(std::string("the patch of the sidecar's container must leave \"") + name +
              "\" as it is; it may add to env and volumeMounts");
    }
    return container;
  }

  /// Whether a member is the same, or a list that was only added to.
  static bool kept(const Json& before, const Json& after, const std::string& name) {
    if (!after.is_object() || after.contains(name) != before.contains(name)) return false;
    if (!before.contains(name)) return true;
    if (before[name] == after[name]) return true;
    if (name != "env" && name != "volumeMounts") return false;
    if (!after[name].is_array()) return false;
    const auto is_there = [&](const Json& each) { return std::ranges::find(after[name], each) != after[name].end(); };
    if (!std::ranges::all_of(before[name], is_there)) return false;
    // A second one of the name, or at the place, would stand in the place of ours.
    const char* key = name == "env" ? "name" : "mountPath";
    std::vector<std::string> seen;
    for (const Json& each : after[name]) {
      const Json* value = find(each, key);
      if (value == nullptr || !value->is_string()) return false;
      const std::string text = value->get<std::string>();
      if (std::ranges::find(seen, text) != seen.end()) return false;
      seen.push_back(text);
    }
    return true;
  }

  static bool still_restricted(const Json& container) {
    const Json* security = find(container, "securityContext");
    if (security == nullptr || !security->is_object()) return false;
    const auto is = [&](const char* name, bool value) {
      const Json* found = find(*security, name);
      return found != nullptr && *found == value;
    };
    if (!is("allowPrivilegeEscalation", false) || !is("runAsNonRoot", true) || !is("readOnlyRootFilesystem", true))
      return false;
    if (const Json* privileged = find(*security, "privileged"); privileged != nullptr && *privileged != false)
      return false;
    if (const Json* user = find(*security, "runAsUser");
        user != nullptr && (!user->is_number_integer() || user->get<std::int64_t>() <= 0))
      return false;
    if (const Json* mount = find(*security, "procMount"); mount != nullptr && *mount != "Default") return false;
    for (const char* name : {"seLinuxOptions", "windowsOptions", "appArmorProfile"}) {
      if (find(*security, name) != nullptr) return false;
    }
    const Json* capabilities = find(*security, "capabilities");
    if (capabilities == nullptr || *capabilities != Json{{"drop", {"ALL"}}}) return false;
    const Json* seccomp = find(*security, "seccompProfile");
    if (seccomp == nullptr || *seccomp != Json{{"type", "RuntimeDefault"}}) return false;
    if (const Json* ports = find(container, "ports"); ports != nullptr) {
      if (!ports->is_array()) return false;
      for (const Json& port : *ports) {
        if (find(port, "hostPort") != nullptr) return false;
      }
    }
    for (const char* name : {"lifecycle", "volumeDevices", "envFrom"}) {
      if (find(container, name) != nullptr) return false;
    }
    return true;
  }

  void wrong(std::string what) { asked_.mistakes.push_back(std::move(what)); }

  const Json& pod_;
  const Json& spec_;
  const Plan& plan_;
  const Policy& policy_;
  const std::string& config_;
  Asked& asked_;
  const Request& request_;
  Patch patch_;
};

}  // namespace

Json make_patch(const Json& pod, const Plan& plan, const Policy& policy, const std::string& config, Asked& asked) {
  return Maker(pod, plan, policy, config, asked).make();
}

}  // namespace injector::pod
