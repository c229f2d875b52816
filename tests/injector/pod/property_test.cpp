#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "injector/pod/policy.h"
#include "injector/pod/review.h"
#include "made_pods.h"
#include "pods.h"
#include "restricted.h"

namespace injector::pod {
namespace {

using nlohmann::json;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kPods = 1'000;
#else
constexpr std::size_t kPods = 10'000;
#endif

/// Whether all of `before` is still in `after`: every member, and every element in the same order. What was added
/// stands between.
bool kept(const json& before, const json& after) {
  if (before.is_object()) {
    if (!after.is_object()) return false;
    for (const auto& [name, value] : before.items()) {
      if (name == "vault.hashicorp.com/agent-inject-status" || name == "openbao.org/agent-inject-status" ||
          name == "secret-injector.io/status")
        continue;  // Ours to write.
      if (!after.contains(name) || !kept(value, after[name])) return false;
    }
    return true;
  }
  if (before.is_null()) return true;  // The same as absent.
  if (!before.is_array()) return before == after;
  if (!after.is_array()) return false;
  auto next = after.begin();
  for (const json& each : before) {
    while (next != after.end() && !kept(each, *next)) ++next;
    if (next == after.end()) return false;
    ++next;
  }
  return true;
}

/// How many elements and members `after` has more, at most three levels down where it may have any at all.
std::string unexpected(const json& before, const json& after) {
  for (const auto& [name, value] : after.items())
    if (!before.contains(name) && name != "metadata") return name;
  for (const auto& [name, value] : after["spec"].items()) {
    const json was = before["spec"].value(name, json());
    static const std::set<std::string> kMayChange = {"volumes", "initContainers", "containers", "securityContext",
                                                     "shareProcessNamespace"};
    if (was != value && !kMayChange.contains(name)) return "spec." + name;
  }
  json security = after["spec"].value("securityContext", json::object());
  json was = before["spec"].value("securityContext", json::object());
  security.erase("supplementalGroups");
  was.erase("supplementalGroups");
  if (security != was) return "spec.securityContext";
  const json& metadata = after["metadata"];
  for (const auto& [name, value] : metadata.items())
    if (name != "annotations" && before["metadata"].value(name, json()) != value) return "metadata." + name;
  for (const char* list : {"containers", "initContainers"}) {
    for (json container : after["spec"].value(list, json::array())) {
      for (json original : before["spec"].value(list, json::array())) {
        if (original["name"] != container["name"]) continue;
        original.erase("volumeMounts");
        container.erase("volumeMounts");
        if (original != container) return "a container's own fields";
      }
    }
  }
  return {};
}

/// Our volumes' mounts in containers that are not ours: read-only and whole.
std::string bad_mount(const json& before, const json& after) {
  std::set<std::string> added;
  std::set<std::string> old;
  for (const json& volume : before["spec"].value("volumes", json::array())) old.insert(volume["name"]);
  for (const json& volume : after["spec"]["volumes"])
    if (!old.contains(volume["name"])) added.insert(volume["name"]);
  for (const char* list : {"containers", "initContainers"}) {
    for (const json& container : after["spec"].value(list, json::array())) {
      std::string name = container["name"];
      if (name == "secret-injector" || name == "secret-injector-init") continue;
      const json mounts = container.value("volumeMounts", json::array());
      if (!mounts.is_array()) continue;
      for (const json& mount : mounts) {
        if (!added.contains(mount["name"])) continue;
        if (mount.value("readOnly", false) != true || mount.contains("subPath")) return name;
      }
    }
  }
  return {};
}

/// Each operation adds, and what it adds was not there; the status annotation alone may take another value.
std::string bad_operation(const json& pod, const json& patch) {
  json now = pod;
  for (const json& operation : patch) {
    if (operation["op"] != "add" || operation.size() != 3) return "op";
    std::string path = operation["path"];
    const json::json_pointer pointer(path);
    const json& parent = now[pointer.parent_pointer()];
    if (parent.is_object() && parent.contains(pointer.back()) && !parent[pointer.back()].is_null() &&
        !path.ends_with("status"))
      return path;
    now.patch_inplace(json::array({operation}));
  }
  return {};
}

const json* container_named(const json& pod, const std::string& name) {
  for (const char* list : {"containers", "initContainers"}) {
    if (!pod["spec"].contains(list)) continue;
    for (const json& each : pod["spec"][list])
      if (each["name"] == name) return &each;
  }
  return nullptr;
}

class Property : public ::testing::Test {
 protected:
  Property() {
    char name[] = "/tmp/pods_XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~Property() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  static int run(const std::string& command) {
    const int status = std::system(command.c_str());  // NOLINT(cert-env33-c): our own words
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::string folder_;
};

/// The policy without native sidecars, too.
Policy policy_of(std::size_t i) {
  static const Policy kUsual = default_policy();
  static const Policy kOld = [] {
    Policy policy = default_policy();
    policy.native_sidecar = false;
    return policy;
  }();
  return i % 5 == 0 ? kOld : kUsual;
}

TEST_F(Property, TenThousandPodsArePatchedAndKeepAllTheyHad) {
  Pods pods(20'261'124);
  std::ofstream cases(folder_ + "/cases.ndjson");
  std::ofstream sample(folder_ + "/sample.yaml");
  std::size_t patched = 0;
  std::size_t refused = 0;
  std::size_t restricted = 0;
  std::size_t sampled = 0;
  for (std::size_t i = 0; i < kPods; ++i) {
    const Pods::Made made = pods.next();
    const Policy policy = policy_of(i);
    const Verdict verdict = review(made.pod, "team", policy);
    const std::string shown = "pod " + std::to_string(i) + ": " + made.pod.dump() + "\n" + verdict.message;

    // The same pod from its text, and the same bytes.
    const Verdict again = review(json::parse(made.pod.dump(2)), "team", policy);
    ASSERT_EQ(verdict.patch.dump(), again.patch.dump()) << shown;
    ASSERT_EQ(verdict.message, again.message) << shown;
    ASSERT_EQ(verdict.warnings, again.warnings) << shown;

    ASSERT_EQ(verdict.message.find(Pods::kCanary), std::string::npos) << shown;
    for (const auto& warning : verdict.warnings) {
      ASSERT_LE(warning.size(), 120U) << warning;
      ASSERT_EQ(warning.find(Pods::kCanary), std::string::npos) << warning;
    }
    // What the annotations' readers took, the sidecar's own parser must take.
    ASSERT_EQ(verdict.message.find("configuration:"), std::string::npos) << shown;
    ASSERT_EQ(verdict.message.find("error of the injector"), std::string::npos) << shown;
    ASSERT_TRUE(verdict.patch.is_array()) << shown;
    if (!verdict.allowed) {
      ++refused;
      ASSERT_FALSE(verdict.message.empty()) << shown;
      ASSERT_TRUE(verdict.patch.empty()) << shown;
      continue;
    }
    ASSERT_EQ(verdict.message, "") << shown;
    if (verdict.patch.empty()) continue;
    ++patched;

    ASSERT_EQ(bad_operation(made.pod, verdict.patch), "") << shown;
    const json after = made.pod.patch(verdict.patch);
    // The sidecar reads the text of what was checked before it became text.
    test::configuration(after);
    ASSERT_FALSE(HasFailure()) << shown;
    ASSERT_TRUE(kept(made.pod, after)) << shown << "\n" << after.dump();
    ASSERT_EQ(unexpected(made.pod, after), "") << shown << "\n" << after.dump();
    ASSERT_EQ(bad_mount(made.pod, after), "") << shown << "\n" << after.dump();
    ASSERT_NE(container_named(after, "secret-injector"), nullptr) << shown;

    const Verdict second = review(after, "team", policy);
    ASSERT_TRUE(second.allowed) << shown << second.message;
    ASSERT_TRUE(second.patch.empty()) << shown << second.patch.dump();

    if (restricted_violations(made.pod).empty()) {
      ++restricted;
      const auto violations = restricted_violations(after);
      ASSERT_TRUE(violations.empty()) << shown << violations.front();
    }
    cases << json{{"pod", made.pod}, {"patch", verdict.patch}, {"after", after}}.dump() << '\n';
    if (made.known && sampled < 100) {
      ++sampled;
      sample << "---\n" << after.dump() << '\n';
    }
  }
  cases.close();
  sample.close();
  // Else this would prove nothing.
  EXPECT_GT(patched, kPods * 4 / 10);
  EXPECT_GT(refused, kPods / 10);
  EXPECT_GT(restricted, kPods / 10);
  std::printf("%zu pods: %zu patched, %zu refused, %zu of them restricted\n", kPods, patched, refused, restricted);

  EXPECT_EQ(run("/usr/bin/python3 " PROJECT_ROOT "/tests/injector/pod/patches.py '" + folder_ + "/cases.ndjson'"), 0);
  const char* tools = std::getenv("SCAN_SECRETS_TOOLS");
  const std::string home = std::getenv("HOME") == nullptr ? "" : std::getenv("HOME");
  const std::string validate = (tools == nullptr ? home + "/.cache/scan-secrets-tests" : std::string(tools)) +
                               "/kubernetes-validate/bin/kubernetes-validate";
  if (::access(validate.c_str(), X_OK) != 0)
    GTEST_SKIP() << "SKIPPED: kubernetes-validate is not installed (tests/run.sh installs it)";
  EXPECT_EQ(run("'" + validate + "' --strict --quiet '" + folder_ + "/sample.yaml'"), 0);
}

TEST(Restricted, KnowsWhatTheStandardForbids) {
  const json good = {
      {"spec",
       {{"securityContext", {{"runAsNonRoot", true}, {"seccompProfile", {{"type", "RuntimeDefault"}}}}},
        {"containers",
         {{{"name", "a"},
           {"securityContext", {{"allowPrivilegeEscalation", false}, {"capabilities", {{"drop", {"ALL"}}}}}}}}}}}};
  EXPECT_TRUE(restricted_violations(good).empty());
  const std::vector<std::pair<const char*, json>> bad = {
      {"/spec/hostNetwork", true},
      {"/spec/hostPID", true},
      {"/spec/volumes", {{{"name", "v"}, {"hostPath", {{"path", "/"}}}}}},
      {"/spec/securityContext/runAsNonRoot", false},
      {"/spec/securityContext/runAsUser", 0},
      {"/spec/securityContext/seccompProfile/type", "Unconfined"},
      {"/spec/securityContext/sysctls", {{{"name", "kernel.msgmax"}, {"value", "1"}}}},
      {"/spec/containers/0/securityContext/allowPrivilegeEscalation", true},
      {"/spec/containers/0/securityContext/privileged", true},
      {"/spec/containers/0/securityContext/capabilities/drop", {"NET_RAW"}},
      {"/spec/containers/0/securityContext/capabilities/add", {"NET_ADMIN"}},
      {"/spec/containers/0/securityContext/procMount", "Unmasked"},
      {"/spec/containers/0/securityContext/runAsUser", 0},
      {"/spec/containers/0/securityContext/seLinuxOptions", {{"type", "spc_t"}}},
      {"/spec/containers/0/ports", {{{"containerPort", 1}, {"hostPort", 1}}}},
      {"/spec/containers/0/livenessProbe", {{"httpGet", {{"host", "10.0.0.1"}}}}},
      {"/spec/initContainers", {{{"name", "b"}}}},
  };
  for (const auto& [path, value] : bad) {
    json pod = good;
    pod[json::json_pointer(path)] = value;
    EXPECT_FALSE(restricted_violations(pod).empty()) << path;
  }
}

}  // namespace
}  // namespace injector::pod
