#include "injector/pod/plan.h"

#include <algorithm>
#include <array>
#include <set>

#include "injector/config/grammar.h"
#include "injector/pod/annotations.h"
#include "injector/pod/names.h"
#include "scanner/base/hash.h"

namespace injector::pod {
namespace {

using scanner::base::Json;

constexpr std::uint16_t kHealthPort = 9909;
constexpr std::string_view kTokenVolumePath = "/run/secret-injector-token";

const Json& list_of(const Json& object, const char* name) {
  static const Json kEmpty = Json::array();
  const Json* found = find(object, name);
  return found == nullptr ? kEmpty : *found;
}

std::optional<std::int64_t> number_of(const Json& object, const char* outer, const char* name) {
  const Json* context = find(object, outer);
  const Json* value = context == nullptr ? nullptr : find(*context, name);
  return value == nullptr ? std::nullopt : std::optional(value->get<std::int64_t>());
}

std::string text_of(const Json& object, const char* name) {
  const Json* value = find(object, name);
  return value == nullptr ? std::string() : value->get<std::string>();
}

bool true_of(const Json& object, const char* name) {
  const Json* value = find(object, name);
  return value != nullptr && value->get<bool>();
}

class Planner {
 public:
  Planner(const Json& pod, std::string_view pod_namespace, const Policy& policy, Asked& asked)
      : pod_(pod),
        spec_(*find(pod, "spec")),
        namespace_(pod_namespace),
        policy_(policy),
        asked_(asked),
        request_(asked.request) {}

  Plan make() {
    plan_.native = policy_.native_sidecar;
    plan_.handover = !plan_.native && request_.gate_start && request_.run == Request::Run::sidecar;
    check_pod();
    choose_readers();
    choose_roots();
    choose_user();
    place_files();
    check_changes();
    choose_health();
    for (const auto& store : request_.stores) add_store(store);
    add_mounts();
    check_names();
    check_request();
    return std::move(plan_);
  }

 private:
  void wrong(std::string what) { asked_.mistakes.push_back(std::move(what)); }
  void warn(std::string what) {
    if (what.size() > 120) what.resize(120);
    asked_.warnings.push_back(std::move(what));
  }

  void check_pod() {
    if (const Json* os = find(spec_, "os"); os != nullptr && text_of(*os, "name") == "windows")
      wrong("the pod is for Windows, where there is no memory volume: no secrets can be delivered to it");
    const std::string restart = text_of(spec_, "restartPolicy");
    const bool ends = restart == "Never" || restart == "OnFailure";
    if (!plan_.native && ends && request_.run == Request::Run::sidecar) {
      wrong(
          "the pod would never end, because this cluster has no native sidecars: set secret-injector.io/init-only: "
          "\"true\"");
    }
  }

  void choose_readers() {
    std::vector<std::string> names;
    const auto look = [&](const char* list, Part part) {
      const Json& all = list_of(spec_, list);
      for (std::size_t i = 0; i < all.size(); ++i) {
        Reader reader{part, i, text_of(all[i], "name"), number_of(all[i], "securityContext", "runAsUser")};
        if (!reader.user) reader.user = number_of(spec_, "securityContext", "runAsUser");
        names.push_back(reader.name);
        const bool named = std::ranges::find(request_.containers, reader.name) != request_.containers.end();
        const bool all_of_these =
            request_.containers.empty() || (part == Part::init_container && request_.init_containers_too);
        if (named || all_of_these) plan_.readers.push_back(std::move(reader));
      }
    };
    look("containers", Part::container);
    look("initContainers", Part::init_container);
    for (const auto& name : request_.containers) {
      if (std::ranges::find(names, name) == names.end())
        wrong("the pod has no container of a name in the list of containers" + config::suggestion(name, names));
    }
  }

  std::string directory_of(const FileRequest& file) const {
    if (!file.directory.empty()) return file.directory;
    return request_.directory.empty() ? policy_.mount_path : request_.directory;
  }

  void choose_roots() {
    std::vector<std::string> all;
    for (const auto& file : request_.files) {
      const std::string directory = directory_of(file);
      if (const char* flaw = flaw_of_directory(directory)) {
        wrong(file.asked_by + ": the folder it goes to " + flaw);
        return;
      }
      all.push_back(directory);
    }
    std::ranges::sort(all);
    for (const auto& each : all) {
      const bool inside = std::ranges::any_of(plan_.roots, [&](const std::string& root) { return nested(root, each); });
      if (!inside) plan_.roots.push_back(each);
    }
    for (const auto& root : plan_.roots) {
      for (const auto& reader : plan_.readers) check_mounts_of(reader, root);
    }
  }

