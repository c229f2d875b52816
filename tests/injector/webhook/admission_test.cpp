#include "injector/webhook/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/injector/webhook/reviews.h"

namespace {

using namespace injector::webhook;
using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using tests::pod_that_asks;
using tests::review_of;

Admission admitted(const std::string& body) { return admit(body, injector::pod::default_policy()); }

json response_of(const Admission& admission) { return json::parse(admission.body).at("response"); }

TEST(Admission, PatchesAPodThatAsks) {
  const Admission admission = admitted(review_of(pod_that_asks()));
  EXPECT_EQ(admission.status, 200);
  EXPECT_EQ(admission.ending, Ending::patched) << admission.body;
  const json response = response_of(admission);
  EXPECT_EQ(response.at("uid"), tests::kUid);
  EXPECT_EQ(response.at("allowed"), true);
  EXPECT_EQ(response.at("patchType"), "JSONPatch");
  EXPECT_EQ(admission.uid, tests::kUid);
  EXPECT_EQ(admission.pod_namespace, "shop");
  EXPECT_EQ(admission.kind, "Pod");
}

TEST(Admission, GivesTheSameBytesForTheSameReview) {
  EXPECT_EQ(admitted(review_of(pod_that_asks())).body, admitted(review_of(pod_that_asks())).body);
}

TEST(Admission, AnswersADryRunLikeAnyOther) {
  std::string dry = review_of(pod_that_asks());
  const std::string flag = R"("dryRun":false)";
  dry.replace(dry.find(flag), flag.size(), R"("dryRun":true)");
  EXPECT_EQ(admitted(dry).body, admitted(review_of(pod_that_asks())).body);
}

TEST(Admission, LeavesAPodAloneThatAsksForNothing) {
  const Admission admission = admitted(review_of(R"({"metadata":{"name":"a"},"spec":{"containers":[{"name":"a"}]}})"));
  EXPECT_EQ(admission.ending, Ending::unchanged);
  EXPECT_EQ(response_of(admission), json({{"uid", tests::kUid}, {"allowed", true}}));
}

TEST(Admission, DeniesAPodThatAsksWrongly) {
  std::string pod = pod_that_asks();
  const std::string name = "secret-injector.io/role";
  pod.replace(pod.find(name), name.size(), "secret-injector.io/rolle");
  const Admission admission = admitted(review_of(pod));
  EXPECT_EQ(admission.status, 200);
  EXPECT_EQ(admission.ending, Ending::denied);
  const json response = response_of(admission);
  EXPECT_EQ(response.at("allowed"), false);
  EXPECT_EQ(response.at("status").at("code"), 403);
  EXPECT_THAT(response.at("status").at("message").get<std::string>(), HasSubstr("secret-injector.io/rol"));
  EXPECT_FALSE(response.contains("patch"));
}

TEST(Admission, DeniesACreationWithoutAPod) {
  const Admission admission = admitted(review_of("null"));
  EXPECT_EQ(admission.status, 200);
  EXPECT_EQ(admission.ending, Ending::denied);
  EXPECT_EQ(response_of(admission).at("status").at("code"), 400);
}

TEST(Admission, LetsThroughWhatIsNoNewPod) {
  for (const std::string operation : {"UPDATE", "DELETE", "CONNECT"}) {
    const Admission admission = admitted(review_of(operation == "DELETE" ? "null" : pod_that_asks(), operation));
    EXPECT_EQ(response_of(admission), json({{"uid", tests::kUid}, {"allowed", true}})) << operation;
    EXPECT_EQ(admission.ending, Ending::unchanged);
  }
}

TEST(Admission, LetsOtherKindsThroughWithAWarning) {
  const Admission admission =
      admitted(review_of("{}", "CREATE", R"({"group":"apps","version":"v1","kind":"Deployment"})"));
  EXPECT_EQ(response_of(admission).at("allowed"), true);
  EXPECT_EQ(response_of(admission).at("warnings").size(), 1U);
  EXPECT_LE(response_of(admission).at("warnings").at(0).get<std::string>().size(), 120U);
  EXPECT_EQ(admission.kind, "other");
}

TEST(Admission, AnswersFourHundredToANullRequest) {
  const Admission admission =
      admitted(R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":null})");
  EXPECT_EQ(admission.status, 400);
  EXPECT_EQ(admission.ending, Ending::malformed);
  EXPECT_THAT(json::parse(admission.body).at("message").get<std::string>(), HasSubstr("null"));
}

TEST(Admission, GivesTheLogNothingThatKubernetesWouldNotWrite) {
  std::string odd =
      review_of(R"({"metadata":{"name":"a"}})", "CREATE", R"({"group":"","version":"v1","kind":"Canary Kind"})");
  odd.replace(odd.find(tests::kUid), 36, "canary-in-place-of-a-uid");
  odd.replace(odd.find(R"("namespace":"shop")"), 18, R"("namespace":"Canary Space")");
  const Admission admission = admitted(odd);
  EXPECT_EQ(admission.status, 200);
  EXPECT_THAT(admission.uid, IsEmpty());
  EXPECT_THAT(admission.pod_namespace, IsEmpty());
  EXPECT_EQ(admission.kind, "other");
}

}  // namespace
