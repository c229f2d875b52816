#include <array>
#include <cstddef>
#include <string>

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

/// A place in the pod. Made text only when there is something to say of it: most pods are well.
struct Place {
  const Place* above = nullptr;
  const char* name = "";
  std::ptrdiff_t index = -1;  ///< Of an element of the list `name`; -1: `name` is no list.

  [[nodiscard]] std::string text() const {
    std::string out = above == nullptr ? "" : above->text();
    if (!out.empty()) out += ".";
    out += name;
    if (index >= 0) out += "[" + std::to_string(index) + "]";
    return out;
  }
};

Place element(const Place& above, const char* list, std::size_t index) {
  return {&above, list, static_cast<std::ptrdiff_t>(index)};
}

/// Walks a pod and remembers the first thing that is wrong.
class Shape {
 public:
  std::string flaw;

  /// The member when it is there and of this kind; null when it is not there or wrong.
  const Json* need(const Json& object, const Place& place, const char* name, Kind kind, bool must = false) {
    const Json* value = find(object, name);
    if (value != nullptr && is(*value, kind)) return value;
    if (value != nullptr) complain(Place{&place, name}, std::string(" must be ") + wanted(kind));
    if (value == nullptr && must) complain(Place{&place, name}, " is missing");
    return nullptr;
  }

  void pod(const Json& pod) {
    if (!pod.is_object()) return complain(Place{nullptr, "the pod"}, " must be an object");
    const Place whole;
    const Place in_metadata{&whole, "metadata"};
    if (const Json* metadata = need(pod, whole, "metadata", Kind::object); metadata != nullptr) {
      need(*metadata, in_metadata, "annotations", Kind::texts);
      need(*metadata, in_metadata, "labels", Kind::texts);
      need(*metadata, in_metadata, "name", Kind::text);
      need(*metadata, in_metadata, "generateName", Kind::text);
      need(*metadata, in_metadata, "namespace", Kind::text);
    }
    const Json* spec = need(pod, whole, "spec", Kind::object, true);
    if (spec == nullptr) return;
    const Place in_spec{&whole, "spec"};
    containers(*spec, in_spec, "containers", true);
    containers(*spec, in_spec, "initContainers", false);
    named(*spec, in_spec, "volumes");
    for (const char* name : {"shareProcessNamespace", "hostPID", "hostNetwork", "automountServiceAccountToken"})
      need(*spec, in_spec, name, Kind::truth);
    need(*spec, in_spec, "restartPolicy", Kind::text);
    if (const Json* os = need(*spec, in_spec, "os", Kind::object); os != nullptr)
      need(*os, Place{&in_spec, "os"}, "name", Kind::text);
    security(*spec, in_spec);
  }

 private:
  void complain(const Place& place, const std::string& what) {
    if (flaw.empty()) flaw = place.text() + what;
  }

  void security(const Json& object, const Place& place) {
    const Json* context = need(object, place, "securityContext", Kind::object);
    if (context == nullptr) return;
    const Place inner{&place, "securityContext"};
    for (const char* name : {"runAsUser", "runAsGroup", "fsGroup"}) need(*context, inner, name, Kind::number);
    if (const Json* groups = need(*context, inner, "supplementalGroups", Kind::list); groups != nullptr) {
      for (const Json& each : *groups) {
        if (!each.is_number_integer()) complain(Place{&inner, "supplementalGroups"}, " must be whole numbers");
      }
    }
  }

  /// A list of objects that have names.
  const Json* named(const Json& object, const Place& place, const char* name, bool must = false) {
    const Json* list = need(object, place, name, Kind::list, must);
    if (list == nullptr) return nullptr;
    for (std::size_t i = 0; i < list->size(); ++i) {
      const Place at = element(place, name, i);
      if (!(*list)[i].is_object()) {
        complain(at, " must be an object");
        return nullptr;
      }
      need((*list)[i], at, "name", Kind::text, true);
    }
    return list;
  }

  void containers(const Json& spec, const Place& in_spec, const char* name, bool must) {
    const Json* list = named(spec, in_spec, name, must);
    if (list == nullptr) return;
    if (must && list->empty()) complain(Place{&in_spec, name}, " must not be empty");
    for (std::size_t i = 0; i < list->size(); ++i) {
      const Json& container = (*list)[i];
      const Place place = element(in_spec, name, i);
      security(container, place);
      if (const Json* mounts = named(container, place, "volumeMounts"); mounts != nullptr) {
        for (std::size_t j = 0; j < mounts->size(); ++j) {
          const Place at = element(place, "volumeMounts", j);
          need((*mounts)[j], at, "mountPath", Kind::text, true);
          need((*mounts)[j], at, "subPath", Kind::text);
          need((*mounts)[j], at, "subPathExpr", Kind::text);
          need((*mounts)[j], at, "readOnly", Kind::truth);
        }
      }
      if (const Json* env = named(container, place, "env"); env != nullptr) {
        for (std::size_t j = 0; j < env->size(); ++j) need((*env)[j], element(place, "env", j), "value", Kind::text);
      }
      if (const Json* ports = need(container, place, "ports", Kind::list); ports != nullptr) {
        for (std::size_t j = 0; j < ports->size(); ++j) {
          const Place at = element(place, "ports", j);
          if (!(*ports)[j].is_object()) return complain(at, " must be an object");
          need((*ports)[j], at, "containerPort", Kind::number, true);
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