  const Json& container_of(const Reader& reader) const {
    return list_of(spec_, reader.part == Part::container ? "containers" : "initContainers")[reader.index];
  }

  /// Nothing else may be mounted where the files go, nor above or beneath: one would hide the other.
  void check_mounts_of(const Reader& reader, const std::string& root) {
    for (const Json& mount : list_of(container_of(reader), "volumeMounts")) {
      std::string path = text_of(mount, "mountPath");
      while (path.size() > 1 && path.ends_with('/')) path.pop_back();
      // A mount above is how a volume holds a folder for another: the deeper one is seen.
      const bool hides = path == root || (nested(root, path) && path.size() > root.size());
      if (hides)
        wrong("container " + reader.name + " mounts something at or beneath " + root +
              ", where the files go: choose another secret-injector.io/mount-path");
    }
  }

  // --- users ---------------------------------------------------------------------------------------------------------

  /// The one user that all readers run as, when that is known and is not root.
  std::optional<std::int64_t> common_user() const {
    if (plan_.readers.empty() || !plan_.readers[0].user || *plan_.readers[0].user <= 0) return std::nullopt;
    const bool same =
        std::ranges::all_of(plan_.readers, [&](const Reader& each) { return each.user == plan_.readers[0].user; });
    return same ? plan_.readers[0].user : std::nullopt;
  }

  std::optional<std::int64_t> group_of_first() const {
    if (plan_.readers.empty()) return std::nullopt;
    auto group = number_of(container_of(plan_.readers[0]), "securityContext", "runAsGroup");
    if (!group) group = number_of(spec_, "securityContext", "runAsGroup");
    return group && *group > 0 ? group : std::nullopt;
  }

  void choose_user() {
    const auto common = common_user();
    if (request_.user) {
      if (*request_.user <= 0 || *request_.user > 0xfffffffe)
        wrong("the sidecar's user must be a number from 1 on: it never runs as root");
      plan_.user = request_.user;
    } else if (request_.same_user) {
      const auto first = plan_.readers.empty() ? std::nullopt : plan_.readers[0].user;
      if (!first || *first <= 0) {
        wrong("the sidecar is to run as the same user as container " +
              (plan_.readers.empty() ? std::string("?") : plan_.readers[0].name) +
              ", which must then have a runAsUser other than 0");
      }
      plan_.user = first;
    } else if (request_.security_context) {
      plan_.user = common ? common : policy_.user;
    }
    if (request_.group) {
      if (*request_.group < 0 || *request_.group > 0xfffffffe) wrong("the sidecar's group must be a number");
      plan_.group = request_.group;
    } else if (plan_.user && plan_.user == common) {
      plan_.group = group_of_first().value_or(policy_.group);
    } else if (request_.security_context) {
      plan_.group = policy_.group;
    }
    // Without one of our own it is the pod's, or the image's.
    const auto effective =
        plan_.user ? plan_.user : number_of(spec_, "securityContext", "runAsUser").value_or(policy_.user);
    shared_ = common && effective == common;
  }

  /// The file's path in the volume, whose root is the shallowest of nested folders.
  std::optional<RelativePath> path_of(const FileRequest& file) {
    const std::string directory = directory_of(file);
    const auto root =
        std::ranges::find_if(plan_.roots, [&](const std::string& each) { return nested(each, directory); });
    if (root == plan_.roots.end()) return std::nullopt;
    std::string text = file.path.text();
    if (directory.size() > root->size()) text = directory.substr(root->size() + 1) + "/" + text;
    auto path = RelativePath::parse(text);
    if (!path) {
      wrong(file.asked_by + ": its path " + path.error().message());
      return std::nullopt;
    }
    return std::move(*path);
  }

  void place_files() {
    bool by_group = false;
    for (const auto& file : request_.files) {
      auto path = path_of(file);
      if (!path) continue;
      for (const auto& other : plan_.files) {
        if (!path->contains(other.path) && !other.path.contains(*path)) continue;
        if (directory_of(file) == directory_of(*other.file) && file.path == other.file->path)
          continue;  // Told already.
        wrong(file.asked_by + " and " + other.file->asked_by +
              ": their files have the same path in two folders, which are one volume: give one of them another path");
      }
      const mode_t mode = file.mode.value_or(shared_ ? 0400 : 0440);
      check_mode(file, mode);
      by_group = by_group || (!shared_ && !file.group && (mode & 0040U) != 0 && (mode & 0004U) == 0);
      plan_.files.push_back({&file, std::move(*path), mode});
    }
    std::ranges::sort(plan_.files, {}, &Placed::path);
    if (by_group) let_the_group_read();
  }

