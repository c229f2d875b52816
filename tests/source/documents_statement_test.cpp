#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "scanner/source/documents.h"

namespace scanner::source {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

std::vector<std::pair<std::string, std::string>> fields_and_texts(const std::string& json) {
  const auto texts = statement_texts(json, "statement");
  EXPECT_TRUE(texts) << texts.error().message();
  std::vector<std::pair<std::string, std::string>> out;
  if (!texts) return out;
  for (const auto& text : *texts) {
    EXPECT_EQ(text.entry.kind, Kind::attestation);
    EXPECT_EQ(text.entry.path, "statement");
    out.emplace_back(text.entry.field, text.text);
  }
  return out;
}

// What BuildKit attaches with mode=max, SLSA 0.2, shortened.
constexpr const char* kProvenance = R"({"_type":"https://in-toto.io/Statement/v0.1",
  "predicateType":"https://slsa.dev/provenance/v0.2",
  "subject":[{"name":"pkg:docker/app@1","digest":{"sha256":"6ba7fca6"}}],
  "predicate":{
    "invocation":{
      "configSource":{"entryPoint":"Dockerfile"},
      "parameters":{"frontend":"dockerfile.v0","args":{"build-arg:TOKEN":"tok123","build-arg:EMPTY":"",
        "label:org.example.key":"v","vcs:source":"https://user:pass@git.example.com/app"},"secrets":[{"id":"npm"}]},
      "environment":{"platform":"linux/amd64"}},
    "buildConfig":{"llbDefinition":[{"id":"step0","op":{"Op":{"exec":{"meta":{
      "args":["/bin/sh","-c","curl -u a:b http://localhost"],"env":["PATH=/bin","DB_PASSWORD=hunter2"],"cwd":"/"}}}}}]},
    "metadata":{"buildStartedOn":"2026-11-24T09:02:51.332565693Z","reproducible":false}}})";

TEST(Statement, GivesEveryBuildArgumentUnderItsOwnName) {
  const auto texts = fields_and_texts(kProvenance);
  EXPECT_THAT(texts, Contains(Pair("TOKEN", "TOKEN=tok123")));
  EXPECT_THAT(texts, Contains(Pair("EMPTY", "EMPTY=")));
}

TEST(Statement, GivesTheVariablesOfBuildStepsUnderTheirNames) {
  EXPECT_THAT(fields_and_texts(kProvenance), Contains(Pair("DB_PASSWORD", "DB_PASSWORD=hunter2")));
}

TEST(Statement, GivesEveryOtherStringWithItsKeyAndItsPlace) {
  const auto texts = fields_and_texts(kProvenance);
  EXPECT_THAT(texts, Contains(Pair("/predicate/invocation/parameters/args/vcs:source",
                                   "vcs:source=https://user:pass@git.example.com/app")));
  EXPECT_THAT(texts, Contains(Pair("/predicate/buildConfig/llbDefinition/0/op/Op/exec/meta/args/2",
                                   "args=curl -u a:b http://localhost")));
  EXPECT_THAT(texts, Contains(Pair("/subject/0/name", "name=pkg:docker/app@1")));
}

TEST(Statement, GivesNoTimes) {
  EXPECT_THAT(fields_and_texts(kProvenance), Each(Pair(Not("/predicate/metadata/buildStartedOn"), testing::_)));
}

TEST(Statement, OfSlsaVersionOneIsReadAlike) {
  EXPECT_THAT(
      fields_and_texts(
          R"({"predicate":{"buildDefinition":{"externalParameters":{"request":{"args":{"build-arg:TOKEN":"tok123"}}}}}})"),
      ElementsAre(Pair("TOKEN", "TOKEN=tok123")));
}

TEST(Statement, EscapesItsKeysInPointers) {
  EXPECT_THAT(fields_and_texts(R"({"https://mobyproject.org/buildkit@v1#metadata":{"a~b":"x"}})"),
              ElementsAre(Pair("/https:~1~1mobyproject.org~1buildkit@v1#metadata/a~0b", "a~b=x")));
}

TEST(Statement, MayBeAnyJsonDocument) {
  EXPECT_THAT(fields_and_texts(R"("just text")"), ElementsAre(Pair("", "just text")));
  EXPECT_THAT(fields_and_texts(R"(["a",["b"],{"k":{"c":"d"},"e":{}}])"),
              UnorderedElementsAre(Pair("/0", "a"), Pair("/1/0", "b"), Pair("/2/k/c", "c=d"), Pair("/2", "e")));
  EXPECT_THAT(fields_and_texts("{}"), IsEmpty());
  EXPECT_THAT(fields_and_texts("12"), IsEmpty());
}

TEST(Statement, TakesNothingForATimeOrDigestThatMerelyBeginsLikeOne) {
  const auto digest = "sha256:" + std::string(64, 'a');
  EXPECT_THAT(fields_and_texts(R"({"a":")" + digest + R"("})"), IsEmpty());
  EXPECT_THAT(fields_and_texts(R"({"a":")" + digest + R"(x"})"), ElementsAre(Pair("/a", "a=" + digest + "x")));
  EXPECT_THAT(fields_and_texts(R"({"a":"2026-11-24T09:02:51Z","b":"2026-11-24T09:02:51.5+01:00"})"), IsEmpty());
  EXPECT_THAT(fields_and_texts(R"({"a":"2026-11-24T09:02:51Z hunter2"})"),
              ElementsAre(Pair("/a", "a=2026-11-24T09:02:51Z hunter2")));
  EXPECT_THAT(fields_and_texts(R"({"a":"2026-11-24T09:02:51.hunter2"})"),
              ElementsAre(Pair("/a", "a=2026-11-24T09:02:51.hunter2")));
}

}  // namespace
}  // namespace scanner::source
