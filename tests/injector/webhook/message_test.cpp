#include "injector/webhook/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/injector/webhook/reviews.h"

namespace {

using namespace injector::webhook;
using nlohmann::json;
using scanner::base::Errc;
using testing::HasSubstr;
using testing::Not;
using tests::review_of;

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(Message, ReadsWhatTheApiServerSends) {
  const auto question = read_question(review_of(R"({"metadata":{"name":"a"},"spec":{"containers":[{"name":"x"}]}})"));
  ASSERT_TRUE(question) << question.error().message();
  EXPECT_EQ(question->uid, tests::kUid);
  EXPECT_EQ(question->operation, "CREATE");
  EXPECT_EQ(question->kind, "Pod");
  EXPECT_EQ(question->pod_namespace, "shop");
  EXPECT_FALSE(question->dry_run);
  EXPECT_TRUE(question->is_new_pod());
  EXPECT_EQ(question->object, json::parse(R"({"metadata":{"name":"a"},"spec":{"containers":[{"name":"x"}]}})"));
}

TEST(Message, KeepsEveryTypeOfValueOfTheObject) {
  const std::string object =
      R"({"a":null,"b":[true,false,0,-7,1.5,1e300,"\u00e9\n",[],{}],"c":{"d":{"e":[{"f":18446744073709551615}]}}})";
  const auto question = read_question(review_of(object));
  ASSERT_TRUE(question) << question.error().message();
  EXPECT_EQ(question->object, json::parse(object));
}

TEST(Message, PassesOverManagedFieldsOfTheObjectAlone) {
  const auto question = read_question(
      review_of(R"({"metadata":{"managedFields":[{"a":{"b":[1]}}],"name":"n","labels":{"managedFields":"kept"}},)"
                R"("spec":{"managedFields":[1]},"managedFields":2})"));
  ASSERT_TRUE(question) << question.error().message();
  EXPECT_EQ(question->object,
            json::parse(R"({"metadata":{"name":"n","labels":{"managedFields":"kept"}},"spec":{"managedFields":[1]},)"
                        R"("managedFields":2})"));
  const auto scalar = read_question(review_of(R"({"metadata":{"managedFields":7,"name":"n"}})"));
  ASSERT_TRUE(scalar);
  EXPECT_EQ(scalar->object, json::parse(R"({"metadata":{"name":"n"}})"));
}

TEST(Message, TakesNothingOfTheOldObjectOrTheUserForTheRequest) {
  const auto question = read_question(
      R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"oldObject":{"uid":"no","kind":"no",)"
      R"("object":{"x":1}},"userInfo":{"uid":"no","extra":{"namespace":["no"]}},"uid":"yes","kind":{"kind":"Pod",)"
      R"("group":"","x":{"kind":"no"}},"operation":"DELETE","dryRun":true,"object":null}})");
  ASSERT_TRUE(question) << question.error().message();
  EXPECT_EQ(question->uid, "yes");
  EXPECT_EQ(question->kind, "Pod");
  EXPECT_EQ(question->pod_namespace, "");
  EXPECT_TRUE(question->dry_run);
  EXPECT_TRUE(question->object.is_null());
}

struct Bad {
  std::string body;
  Errc code;
  std::string words;
};

TEST(Message, SaysWhatIsWrongAndQuotesNothing) {
  const std::string head = R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":)";
  const std::vector<Bad> all = {
      {"", Errc::corrupt, "not JSON at byte"},
      {"canary", Errc::corrupt, "not JSON at byte"},
      {"[]", Errc::corrupt, "the body is no object"},
      {"7", Errc::corrupt, "the body is no object"},
      {R"("canary")", Errc::corrupt, "the body is no object"},
      {head + "null}", Errc::corrupt, "request is null"},
      {head + "[]}", Errc::corrupt, "request is no object"},
      {head + R"("canary"})", Errc::corrupt, "request is no object"},
      {R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"})", Errc::corrupt, "has no request"},
      {R"({"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview","request":{}})", Errc::unsupported,
       "v1 is"},
      {R"({"apiVersion":"v1","kind":"canary"})", Errc::unsupported, "no AdmissionReview"},
      {head + "{}}", Errc::corrupt, "request.uid"},
      {head + R"({"uid":""}})", Errc::corrupt, "request.uid"},
      {head + R"({"uid":7}})", Errc::corrupt, "must be a string"},
      {head + R"({"uid":["canary"]}})", Errc::corrupt, "must be a string"},
      {head + R"({"uid":"a b"}})", Errc::corrupt, "request.uid"},
      {head + R"({"uid":")" + std::string(129, 'a') + R"("}})", Errc::corrupt, "request.uid"},
      {head + R"({"uid":"u"}})", Errc::corrupt, "request.operation"},
      {head + R"({"uid":"u","operation":"CREATE"}})", Errc::corrupt, "request.kind"},
      {head + R"({"uid":"u","operation":"CREATE","kind":"canary"}})", Errc::corrupt, "request.kind is no object"},
      {head + R"({"uid":"u","operation":"CREATE","kind":{"kind":"Pod"},"object":"canary"}})", Errc::corrupt,
       "no object"},
      {head + R"({"uid":"u","operation":"CREATE","kind":{"kind":"Pod"},"object":["canary"]}})", Errc::corrupt,
       "no object"},
      {head + R"({"uid":"u","uid":"canary"}})", Errc::corrupt, "twice"},
      {review_of(R"({"canary":1,"canary":2})"), Errc::limit, "twice"},
      {review_of(R"({"a":)" + nested(62) + "}"), Errc::limit, "deeper than 64"},
      {review_of("{}") + "canary", Errc::corrupt, "not JSON at byte"},
      {review_of("{}") + review_of("{}"), Errc::corrupt, "not JSON at byte"},
      {review_of(R"({"canary":NaN})"), Errc::corrupt, "not JSON at byte"},
      {review_of(R"({"canary":"\ud800"})"), Errc::corrupt, "not JSON at byte"},
      {review_of("{\"canary\":\"\xff\"}"), Errc::corrupt, "not JSON at byte"},
      {review_of(R"({"canary":1e999})"), Errc::corrupt, "not JSON"},
      {std::string(100'000, '['), Errc::corrupt, "the body is no object"},
      {std::string(100'000, '{'), Errc::corrupt, "not JSON"},
  };
  for (const Bad& bad : all) {
    const auto question = read_question(bad.body);
    ASSERT_FALSE(question) << bad.body.substr(0, 200);
    EXPECT_EQ(question.error().code(), bad.code) << bad.body.substr(0, 200) << question.error().message();
    EXPECT_THAT(question.error().message(), HasSubstr(bad.words));
    EXPECT_THAT(question.error().message(), Not(HasSubstr("canary")));
  }
}

TEST(Message, TakesWhatNestsSixtyFourDeepInAll) {
  // The review, the request and the object are three.
  EXPECT_TRUE(read_question(review_of(R"({"a":)" + nested(61) + "}")));
  EXPECT_FALSE(read_question(review_of(R"({"a":)" + nested(62) + "}")));
}

TEST(Message, RefusesAnObjectOfTooManyValues) {
  std::string many = R"({"a":[)";
  for (std::size_t i = 0; i < kMaxValues; ++i) many += "{},";
  const auto question = read_question(review_of(many + "0]}"));
  ASSERT_FALSE(question);
  EXPECT_EQ(question.error().code(), Errc::limit);
}

TEST(Message, CarriesThePatchAsBase64OfTheSameUid) {
  Reply reply;
  reply.patch = R"([{"op":"add","path":"/x","value":"\u00ff>>>???"}])";
  reply.warnings = {"one", "tw\"o"};
  const json answer = json::parse(write_reply("the-uid", reply));
  EXPECT_EQ(answer.at("apiVersion"), "admission.k8s.io/v1");
  EXPECT_EQ(answer.at("kind"), "AdmissionReview");
  EXPECT_EQ(answer.at("response").at("uid"), "the-uid");
  EXPECT_EQ(answer.at("response").at("allowed"), true);
  EXPECT_EQ(answer.at("response").at("patchType"), "JSONPatch");
  EXPECT_EQ(answer.at("response").at("patch"), "W3sib3AiOiJhZGQiLCJwYXRoIjoiL3giLCJ2YWx1ZSI6Ilx1MDBmZj4+Pj8/PyJ9XQ==");
  EXPECT_EQ(answer.at("response").at("warnings"), json({"one", "tw\"o"}));
  EXPECT_FALSE(answer.at("response").contains("status"));
}

TEST(Message, SaysNothingOfAPatchWhereThereIsNone) {
  const json answer = json::parse(write_reply("u", {}));
  EXPECT_EQ(answer.at("response"), json({{"uid", "u"}, {"allowed", true}}));
}

TEST(Message, DeniesWithACodeAReasonAndASentence) {
  Reply reply;
  reply.allowed = false;
  reply.message = "set secret-injector.io/role";
  reply.patch = "[1]";
  const json answer = json::parse(write_reply("u", reply));
  EXPECT_EQ(answer.at("response"),
            json({{"uid", "u"},
                  {"allowed", false},
                  {"status", {{"code", 403}, {"reason", "Forbidden"}, {"message", "set secret-injector.io/role"}}}}));
}

TEST(Message, WritesAStatusThatClientsOfKubernetesRead) {
  const json status = json::parse(write_status(413, "too \"large\""));
  EXPECT_EQ(status.at("kind"), "Status");
  EXPECT_EQ(status.at("code"), 413);
  EXPECT_EQ(status.at("reason"), "RequestEntityTooLarge");
  EXPECT_EQ(status.at("message"), "too \"large\"");
}

}  // namespace
