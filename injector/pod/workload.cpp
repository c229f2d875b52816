#include "injector/pod/workload.h"

#include <algorithm>
#include <array>
#include <optional>

#include "injector/pod/annotations.h"
#include "injector/pod/line_diff.h"
#include "injector/pod/plan.h"
#include "injector/pod/review.h"

namespace injector::pod {
namespace {

using scanner::base::Json;

struct Kind {
  std::string_view group;  ///< What its apiVersion begins with.
  std::string_view kind;
  std::string_view pod;  ///< Where the pod is in it.
};
constexpr std::array<Kind, 9> kKinds{{{"v1", "Pod", ""},
                                      {"v1", "ReplicationController", "/spec/template"},
                                      {"v1", "PodTemplate", "/template"},
                                      {"apps/", "Deployment", "/spec/template"},
                                      {"apps/", "StatefulSet", "/spec/template"},
                                      {"apps/", "DaemonSet", "/spec/template"},
                                      {"apps/", "ReplicaSet", "/spec/template"},
                                      {"batch/", "Job", "/spec/template"},
                                      {"batch/", "CronJob", "/spec/jobTemplate/spec/template"}}};

std::string text_at(const OrderedJson& object, const char* pointer) {
  const OrderedJson::json_pointer path(pointer);
  if (!object.is_structured() || !object.contains(path)) return {};
  const OrderedJson& value = object.at(path);
  return value.is_string() ? value.get<std::string>() : std::string();
}

const Kind* kind_of(const OrderedJson& object) {
  const std::string version = text_at(object, "/apiVersion");
  const std::string kind = text_at(object, "/kind");
  const auto* found = std::ranges::find_if(kKinds, [&](const Kind& each) {
    return each.kind == kind && (each.group.ends_with('/') ? version.starts_with(each.group) : version == each.group);
  });
  return found == kKinds.end() ? nullptr : &*found;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t from = 0; from < text.size();) {
    const auto feed = std::min(text.find('\n', from), text.size());
    out.push_back(text.substr(from, feed - from));
    from = feed + 1;
  }
  return out;
}

class Reviewer {
 public:
  Reviewer(const std::vector<Manifest>& manifests, const std::string& preset, const Policy& policy)
      : manifests_(manifests), preset_(preset), policy_(policy) {}

  std::vector<Workload> all() {
    for (std::size_t i = 0; i < manifests_.size(); ++i) look(i, manifests_[i].value, "", 0);
    return std::move(out_);
  }

 private:
  void look(std::size_t document, const OrderedJson& object, const std::string& pointer, int depth) {
    if (!object.is_object()) return;
    const std::string kind = text_at(object, "/kind");
    if (kind.ends_with("List") && depth < 4) {
      const auto items = object.find("items");
      if (items == object.end() || !items->is_array()) return;
      for (std::size_t i = 0; i < items->size(); ++i)
        look(document, (*items)[i], pointer + "/items/" + std::to_string(i), depth + 1);
      return;
    }
    const Kind* known = kind_of(object);
    if (known == nullptr) return;
    Workload out;
    out.document = document;
    out.pointer = pointer;
    out.kind = kind;
    out.name = text_at(object, "/metadata/name");
    if (out.name.empty()) out.name = text_at(object, "/metadata/generateName");
    const std::string pod_path(known->pod);
    const std::size_t begin = manifests_[document].line;
    out.line = std::min(line_of(document, pointer + "/kind", "").value_or(begin),
                        line_of(document, pointer + "/apiVersion", "").value_or(begin));
    const OrderedJson::json_pointer where(pod_path);
    if (!object.contains(where)) {
      refuse(out, std::to_string(out.line) + ": has no pod at " + pod_path.substr(1));
      return;
    }
    const OrderedJson& pod = object.at(where);
    for (const auto& said : {text_at(pod, "/metadata/namespace"), text_at(object, "/metadata/namespace"), preset_}) {
      if (out.pod_namespace.empty()) out.pod_namespace = said;
    }
    const Verdict verdict = review(Json::parse(pod.dump()), out.pod_namespace, policy_);
    out.allowed = verdict.allowed;
    for (const auto& each : lines_of(verdict.message))
      out.mistakes.push_back(std::to_string(line_of_mistake(out, pod_path, each)) + ": " + each);
    for (const auto& each : verdict.warnings)
      out.warnings.push_back(std::to_string(line_of_mistake(out, pod_path, each)) + ": " + each);
    if (!pod_path.empty()) warn_of_label(object, pod, out);
    out.patch = verdict.patch;
    for (Json& operation : out.patch) operation["path"] = pod_path + operation["path"].get<std::string>();
    out_.push_back(std::move(out));
  }

  void refuse(Workload out, std::string what) {
    out.allowed = false;
    out.mistakes.push_back(std::move(what));
    out.patch = Json::array();
    out_.push_back(std::move(out));
  }

  /// The label on the workload, where nobody looks, and not on its pods.
  void warn_of_label(const OrderedJson& object, const OrderedJson& pod, Workload& out) const {
    const std::string label = "/metadata/labels/" + pointer_part(kInject);
    if (text_at(object, label.c_str()) != "true" || !text_at(pod, label.c_str()).empty()) return;
    const auto line = line_of(out.document, out.pointer + label, "");
    out.warnings.push_back(std::to_string(line.value_or(out.line)) +
                           ": the label secret-injector.io/inject belongs into the template's metadata.labels, too");
  }

