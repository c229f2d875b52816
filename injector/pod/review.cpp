#include "injector/pod/review.h"

#include <algorithm>
#include <exception>

#include "injector/pod/annotations.h"
#include "injector/pod/patch.h"
#include "injector/pod/plan.h"
#include "injector/pod/sidecar_config.h"
#include "injector/pod/vault_annotations.h"

namespace injector::pod {
namespace {

using scanner::base::Json;

constexpr std::size_t kMostMistakes = 20;

Verdict refused(const std::vector<std::string>& mistakes, std::vector<std::string> warnings = {}) {
  Verdict verdict;
  verdict.allowed = false;
  for (std::size_t i = 0; i < std::min(mistakes.size(), kMostMistakes); ++i)
    verdict.message += (i == 0 ? "" : "\n") + mistakes[i];
  if (mistakes.size() > kMostMistakes)
    verdict.message += "\nand " + std::to_string(mistakes.size() - kMostMistakes) + " more";
  verdict.warnings = std::move(warnings);
  verdict.patch = Json::array();
  return verdict;
}

bool has_container(const Json& spec, std::string_view name) {
  for (const char* list : {"initContainers", "containers"}) {
    const Json* all = find(spec, list);
    if (all == nullptr) continue;
    if (std::ranges::any_of(*all, [&](const Json& each) { return each["name"] == name; })) return true;
  }
  return false;
}

/// Whether the pod carries our mark.
bool is_marked(const Json& pod) {
  const Json* metadata = find(pod, "metadata");
  const Json* annotations = metadata == nullptr ? nullptr : find(*metadata, "annotations");
  if (annotations == nullptr) return false;
  const auto found = annotations->find(std::string(kStatus));
  return found != annotations->end() && *found == std::string(kInjected);
}

Verdict look(const Json& pod, std::string_view pod_namespace, const Policy& policy) {
  if (std::string flaw = flaw_of_shape(pod); !flaw.empty()) return refused({std::move(flaw)});
  Verdict verdict;
  verdict.patch = Json::array();
  if (is_marked(pod) && has_container(*find(pod, "spec"), kContainer)) return verdict;  // Our work is done.

  Asked ours = read_annotations(pod, pod_namespace, policy);
  Asked theirs = read_vault_annotations(pod, pod_namespace, policy);
  if (ours.wanted && theirs.wanted) {
    return refused(
        {"the pod asks for secrets twice, by secret-injector.io and by vault.hashicorp.com: remove the annotations of "
         "one"});
  }
  Asked& asked = theirs.wanted ? theirs : ours;
  verdict.warnings = asked.warnings;
  if (!asked.wanted) {
    verdict.warnings.insert(verdict.warnings.end(), theirs.warnings.begin(), theirs.warnings.end());
    return verdict;
  }
  if (!asked.mistakes.empty()) return refused(asked.mistakes, asked.warnings);

  const Plan plan = make_plan(pod, pod_namespace, policy, asked);
  if (!asked.mistakes.empty()) return refused(asked.mistakes, asked.warnings);
  auto config = sidecar_config(plan, asked.request, policy);
  if (!config) return refused({config.error().message()}, asked.warnings);
  Json patch = make_patch(pod, plan, policy, *config, asked);
  if (!asked.mistakes.empty()) return refused(asked.mistakes, asked.warnings);
  verdict.warnings = std::move(asked.warnings);
  verdict.patch = std::move(patch);
  return verdict;
}

}  // namespace

Verdict review(const Json& pod, std::string_view pod_namespace, const Policy& policy) {
  try {
    return look(pod, pod_namespace, policy);
  } catch (const std::exception&) {  // Of the JSON library, at something that no check has met: a bug of ours.
    return refused({"the pod could not be looked at, because of an error of the injector"});
  }
}

}  // namespace injector::pod
