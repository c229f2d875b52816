#include "injector/pod/workload.h"

#include "injector/config/yaml.h"
#include "injector/pod/line_diff.h"
#include "tests/injector/pod/pods.h"

namespace injector::pod {
namespace {

using namespace test;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<Manifest> manifests(const std::string& text) {
  auto read = read_manifests(text, "a.yaml");
  EXPECT_TRUE(read) << (read ? "" : read.error().message());
  return read ? std::move(*read) : std::vector<Manifest>();
}

std::string mistake(const std::string& text) {
  auto read = read_manifests(text, "a.yaml");
  EXPECT_FALSE(read);
  return read ? "" : read.error().message();
}

const char* const kTemplate =
    "metadata:\n  labels: {secret-injector.io/inject: 'true'}\n  annotations:\n    secret-injector.io/role: shop\n"
    "    secret-injector.io/secret.password: kv/shop/db#password\nspec:\n  containers: [{name: app, image: app}]\n";

std::string indented(const std::string& text, const std::string& by) {
  std::string out = by;
  for (const char c : text.substr(0, text.size() - 1)) {
    out += c;
    if (c == '\n') out += by;
  }
  return out + "\n";
}

TEST(Manifests, AreReadAsKubernetesReadsThem) {
  const auto all =
      manifests("a: yes\nb: 0644\nc: '0644'\nd: ~\ne: 1.5\nf: &x {g: 1}\nh: {<<: *x, i: 0x10}\nj: |\n  two\n  lines\n");
  EXPECT_EQ(Json::parse(all.at(0).value.dump()),
            Json::parse(
                R"({"a":true,"b":420,"c":"0644","d":null,"e":1.5,"f":{"g":1},"h":{"g":1,"i":16},"j":"two\nlines\n"})"));
}

TEST(Manifests, StandAtTheirLinesAndKeepTheirText) {
  const std::string text = "# first\na: 1\n---\n# second\nb: 2\n---\n---\nc: 3\n";
  const auto all = manifests(text);
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[1].line, 3U);
  EXPECT_TRUE(all[2].value.is_null());
  std::string together;
  for (const auto& each : all) together += each.text;
  EXPECT_EQ(together, text);
  EXPECT_EQ(all[1].lines.at("/b"), 5U);
}

TEST(Manifests, TellWhereTheyAreWrong) {
  EXPECT_THAT(mistake("a: 1\na: 2\n"), HasSubstr("a.yaml:2: this key is there twice"));
  EXPECT_THAT(mistake("a: [1\nb: 2\n"), StartsWith("a.yaml:"));
  EXPECT_THAT(mistake("a: !!binary x\n"), HasSubstr("a.yaml:1: has a tag"));
  EXPECT_THAT(mistake("a: *b\n"), HasSubstr("no such anchor"));
  EXPECT_THAT(mistake(std::string(200, '[') + std::string(200, ']')), HasSubstr("nests too deeply"));
}

TEST(Manifests, DoNotExplode) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) text += (k == 0 ? "" : ", ") + before;
    text += "]\n";
  }
  EXPECT_THAT(mistake(text), HasSubstr("more than a million values"));
}

TEST(YamlText, IsReadAgainAsItWas) {
  const std::vector<OrderedJson> values = {"plain",
                                           "yes",
                                           "No",
                                           "~",
                                           "",
                                           " a",
                                           "a ",
                                           "a: b",
                                           "a #b",
                                           "#a",
                                           "12",
                                           "1.5",
                                           "0x1f",
                                           "1e3",
                                           "5m",
                                           "16Mi",
                                           "2026-11-24",
                                           "12:30:00",
                                           "a\nb",
                                           "a\nb\n",
                                           "a\n\n",
                                           "\na",
                                           "  a\n b\n",
                                           "a\tb",
                                           "tab\n\tline\n",
                                           "\x01",
                                           "\x7f",
                                           "\xc2\x85",
                                           "\xe2\x80\xa8",
                                           "\xef\xbb\xbf",
                                           "\xf0\x9f\x98\x80",
                                           "it's",
                                           "\"q\"",
                                           "{{ x }}",
                                           "[a]",
                                           "*a",
                                           "&a",
                                           "!a",
                                           "%a",
                                           "@a",
                                           "`a`",
                                           "- a",
                                           "?",
                                           "a:b",
                                           "http://x/y?z#f",
                                           "null",
                                           "=",
                                           "<<",
                                           "-",
                                           "--- a",
                                           "...",
                                           "a\\b",
                                           true,
                                           nullptr,
                                           0,
                                           -5,
                                           1.25,
                                           OrderedJson::array(),
                                           OrderedJson::object()};
  OrderedJson all = OrderedJson::array();
  for (const auto& value : values) {
    all.push_back(value);
    all.push_back({{"k", value}, {"list", OrderedJson::array({value, OrderedJson::array({value})})}});
    if (value.is_string()) all.push_back({{value.get<std::string>(), 1}});
  }
  const std::string text = yaml_text(all);
  const auto read = manifests(text);
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].value, all) << text;
  // And by the stricter reader of the sidecar's configuration, where text must be text.
  for (const auto& value : values) {
    if (!value.is_string()) continue;
    const auto node = config::parse_yaml(yaml_text(OrderedJson{{"k", value}}), "x");
    ASSERT_TRUE(node) << value;
    EXPECT_EQ(node->find("k")->text, value.get<std::string>());
    EXPECT_EQ(node->find("k")->scalar, config::Node::Scalar::text) << value;
  }
}

