#include <array>

#include "injector/pod/plan.h"

namespace injector::pod {
namespace {

using scanner::base::Json;

enum class Kind : std::uint8_t { object, list, text, number, truth, texts };

bool is(const Json& value, Kind kind) {
  switch (kind) {
    case Kind::object:
      return value.is_object();
    case Kind::list:
      return value.is_array();
    case Kind::text:
      return value.is_string();
    case Kind::number:
      return value.is_number_integer();
    case Kind::truth:
      return value.is_boolean();
    case Kind::texts:
      if (!value.is_object()) return false;
      for (const Json& each : value) {
        if (!each.is_string()) return false;
      }
      return true;
  }
  return false;
}

const char* wanted(Kind kind) {
  static constexpr std::array kNames = {"an object",      "a list",        "text",
                                        "a whole number", "true or false", "texts by name"};
  return kNames.at(static_cast<std::size_t>(kind));
}

/// Walks a pod and remembers the first thing that is wrong.
class Shape {
 public:
  std::string flaw;

  /// The member when it is there and of this kind; null when it is not there or wrong.
  const Json* need(const Json& object, const std::string& path, const char* name, Kind kind, bool must = false) {
    const Json* value = find(object, name);
    if (value == nullptr) {
      if (must) complain(path + name + " is missing");
      return nullptr;
    }
    if (is(*value, kind)) return value;
    complain(path + name + " must be " + wanted(kind));
    return nullptr;
  }

  void pod(const Json& pod) {
    if (!pod.is_object()) return complain("the pod must be an object");
    if (const Json* metadata = need(pod, "", "metadata", Kind::object); metadata != nullptr) {
      need(*metadata, "metadata.", "annotations", Kind::texts);
      need(*metadata, "metadata.", "labels", Kind::texts);
      need(*metadata, "metadata.", "name", Kind::text);
      need(*metadata, "metadata.", "generateName", Kind::text);
      need(*metadata, "metadata.", "namespace", Kind::text);
    }
    const Json* spec = need(pod, "", "spec", Kind::object, true);
    if (spec == nullptr) return;
    containers(*spec, "containers", true);
    containers(*spec, "initContainers", false);
    named(*spec, "spec.", "volumes");
    for (const char* name : {"shareProcessNamespace", "hostPID", "hostNetwork", "automountServiceAccountToken"})
      need(*spec, "spec.", name, Kind::truth);
    need(*spec, "spec.", "restartPolicy", Kind::text);
    if (const Json* os = need(*spec, "spec.", "os", Kind::object); os != nullptr)
      need(*os, "spec.os.", "name", Kind::text);
    security(*spec, "spec.");
  }

 private:
  void complain(const std::string& what) {
    if (flaw.empty()) flaw = what;
  }

  void security(const Json& object, const std::string& path) {
    const Json* context = need(object, path, "securityContext", Kind::object);
    if (context == nullptr) return;
    const std::string inner = path + "securityContext.";
    for (const char* name : {"runAsUser", "runAsGroup", "fsGroup"}) need(*context, inner, name, Kind::number);
    if (const Json* groups = need(*context, inner, "supplementalGroups", Kind::list); groups != nullptr) {
      for (const Json& each : *groups) {
        if (!each.is_number_integer()) complain(inner + "supplementalGroups must be whole numbers");
      }
    }
  }

  /// A list of objects that have names.
  const Json* named(const Json& object, const std::string& path, const char* name, bool must = false) {
    const Json* list = need(object, path, name, Kind::list, must);
    if (list == nullptr) return nullptr;
    for (std::size_t i = 0; i < list->size(); ++i) {
      const std::string at = path + name + "[" + std::to_string(i) + "]";
      if (!(*list)[i].is_object()) {
        complain(at + " must be an object");
        return nullptr;
      }
      need((*list)[i], at + ".", "name", Kind::text, true);
    }
    return list;
  }

  void containers(const Json& spec, const char* name, bool must) {
    const Json* list = named(spec, "spec.", name, must);
    if (list == nullptr) return;
    if (must && list->empty()) complain(std::string("spec.") + name + " must not be empty");
    for (std::size_t i = 0; i < list->size(); ++i) {
      const Json& container = (*list)[i];
      const std::string path = std::string("spec.") + name + "[" + std::to_string(i) + "].";
      security(container, path);
      if (const Json* mounts = named(container, path, "volumeMounts"); mounts != nullptr) {
        for (std::size_t j = 0; j < mounts->size(); ++j) {
          const std::string at = path + "volumeMounts[" + std::to_string(j) + "].";
          need((*mounts)[j], at, "mountPath", Kind::text, true);
          need((*mounts)[j], at, "subPath", Kind::text);
          need((*mounts)[j], at, "subPathExpr", Kind::text);
          need((*mounts)[j], at, "readOnly", Kind::truth);
        }
      }
      if (const Json* env = named(container, path, "env"); env != nullptr) {
        for (std::size_t j = 0; j < env->size(); ++j)
          need((*env)[j], path + "env[" + std::to_string(j) + "].", "value", Kind::text);
      }
      if (const Json* ports = need(container, path, "ports", Kind::list); ports != nullptr) {
        for (std::size_t j = 0; j < ports->size(); ++j) {
          const std::string at = path + "ports[" + std::to_string(j) + "]";
          if (!(*ports)[j].is_object()) return complain(at + " must be an object");
          need((*ports)[j], at + ".", "containerPort", Kind::number, true);
        }
      }
    }
  }
};

}  // namespace

const Json* find(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string flaw_of_shape(const Json& pod) {
  Shape shape;
  shape.pod(pod);
  return shape.flaw;
}

}  // namespace injector::pod
