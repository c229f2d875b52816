#include <random>

#include "tests/injector/pod/pods.h"

namespace injector::pod {
namespace {

using namespace test;

const char* const kFull = R"(
restartPolicy: Always
hostNetwork: false
shareProcessNamespace: true
os: {name: linux}
securityContext: {runAsUser: 1, runAsGroup: 2, fsGroup: 3, supplementalGroups: [4]}
containers:
- name: app
  image: app
  securityContext: {runAsUser: 5, runAsGroup: 6}
  ports: [{containerPort: 80, name: http}]
  env: [{name: A, value: b}, {name: AWS_WEB_IDENTITY_TOKEN_FILE, value: /t/token}]
  volumeMounts: [{name: v, mountPath: /t, subPath: s, subPathExpr: e, readOnly: true}]
initContainers: [{name: init, env: [{name: C, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]}]
volumes: [{name: v, emptyDir: {}}]
)";

Json full() {
  Json pod = labelled("role: shop\nsecret.a: kv/a#b\nsecret.b: aws:prod/b\n", kFull);
  pod["metadata"]["generateName"] = "shop-";
  pod["metadata"]["namespace"] = "shop";
  return pod;
}

/// Every place in a document.
void walk(const Json& value, const Json::json_pointer& at, std::vector<Json::json_pointer>& out) {
  out.push_back(at);
  if (value.is_object()) {
    for (const auto& [key, each] : value.items()) walk(each, at / key, out);
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) walk(value[i], at / i, out);
  }
}

/// Never throws, never blames itself, and whatever it patches is patched well.
void look(const Json& pod, const std::string& what) {
  const Verdict verdict = review(pod, "shop", default_policy());
  EXPECT_EQ(verdict.message.find("because of an error of the injector"), std::string::npos) << what << pod.dump();
  EXPECT_EQ(verdict.message.find("CANARY"), std::string::npos) << what;
  EXPECT_EQ(verdict.allowed, verdict.message.empty()) << what;
  if (!verdict.allowed) return;
  const Json after = pod.patch(verdict.patch);
  const Verdict second = review(after, "shop", default_policy());
  EXPECT_TRUE(second.allowed) << what << second.message;
  EXPECT_TRUE(second.patch.empty()) << what;
}

TEST(Hostile, APodWithAnyFieldOfAnyOtherTypeIsRefusedOrServed) {
  const Json pod = full();
  ASSERT_TRUE(reviewed(pod).allowed) << reviewed(pod).message;
  const std::vector<Json> values = {nullptr,
                                    true,
                                    -1,
                                    4294967296,
                                    1.5,
                                    "CANARY",
                                    "",
                                    Json::array(),
                                    Json::array({nullptr}),
                                    Json::array({1, "CANARY"}),
                                    Json::array({Json::object()}),
                                    Json::object(),
                                    Json{{"CANARY", "CANARY"}},
                                    std::string(100'000, 'x')};
  std::vector<Json::json_pointer> places;
  walk(pod, Json::json_pointer(), places);
  ASSERT_GT(places.size(), 60U);
  for (const auto& place : places) {
    for (const Json& value : values) {
      Json changed = pod;
      changed[place] = value;
      look(changed, place.to_string() + " " + value.dump().substr(0, 40));
    }
    if (place.empty()) continue;
    Json changed = pod;
    Json& parent = changed[place.parent_pointer()];
    if (parent.is_object()) {
      parent.erase(place.back());
    } else {
      parent.erase(static_cast<std::size_t>(std::stoul(place.back())));
    }
    look(changed, place.to_string() + " erased");
  }
}

TEST(Hostile, AnyTextInAnyAnnotationIsRefusedOrServed) {
  std::mt19937 random(1);  // NOLINT: the same every time.
  const std::vector<std::string> pieces = {"\n",
                                           "\r",
                                           "\t",
                                           "../",
                                           "..",
                                           "/",
                                           "{{",
                                           "}}",
                                           "'",
                                           "\"",
                                           "$(A)",
                                           "$$",
                                           "`id`",
                                           ";",
                                           "#",
                                           "?version=",
                                           ":",
                                           ", ",
                                           "=",
                                           "\x7f",
                                           "\xe2\x80\xa8",
                                           "\xf0\x9f\x98\x80",
                                           "\xc2\x85",
                                           "a",
                                           "0",
                                           "0400",
                                           "none",
                                           "signal:",
                                           "http:",
                                           "yes",
                                           "~",
                                           "- ",
                                           "| ",
                                           "&a",
                                           "*a",
                                           "!!str",
                                           "%",
                                           "\\",
                                           "\x01",
                                           std::string(3000, 'z')};
  std::vector<std::string> names = {"vault.hashicorp.com/agent-inject-secret-x"};
  for (const char* name : {"secret.x",
                           "template.x",
                           "path.x",
                           "format.x",
                           "data.x",
                           "mode.x",
                           "refresh.x",
                           "max-stale.x",
                           "on-change.x",
                           "left-delimiter.x",
                           "right-delimiter.x",
                           "error-on-missing-key.x",
                           "store",
                           "provider",
                           "role",
                           "role.vault",
                           "namespace",
                           "mount-path",
                           "containers",
                           "mode",
                           "refresh",
                           "max-stale",
                           "on-change",
                           "init-only",
                           "start-jitter",
                           "require",
                           "size-limit",
                           "resources",
                           "image",
                           "health-port",
                           "log-level",
                           "log-format",
                           "\n",
                           "x/y"})
    names.push_back(std::string("secret-injector.io/") + name);
  for (int round = 0; round < 20'000; ++round) {
    Json pod = full();
    for (std::size_t i = 0; i <= random() % 3; ++i) {
      std::string value;
      for (std::size_t k = 0; k <= random() % 5; ++k) value += pieces[random() % pieces.size()];
      pod["metadata"]["annotations"][names[random() % names.size()]] = value;
    }
    look(pod, "");
    if (HasFailure()) FAIL() << pod["metadata"]["annotations"].dump();
  }
}

TEST(Hostile, AThousandContainersAreServed) {
  Json pod = labelled(kOne);
  for (int i = 0; i < 1000; ++i) pod["spec"]["containers"].push_back({{"name", "c" + std::to_string(i)}});
  look(pod, "");
}

}  // namespace
}  // namespace injector::pod
