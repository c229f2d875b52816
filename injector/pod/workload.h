#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "injector/pod/manifest.h"
#include "injector/pod/policy.h"
#include "scanner/base/json.h"

namespace injector::pod {

/// One object of a file, or of a List in it, that holds a pod: what review() said, and where.
struct Workload {            // NOLINT(bugprone-exception-escape): likewise.
  std::size_t document = 0;  ///< Its Manifest.
  std::string pointer;       ///< Of the object in the document: "", or "/items/2".
  std::string kind;
  std::string name;           ///< Empty: it has none.
  std::string pod_namespace;  ///< As the object says, or the preset.
  std::size_t line = 1;       ///< Where the object begins.
  bool allowed = true;
  std::vector<std::string> mistakes;  ///< Each with its line before it: "12: secret-injector.io/mode: must be ...".
  std::vector<std::string> warnings;
  scanner::base::Json patch;  ///< Of the object, not of the pod in it; empty: nothing is done to it.

  [[nodiscard]] std::string title() const;  ///< "Deployment/shop"
};

/// Reviews the pods of all Pods, Deployments, StatefulSets, DaemonSets, ReplicaSets, ReplicationControllers, Jobs,
/// CronJobs and PodTemplates in `manifests`; other kinds, and kinds of these names in other groups, are none of our
/// affair. Those in a List, too.
std::vector<Workload> review_manifests(const std::vector<Manifest>& manifests, const std::string& preset_namespace,
                                       const Policy& policy);

/// The documents with all patches applied. A document that none applies to is as it was, byte by byte; of another the
/// order of keys is kept, and of its comments those before its first key.
std::string patched_yaml(const std::vector<Manifest>& manifests, const std::vector<Workload>& workloads);

/// The objects as JSON: one by itself, several as a List. Empty documents are left out.
std::string patched_json(const std::vector<Manifest>& manifests, const std::vector<Workload>& workloads);

/// The patches, each as an indented array, one after the other.
std::string patches(const std::vector<Workload>& workloads);

/// What the patches change, as a unified diff of YAML in which nothing else differs.
std::string patched_diff(const std::vector<Manifest>& manifests, const std::vector<Workload>& workloads);

}  // namespace injector::pod