TEST(Workloads, OfEveryKindAreInjectedIntoTheirTemplate) {
  struct Kind {
    const char* version;
    const char* kind;
    const char* pod;
  };
  for (const Kind& each :
       {Kind{"apps/v1", "Deployment", "/spec/template"}, Kind{"apps/v1", "StatefulSet", "/spec/template"},
        Kind{"apps/v1", "DaemonSet", "/spec/template"}, Kind{"apps/v1", "ReplicaSet", "/spec/template"},
        Kind{"batch/v1", "Job", "/spec/template"}, Kind{"batch/v1", "CronJob", "/spec/jobTemplate/spec/template"}}) {
    std::string text =
        std::string("apiVersion: ") + each.version + "\nkind: " + each.kind + "\nmetadata: {name: shop}\nspec:\n";
    const bool cron = std::string(each.kind) == "CronJob";
    text += cron ? "  jobTemplate:\n    spec:\n      template:\n" + indented(kTemplate, "        ")
                 : "  template:\n" + indented(kTemplate, "    ");
    const auto all = manifests(text);
    const auto workloads = review_manifests(all, "default", default_policy());
    ASSERT_EQ(workloads.size(), 1U) << each.kind;
    EXPECT_TRUE(workloads[0].allowed) << workloads[0].mistakes.at(0);
    EXPECT_THAT(workloads[0].patch.at(0)["path"].get<std::string>(), StartsWith(each.pod));
    const auto after = manifests(patched_yaml(all, workloads));
    EXPECT_EQ(after.at(0).value.at(OrderedJson::json_pointer(std::string(each.pod) + "/spec/initContainers/0/name")),
              "secret-injector");
    // Twice is once.
    const auto again = review_manifests(after, "default", default_policy());
    EXPECT_TRUE(again.at(0).patch.empty());
  }
}

TEST(Workloads, OfOtherGroupsAndKindsAreNoneOfOurAffair) {
  EXPECT_TRUE(review_manifests(manifests("apiVersion: example.com/v1\nkind: Job\nspec: {template: {}}\n---\nkind: "
                                         "Service\napiVersion: v1\n---\n- 1\n---\nx\n"),
                               "default", default_policy())
                  .empty());
}

TEST(Workloads, StandInLists) {
  std::string text =
      "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n- apiVersion: v1\n  kind: Pod\n" +
      indented(kTemplate, "  ");
  const auto all = manifests(text);
  const auto workloads = review_manifests(all, "default", default_policy());
  ASSERT_EQ(workloads.size(), 1U);
  EXPECT_EQ(workloads[0].pointer, "/items/1");
  EXPECT_EQ(workloads[0].line, 6U);
  const auto after = manifests(patched_yaml(all, workloads));
  EXPECT_EQ(after.at(0).value["items"][1]["spec"]["initContainers"][0]["name"], "secret-injector");
}

TEST(Workloads, LeaveOtherDocumentsAsTheyWere) {
  const std::string service = "# a service\napiVersion: v1\nkind:   Service   # odd spaces\n";
  const std::string text = service + "---\n# the pod\napiVersion: v1\nkind: Pod\n" + kTemplate + "---\n" + service;
  const auto all = manifests(text);
  const std::string out = patched_yaml(all, review_manifests(all, "default", default_policy()));
  EXPECT_THAT(out, StartsWith(service + "---\n# the pod\napiVersion: v1\nkind: Pod\nmetadata:\n"));
  EXPECT_TRUE(out.ends_with("---\n" + service));
}

TEST(Workloads, AreRefusedAtTheLineOfTheAnnotation) {
  const std::string text = std::string("apiVersion: v1\nkind: Pod\n") + kTemplate;
  std::string wrong = text;
  wrong.replace(wrong.find("kv/shop/db#password"), 19, "kv//x");
  const auto workloads = review_manifests(manifests(wrong), "default", default_policy());
  ASSERT_EQ(workloads.size(), 1U);
  EXPECT_FALSE(workloads[0].allowed);
  EXPECT_THAT(workloads[0].mistakes, ElementsAre(StartsWith("7: secret-injector.io/secret.password: ")));
}

TEST(Workloads, AreToldWhereTheLabelBelongs) {
  const auto workloads = review_manifests(
      manifests("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  labels:\n    secret-injector.io/inject: "
                "'true'\nspec: {template: {spec: {containers: [{name: a}]}}}\n"),
      "default", default_policy());
  EXPECT_THAT(workloads.at(0).warnings, ElementsAre(StartsWith("5: the label")));
}

TEST(Workloads, DifferInWhatIsAddedAlone) {
  const auto all = manifests(std::string("apiVersion: v1\nkind: Pod\n") + kTemplate);
  const std::string diff = patched_diff(all, review_manifests(all, "default", default_policy()));
  EXPECT_THAT(diff, StartsWith("--- Pod\n+++ Pod (injected)\n@@ -"));
  EXPECT_EQ(diff.find("\n-"), std::string::npos) << diff;
}

TEST(LineDiff, IsWhatPatchTakes) {
  EXPECT_EQ(line_diff("a\nb\nc\n", "a\nb\nc\n", "x", "y"), "");
  EXPECT_EQ(line_diff("a\nb\nc\n", "a\nB\nc\nd\n", "x", "y"), "--- x\n+++ y\n@@ -1,3 +1,4 @@\n a\n-b\n+B\n c\n+d\n");
  EXPECT_EQ(line_diff("", "a\n", "x", "y"), "--- x\n+++ y\n@@ -0,0 +1 @@\n+a\n");
  const std::string far = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n";
  EXPECT_EQ(line_diff(far, "0\n" + far + "13\n", "x", "y"),
            "--- x\n+++ y\n@@ -1,3 +1,4 @@\n+0\n 1\n 2\n 3\n@@ -10,3 +11,4 @@\n 10\n 11\n 12\n+13\n");
}

}  // namespace
}  // namespace injector::pod
