#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "injector/config/config.h"
#include "injector/pod/manifest.h"
#include "injector/pod/policy.h"
#include "injector/pod/review.h"
#include "scanner/base/json.h"

/// Pods as people write them, and what became of them.
namespace injector::pod::test {

using scanner::base::Json;

inline Json yaml(const std::string& text) {
  auto manifests = read_manifests(text, "test");
  EXPECT_TRUE(manifests) << (manifests ? "" : manifests.error().message());
  return manifests ? Json::parse((*manifests)[0].value.dump()) : Json();
}

/// A pod with these annotations (YAML, one a line) and this spec, or one container.
inline Json labelled(const std::string& annotations,
                     const std::string& spec = "containers: [{name: app, image: app}]\n") {
  Json pod = yaml("apiVersion: v1\nkind: Pod\nmetadata: {name: shop, labels: {secret-injector.io/inject: 'true'}}\n");
  pod["metadata"]["annotations"] = Json::object();
  const Json given = yaml(annotations.empty() ? "{}\n" : annotations);
  for (const auto& [name, value] : given.items()) pod["metadata"]["annotations"]["secret-injector.io/" + name] = value;
  pod["spec"] = yaml(spec);
  return pod;
}

inline Policy policy(const std::string& text) {
  auto parsed = parse_policy(text, "policy.yaml");
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message());
  return parsed ? *parsed : Policy{};
}

inline Verdict reviewed(const Json& pod, const Policy& policy = default_policy()) {
  return review(pod, "shop", policy);
}

/// The pod after its patch; fails the test where it is refused.
inline Json injected(const Json& pod, const Policy& policy = default_policy()) {
  const Verdict verdict = reviewed(pod, policy);
  EXPECT_TRUE(verdict.allowed) << verdict.message;
  return verdict.allowed ? pod.patch(verdict.patch) : pod;
}

inline std::string refusal(const Json& pod, const Policy& policy = default_policy()) {
  const Verdict verdict = reviewed(pod, policy);
  EXPECT_FALSE(verdict.allowed);
  EXPECT_TRUE(verdict.patch.is_array() && verdict.patch.empty());
  return verdict.message;
}

inline const Json& container(const Json& pod, const std::string& name) {
  static const Json kNone;
  for (const char* list : {"initContainers", "containers"}) {
    if (!pod["spec"].contains(list)) continue;
    for (const Json& each : pod["spec"][list]) {
      if (each["name"] == name) return each;
    }
  }
  ADD_FAILURE() << "no container " << name;
  return kNone;
}

inline const Json& sidecar(const Json& pod) { return container(pod, "secret-injector"); }

/// A variable of the sidecar as the kubelet hands it over.
inline std::string variable(const Json& of, const std::string& name) {
  for (const Json& each : of["env"]) {
    if (each["name"] != name || !each.contains("value")) continue;
    std::string out;
    const std::string text = each["value"];
    for (std::size_t i = 0; i < text.size(); ++i) {
      out += text[i];
      if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '$') ++i;
    }
    return out;
  }
  return {};
}

/// The configuration that the sidecar will read.
inline config::Config configuration(const Json& pod) {
  const std::string text = variable(sidecar(pod), "SECRET_INJECTOR_CONFIG");
  auto parsed = config::parse(text, "SECRET_INJECTOR_CONFIG");
  EXPECT_TRUE(parsed) << text << (parsed ? "" : parsed.error().message());
  return parsed ? *parsed : config::Config{};
}

inline const Json& volume(const Json& pod, const std::string& name) {
  static const Json kNone;
  for (const Json& each : pod["spec"]["volumes"]) {
    if (each["name"] == name) return each;
  }
  ADD_FAILURE() << "no volume " << name;
  return kNone;
}

/// The mounts of a volume in a container: their paths.
inline std::vector<std::string> mounts(const Json& container, const std::string& volume) {
  std::vector<std::string> out;
  if (!container.contains("volumeMounts")) return out;
  for (const Json& each : container["volumeMounts"]) {
    if (each["name"] == volume) out.push_back(each["mountPath"]);
  }
  return out;
}

inline constexpr const char* kOne = "role: shop\nsecret.password: kv/shop/db#password\n";

}  // namespace injector::pod::test