  [[nodiscard]] std::optional<std::size_t> line_of(std::size_t document, const std::string& first,
                                                   const std::string& second) const {
    const auto& lines = manifests_[document].lines;
    for (const auto& path : {first, second}) {
      if (const auto found = lines.find(path); found != lines.end()) return found->second;
    }
    return std::nullopt;
  }

  /// A mistake begins with the annotation that it is of, or names it; else it is of the pod.
  std::size_t line_of_mistake(const Workload& workload, const std::string& pod_path, const std::string& what) const {
    const std::string metadata = workload.pointer + pod_path + "/metadata";
    const std::string name = what.substr(0, std::min(what.find(": "), what.find(' ')));
    if (const auto line = line_of(workload.document, metadata + "/annotations/" + pointer_part(name), "")) return *line;
    if (what.find(kInject) != std::string::npos) {
      if (const auto line = line_of(workload.document, metadata + "/labels/" + pointer_part(kInject), "")) return *line;
    }
    return line_of(workload.document, metadata + "/annotations", workload.pointer + pod_path + "/spec")
        .value_or(workload.line);
  }

  const std::vector<Manifest>& manifests_;
  const std::string& preset_;
  const Policy& policy_;
  std::vector<Workload> out_;
};

/// Patches are `add` alone; `-` and numbers are lists' business.
void apply(OrderedJson& object, const Json& patch) {
  for (const Json& operation : patch) {
    const OrderedJson::json_pointer path(operation["path"].get<std::string>());
    OrderedJson value = OrderedJson::parse(operation["value"].dump());
    OrderedJson& parent = object.at(path.parent_pointer());
    const std::string& last = path.back();
    if (parent.is_array() && last != "-") {
      parent.insert(parent.begin() + std::stol(last), std::move(value));
    } else if (parent.is_array()) {
      parent.push_back(std::move(value));
    } else {
      parent[last] = std::move(value);
    }
  }
}

/// The document with what is to be done to its objects; nothing when that is nothing.
std::optional<OrderedJson> patched(const Manifest& manifest, std::size_t index,
                                   const std::vector<Workload>& workloads) {
  std::optional<OrderedJson> out;
  for (const Workload& each : workloads) {
    if (each.document != index || each.patch.empty()) continue;
    if (!out) out = manifest.value;
    apply(out->at(OrderedJson::json_pointer(each.pointer)), each.patch);
  }
  return out;
}

/// The lines before a document's first key: its "---", comments, nothing.
std::string head_of(const std::string& text) {
  std::string out;
  for (std::size_t from = 0; from < text.size();) {
    const auto feed = std::min(text.find('\n', from), text.size());
    const std::string line = text.substr(from, feed - from);
    const auto first = line.find_first_not_of(' ');
    const bool mark = line == "---" || line.starts_with("--- #");
    if (first != std::string::npos && line[first] != '#' && !mark) break;
    out += line + "\n";
    from = feed + 1;
  }
  return out;
}

}  // namespace

std::string Workload::title() const { return name.empty() ? kind : kind + "/" + name; }

std::vector<Workload> review_manifests(const std::vector<Manifest>& manifests, const std::string& preset_namespace,
                                       const Policy& policy) {
  return Reviewer(manifests, preset_namespace, policy).all();
}

std::string patched_yaml(const std::vector<Manifest>& manifests, const std::vector<Workload>& workloads) {
  std::string out;
  for (std::size_t i = 0; i < manifests.size(); ++i) {
    if (!out.empty() && !out.ends_with('\n')) out += '\n';
    const auto changed = patched(manifests[i], i, workloads);
    out += changed ? head_of(manifests[i].text) + yaml_text(*changed) : manifests[i].text;
  }
  return out;
}

std::string patched_json(const std::vector<Manifest>& manifests, const std::vector<Workload>& workloads) {
  OrderedJson all = OrderedJson::array();
  for (std::size_t i = 0; i < manifests.size(); ++i) {
    if (manifests[i].value.is_null()) continue;
    if (auto changed = patched(manifests[i], i, workloads); changed) {
      all.push_back(std::move(*changed));
    } else {
      all.push_back(manifests[i].value);
    }
  }
  const auto text = [](const OrderedJson& value) {
    return value.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
  };
  if (all.size() == 1) return text(all[0]);
  OrderedJson list = OrderedJson::object();
  list["apiVersion"] = "v1";
  list["kind"] = "List";
  list["items"] = std::move(all);
  return text(list);
}

std::string patches(const std::vector<Workload>& workloads) {
  std::string out;
  for (const Workload& each : workloads) out += scanner::base::dump_json(each.patch, 2) + "\n";
  return out;
}

std::string patched_diff(const std::vector<Manifest>& manifests, const std::vector<Workload>& workloads) {
  std::string out;
  for (const Workload& each : workloads) {
    if (each.patch.empty()) continue;
    const OrderedJson& before = manifests[each.document].value.at(OrderedJson::json_pointer(each.pointer));
    OrderedJson after = before;
    apply(after, each.patch);
    out += line_diff(yaml_text(before), yaml_text(after), each.title(), each.title() + " (injected)");
  }
  return out;
}

}  // namespace injector::pod