  void check_mode(const FileRequest& file, mode_t mode) {
    if (shared_ || (mode & 0044U) != 0 || file.owner) return;
    const auto known = std::ranges::find_if(
        plan_.readers, [&](const Reader& each) { return each.user && *each.user != 0 && each.user != plan_.user; });
    if (known != plan_.readers.end()) {
      wrong(file.asked_by + ": only the sidecar's user could read the file, and container " + known->name +
            " runs as another: let the group read it (mode 0440), or give all containers that see it one runAsUser");
    } else {
      warn("only root and the sidecar's user can read a file of mode 0400: set runAsUser, or mode 0440");
    }
  }

  /// With an fsGroup, files have it. Else all containers of the pod become members of the sidecar's group, which
  /// touches no other volume.
  void let_the_group_read() {
    if (number_of(spec_, "securityContext", "fsGroup")) return;
    const std::int64_t group = plan_.group.value_or(policy_.group);
    const Json* context = find(spec_, "securityContext");
    for (const Json& each : context == nullptr ? Json::array() : list_of(*context, "supplementalGroups")) {
      if (each == group) return;
    }
    plan_.supplemental_group = group;
  }

  void check_changes() {
    const bool shared_processes = true_of(spec_, "shareProcessNamespace");
    bool wanted = request_.share_process_namespace.value_or(false);
    for (const auto& file : request_.files) {
      const auto* signal = file.on_change ? std::get_if<SignalProcess>(&file.on_change->how) : nullptr;
      if (signal == nullptr || signal->process.empty()) continue;
      if (request_.run == Request::Run::init_only) {
        wrong(file.asked_by +
              ": nobody can be told of a change, because secrets are delivered once: remove on-change or init-only");
      } else if (true_of(spec_, "hostPID")) {
        wrong(file.asked_by +
              ": a signal in a pod with hostPID could meet any process of the node: use on-change by http");
      } else if (!shared_) {
        wrong(file.asked_by +
              ": a signal reaches only processes of the sidecar's own user: give all containers that see the files one "
              "runAsUser (not 0), or use on-change by http");
      }
      wanted = true;
    }
    if (!wanted || shared_processes) return;
    if (find(spec_, "shareProcessNamespace") != nullptr) {
      wrong(
          "a signal needs shareProcessNamespace, which the pod sets to false: remove that line, or use on-change by "
          "http");
    } else if (true_of(spec_, "hostPID")) {
      return;  // The two exclude each other, and it is told above.
    } else {
      plan_.share_process_namespace = true;
    }
  }

  // --- health --------------------------------------------------------------------------------------------------------

  void choose_health() {
    std::uint16_t port = request_.health_port.value_or(kHealthPort);
    const bool on_node = true_of(spec_, "hostNetwork");
    if (on_node && !request_.health_port) port = port_of_name();
    for (const char* list : {"containers", "initContainers"}) {
      for (const Json& container : list_of(spec_, list)) {
        for (const Json& each : list_of(container, "ports")) {
          if (each["containerPort"] == port)
            wrong("container " + text_of(container, "name") + " has port " + std::to_string(port) +
                  ", where the sidecar answers probes: set secret-injector.io/health-port to a free one");
        }
      }
    }
    plan_.health = (on_node ? "127.0.0.1:" : "0.0.0.0:") + std::to_string(port);
  }

  /// Pods on the node's network share its ports: each workload gets one of its own.
  std::uint16_t port_of_name() const {
    const Json* metadata = find(pod_, "metadata");
    std::string name(namespace_);
    if (metadata != nullptr) {
      const std::string generated = text_of(*metadata, "generateName");
      name += "/" + (generated.empty() ? text_of(*metadata, "name") : generated);
    }
    const auto digest = scanner::base::sha256(name);
    return static_cast<std::uint16_t>(20000 + (digest[0] * 256U + digest[1]) % 10000);
  }

  // --- stores --------------------------------------------------------------------------------------------------------

  void add_store(const StoreRequest& use) {
    const StorePolicy* store = policy_.store(use.name);
    if (store == nullptr) return wrong("the policy has no store \"" + use.name + "\"");
    if (!store->pod_namespaces.empty() && std::ranges::none_of(store->pod_namespaces, [&](const std::string& each) {
          return matches(each, namespace_);
        })) {
      return wrong("the policy does not let pods of this namespace use the store \"" + store->name +
                   "\": ask the operator");
    }
    check_role(use, *store);
    if (use.ca_file.empty() && use.ca_dir.empty()) add_authority(*store);
    if (store->is_vault()) {
      check_spaces(use, *store);
      add_login(use, *store);
    } else {
      add_aws(use.role.empty() ? store->role : use.role, *store);
    }
  }

  void check_role(const StoreRequest& use, const StorePolicy& store) {
    const bool plain =
        std::ranges::all_of(use.role, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
    if (!plain) return wrong("the role for the store \"" + store.name + "\" must be without control characters");
    if (!use.role.empty() && use.role != store.role && !store.roles.empty() &&
        std::ranges::none_of(store.roles, [&](const std::string& each) { return matches(each, use.role); })) {
      wrong("the policy does not let pods name this role for the store \"" + store.name + "\": ask the operator");
    }
    if (store.is_vault() && !use.auth && store.login != StorePolicy::Login::jwt && use.role.empty() &&
        store.role.empty())
      wrong("no role is named to log in to the store \"" + store.name + "\" as: add secret-injector.io/role");
    if (!store.is_vault() && !use.role.empty() && !use.role.starts_with("arn:"))
      wrong("the role for the store \"" + store.name +
            "\" must be an ARN, such as arn:aws:iam::111122223333:role/shop");
  }

  void check_spaces(const StoreRequest& use, const StorePolicy& store) {
    const auto allowed = [&](const std::string& space) {
      return space == store.space || space == store.auth_space ||
             std::ranges::any_of(store.spaces, [&](const std::string& each) { return matches(each, space); });
    };
    for (const auto* space : {&use.space, &use.auth_space}) {
      if (*space && !allowed(**space))
        wrong("the policy does not let pods name this namespace of the store \"" + store.name + "\": ask the operator");
    }
    for (const auto& file : request_.files) {
      for (const Query& query : file.from) {
        if (query.store == store.name && !query.space.empty() && !allowed(query.space))
          wrong(file.asked_by + ": the policy does not let pods name this namespace of the store \"" + store.name +
                "\": ask the operator");
      }
    }
  }

  void add_authority(const StorePolicy& store) {
    Source source;
    source.path = "ca/" + store.name + ".crt";
    if (!store.ca.config_map.empty()) {
      source.kind = Source::Kind::config_map;
      source.name = store.ca.config_map;
      source.key = store.ca.key;
    } else if (!store.ca.secret.empty()) {
      source.kind = Source::Kind::secret;
      source.name = store.ca.secret;
      source.key = store.ca.key;
    } else if (!store.ca.pem.empty()) {
      source.kind = Source::Kind::annotation;
      source.name = std::string(kCaPrefix) + store.name;
      source.value = store.ca.pem;
    } else {
      return;
    }
    plan_.authority_files[store.name] = std::string(kReserved) + "/" + source.path;
    plan_.sources.push_back(std::move(source));
  }

  void add_login(const StoreRequest& use, const StorePolicy& store) {
    using Login = StorePolicy::Login;
    const auto* kubernetes = use.auth ? std::get_if<config::KubernetesAuth>(&*use.auth) : nullptr;
    const auto* jwt = use.auth ? std::get_if<config::JwtAuth>(&*use.auth) : nullptr;
    const bool by_token = use.auth ? (kubernetes != nullptr && kubernetes->token_file.empty()) ||
                                         (jwt != nullptr && jwt->token_file.empty())
                                   : store.login != Login::aws;
    const bool by_aws = use.auth ? std::holds_alternative<config::AwsAuth>(*use.auth) : store.login == Login::aws;
    if (by_aws) add_copied_identity();
    if (!by_token) return;
    if (!request_.token_volume.empty()) {
      plan_.token_files[store.name] =
          std::string(kTokenVolumePath) + "/" + (request_.token_path.empty() ? "token" : request_.token_path);
      needs_token_volume_ = true;
      return;
    }
    plan_.token_files[store.name] = add_token("tokens/" + store.name, store.audience);
  }

  std::string add_token(const std::string& path, const std::string& audience) {
    plan_.sources.push_back({Source::Kind::token, path, audience, "", ""});
    return std::string(kReserved) + "/" + path;
  }

  void set(const std::string& name, const std::string& value) {
    const bool there = std::ranges::any_of(plan_.environment, [&](const Variable& each) { return each.name == name; });
    if (!there) plan_.environment.push_back({name, value});
  }
  [[nodiscard]] const std::string* variable(std::string_view name) const {
    const auto found = std::ranges::find(plan_.environment, name, &Variable::name);
    return found == plan_.environment.end() ? nullptr : &found->value;
  }

  void add_aws(const std::string& role, const StorePolicy& store) {
    using Identity = StorePolicy::Identity;
    const bool irsa = store.identity == Identity::irsa || (store.identity == Identity::automatic && !role.empty());
    if (store.identity == Identity::irsa && role.empty())
      return wrong("no role is named for the store \"" + store.name +
                   "\": add secret-injector.io/role with the ARN of a role");
    if (irsa) {
      if (const std::string* other = variable("AWS_ROLE_ARN"); other != nullptr && *other != role) {
        plan_.assumed_roles[store.name] = role;
        if (!web_identity_.empty()) plan_.token_files[store.name] = web_identity_;
        return;
      }
      if (web_identity_.empty()) web_identity_ = add_token("tokens/aws-sts", "sts.amazonaws.com");
      plan_.token_files[store.name] = web_identity_;
      set("AWS_ROLE_ARN", role);
      set("AWS_WEB_IDENTITY_TOKEN_FILE", web_identity_);
      choose_session_name();
    } else if (store.identity == Identity::pod_identity) {
      if (variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") == nullptr) {
        set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", add_token("tokens/aws-pod-identity", "pods.eks.amazonaws.com"));
        set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials");
      }
    } else if (store.identity == Identity::automatic) {
      add_copied_identity();
    }
    copy_variables({"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_STS_REGIONAL_ENDPOINTS"});
  }

  /// Names that the API server makes of generateName have at most 63 letters, as many as fit into that of a session.
  void choose_session_name() {
    const Json* metadata = find(pod_, "metadata");
    const std::string name = metadata == nullptr ? "" : text_of(*metadata, "name");
    plan_.session_name = name.size() != 1 && name.size() <= 64;
  }

  /// What EKS' own webhook gave the containers, when it ran before us; otherwise it comes after us and serves us, too.
  void add_copied_identity() {
    for (const char* list : {"containers", "initContainers"}) {
      for (const Json& container : list_of(spec_, list)) {
        for (const Json& each : list_of(container, "env")) {
          const std::string name = text_of(each, "name");
          if (name == "AWS_WEB_IDENTITY_TOKEN_FILE" || name == "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            copy_identity(container, text_of(each, "value"));
            return;
          }
        }
      }
    }
  }

  void copy_identity(const Json& container, const std::string& token_file) {
    static constexpr std::array kNames = {"AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE",
                                          "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                          "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"};
    for (const char* name : kNames) {
      for (const Json& each : list_of(container, "env")) {
        if (text_of(each, "name") == name && !text_of(each, "value").empty()) set(name, text_of(each, "value"));
      }
    }
    for (const Json& mount : list_of(container, "volumeMounts")) {
      const std::string path = text_of(mount, "mountPath");
      if (path.size() > 1 && nested(path, token_file) && path.size() <= token_file.size()) {
        add_mount({text_of(mount, "name"), path, text_of(mount, "subPath")});
        return;
      }
    }
  }

  void copy_variables(std::initializer_list<const char*> names) {
    for (const char* name : names) {
      for (const Json& container : list_of(spec_, "containers")) {
        for (const Json& each : list_of(container, "env")) {
          const std::string value = text_of(each, "value");
          // One that is put together from others would be put together from ours.
          if (text_of(each, "name") == name && !value.empty() && value.find('$') == std::string::npos) set(name, value);
        }
      }
    }
  }

  // --- mounts --------------------------------------------------------------------------------------------------------

  void add_mount(Mounted mount) {
    const bool there = std::ranges::any_of(plan_.mounts, [&](const Mounted& each) { return each.path == mount.path; });
    if (!there) plan_.mounts.push_back(std::move(mount));
  }

  [[nodiscard]] bool has_volume(const std::string& name) const {
    return std::ranges::any_of(list_of(spec_, "volumes"),
                               [&](const Json& each) { return text_of(each, "name") == name; });
  }

  void add_mounts() {
    if (needs_token_volume_) {
      if (!has_volume(request_.token_volume))
        wrong("the pod has no volume of the name that is to hold the token of its service account");
      add_mount({request_.token_volume, std::string(kTokenVolumePath), ""});
    }
    for (std::size_t i = 0; i < request_.mounts.size(); ++i) {
      const MountRequest& each = request_.mounts[i];
      if (const char* flaw = flaw_of_sidecar_path(each.path))
        wrong(std::string("a place to mount something at in the sidecar ") + flaw);
      if (each.kind == MountRequest::Kind::volume) {
        if (!has_volume(each.name)) wrong("the pod has no volume of a name that the sidecar is to mount");
        add_mount({each.name, each.path, ""});
      } else {
        if (const char* flaw = flaw_of_object_name(each.name))
          wrong(std::string("the name of a Secret or ConfigMap that the sidecar is to mount ") + flaw);
        add_mount({volume_name(i), each.path, ""});
        plan_.volumes.push_back(each);
      }
    }
    copy_mounts();
    for (const auto& mount : plan_.mounts) {
      if (!plan_.roots.empty() && nested(plan_.roots[0], mount.path))
        wrong("the sidecar would have to mount something within " + plan_.roots[0] +
              ", where it writes the files: choose another mount path");
    }
  }

  void copy_mounts() {
    if (request_.copy_mounts_of.empty()) return;
    for (const char* list : {"containers", "initContainers"}) {
      for (const Json& container : list_of(spec_, list)) {
        if (text_of(container, "name") != request_.copy_mounts_of) continue;
        for (const Json& mount : list_of(container, "volumeMounts")) {
          const std::string path = text_of(mount, "mountPath");
          // The kubelet's own token is none of the sidecar's affair unless it is asked for by its volume.
          if (path.starts_with("/var/run/secrets/kubernetes.io/")) continue;
          if (const char* flaw = flaw_of_sidecar_path(path))
            wrong(std::string("a volume mount that the sidecar is to copy ") + flaw);
          add_mount({text_of(mount, "name"), path, text_of(mount, "subPath")});
        }
        return;
      }
    }
    wrong("the pod has no container of the name whose volume mounts the sidecar is to copy");
  }

  void check_names() {
    std::vector<std::string> volumes{request_.volume, std::string(kIdentityVolume), std::string(kHandoverVolume)};
    for (std::size_t i = 0; i < request_.mounts.size(); ++i) volumes.push_back(volume_name(i));
    for (const auto& name : volumes) {
      if (has_volume(name))
        wrong("the pod has a volume \"" + name + "\", which is a name of the injector's: rename it");
    }
    for (const char* list : {"containers", "initContainers"}) {
      for (const Json& container : list_of(spec_, list)) {
        const std::string name = text_of(container, "name");
        if (name == kContainer || name == kInitContainer)
          wrong("the pod has a container \"" + name + "\", which is a name of the injector's: rename it");
        for (const Json& mount : list_of(container, "volumeMounts")) {
          if (std::ranges::find(volumes, text_of(mount, "name")) != volumes.end())
            wrong("container " + name +
                  " mounts a volume of the injector's itself: remove that mount, the injector adds its own (without "
                  "subPath, which would never see a change)");
        }
      }
    }
  }

  void check_request() {
    if (!request_.image.empty() && !policy_.allows_image(request_.image))
      wrong("the policy allows no such image for the sidecar");
    const auto check = [&](const std::string& text, const char* what) {
      if (!text.empty() && !quantity(text))
        wrong(std::string(what) + " of the sidecar must be a quantity such as 50m or 64Mi");
    };
    check(request_.resources.cpu_request, "the CPU request");
    check(request_.resources.memory_request, "the memory request");
    check(request_.resources.storage_request, "the storage request");
    check(request_.resources.cpu_limit, "the CPU limit");
    check(request_.resources.memory_limit, "the memory limit");
    check(request_.resources.storage_limit, "the storage limit");
    check(request_.size_limit, "the size limit");
    if (!request_.container_patch.is_null() && !policy_.container_patch)
      wrong("the policy does not let pods patch the sidecar's container");
  }

  const Json& pod_;
  const Json& spec_;
  std::string_view namespace_;
  const Policy& policy_;
  Asked& asked_;
  Request& request_;
  Plan plan_;
  bool shared_ = false;  ///< Whether the sidecar runs as the user that all readers run as.
  bool needs_token_volume_ = false;
  std::string web_identity_;
};

}  // namespace

std::string volume_name(std::size_t index) { return "secret-injector-mount-" + std::to_string(index); }

Plan make_plan(const Json& pod, std::string_view pod_namespace, const Policy& policy, Asked& asked) {
  return Planner(pod, pod_namespace, policy, asked).make();
}

}  // namespace injector::pod
