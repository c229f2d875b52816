#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "scanner/source/documents.h"

namespace scanner::source {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::FieldsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::UnorderedElementsAre;

Config parsed(const std::string& json) {
  auto config = parse_config(json, "config", {});
  EXPECT_TRUE(config) << config.error().message();
  return config ? *config : Config{};
}

using Seen = std::tuple<Kind, std::string, std::string>;

/// The texts that stand outside the history.
std::vector<Seen> settings(const std::string& json) {
  std::vector<Seen> seen;
  for (const auto& text : parsed(json).texts) {
    if (text.entry.kind != Kind::history) seen.emplace_back(text.entry.kind, text.entry.field, text.text);
  }
  return seen;
}

using SeenHistory = std::tuple<int, std::string, std::string>;

std::vector<SeenHistory> history(const std::string& json) {
  std::vector<SeenHistory> seen;
  for (const auto& text : parsed(json).texts) {
    if (text.entry.kind == Kind::history) {
      seen.emplace_back(text.entry.history_index, text.entry.field, text.text);
    }
  }
  return seen;
}

// What Docker's classic builder writes, shortened.
constexpr const char* kDocker = R"({
  "architecture":"amd64",
  "config":{
    "Hostname":"","User":"10:20","AttachStdin":false,"ExposedPorts":{"8080/tcp":{}},
    "Env":["PATH=/bin","DB_PASSWORD=hunter2","EMPTY="],
    "Cmd":["/bin/sh","-c","run --key=v1"],
    "Healthcheck":{"Test":["CMD-SHELL","curl -u a:b http://localhost"],"Interval":5000000000},
    "Image":"sha256:85c9bd1f748d2a62fb11a72132dbb467f10144ef213c69c45712b97a85b070c6",
    "Volumes":{"/data":{}},"WorkingDir":"/app","Entrypoint":["/bin/tini","--","x y"],
    "OnBuild":["RUN echo T=1","RUN echo two"],"Labels":{"com.x.token":"abc def","maintainer":"me"},
    "StopSignal":"TERM","Shell":["/bin/ash","-o","pipefail","-c"]},
  "container":"b3421aa12d1e50ca42f981b9ebf73b1976d4cf519c4b23db31764f92602cdf01",
  "container_config":{
    "Hostname":"b3421aa12d1e","User":"10:20",
    "Env":["PATH=/bin","DB_PASSWORD=hunter2","EMPTY=","ONLY=here"],
    "Cmd":["/bin/sh","-c","#(nop) ","CMD [\"run --key=v1\"]"],
    "Entrypoint":["/bin/tini","--","x y"],"Labels":{"com.x.token":"abc def","maintainer":"me"}},
  "created":"2026-11-24T09:02:51.332565693Z",
  "docker_version":"20.10.24",
  "history":[
    {"created":"2026-11-24T09:02:15.207606937Z","created_by":"/bin/sh -c #(nop) COPY file:7027 in /bin/sh "},
    {"created":"2026-11-24T09:02:49.099421582Z","created_by":"/bin/sh -c #(nop)  ARG TOKEN=def","empty_layer":true},
    {"created":"2026-11-24T09:02:49.300570034Z","created_by":"/bin/sh -c #(nop)  ARG NOTE","empty_layer":true},
    {"created":"2026-11-24T09:02:49.835769505Z","created_by":"|2 NOTE=a b C=d e TOKEN=tok123 /bin/sh -c echo hi > /f"}],
  "os":"linux",
  "rootfs":{"type":"layers","diff_ids":[
    "sha256:8b7328766c662b3259d3821802fb18f24acfb9d8079de21396baafd31f668173",
    "sha256:d4a3b57715dbcab10bef0d0d3d157f5830a516d854b4ccf6cc08d3a20e8d7ec1"]}})";

TEST(Config, OfDockerGivesEverySettingAsItsOwnText) {
  EXPECT_THAT(
      settings(kDocker),
      UnorderedElementsAre(
          FieldsAre(Kind::env, "PATH", "PATH=/bin"), FieldsAre(Kind::env, "DB_PASSWORD", "DB_PASSWORD=hunter2"),
          FieldsAre(Kind::env, "EMPTY", "EMPTY="), FieldsAre(Kind::env, "ONLY", "ONLY=here"),
          FieldsAre(Kind::label, "com.x.token", "com.x.token=abc def"),
          FieldsAre(Kind::label, "maintainer", "maintainer=me"), FieldsAre(Kind::cmd, "", "/bin/sh -c run --key=v1"),
          FieldsAre(Kind::cmd, "", "/bin/sh -c #(nop)  CMD [\"run --key=v1\"]"),
          FieldsAre(Kind::entrypoint, "", "/bin/tini -- x y"),
          FieldsAre(Kind::healthcheck, "", "CMD-SHELL curl -u a:b http://localhost"),
          FieldsAre(Kind::onbuild, "", "RUN echo T=1"), FieldsAre(Kind::onbuild, "", "RUN echo two"),
          FieldsAre(Kind::config, "/config/Shell", "/bin/ash -o pipefail -c"),
          FieldsAre(Kind::config, "/config/User", "User=10:20"),
          FieldsAre(Kind::config, "/container_config/User", "User=10:20"),
          FieldsAre(Kind::config, "/container_config/Hostname", "Hostname=b3421aa12d1e"),
          FieldsAre(Kind::config, "/config/WorkingDir", "WorkingDir=/app"),
          FieldsAre(Kind::config, "/config/StopSignal", "StopSignal=TERM"),
          FieldsAre(Kind::config, "/config/ExposedPorts", "8080/tcp"),
          FieldsAre(Kind::config, "/config/Volumes", "/data"),
          FieldsAre(Kind::config, "/docker_version", "docker_version=20.10.24"),
          FieldsAre(Kind::config, "/rootfs/type", "type=layers")));
}

TEST(Config, OfDockerGivesEveryHistoryEntryWholeAndEachBuildArgument) {
  EXPECT_THAT(history(kDocker),
              ElementsAre(FieldsAre(0, "", "/bin/sh -c #(nop) COPY file:7027 in /bin/sh "),
                          FieldsAre(1, "", "/bin/sh -c #(nop)  ARG TOKEN=def"), FieldsAre(1, "TOKEN", "TOKEN=def"),
                          FieldsAre(2, "", "/bin/sh -c #(nop)  ARG NOTE"),
                          FieldsAre(3, "", "|2 NOTE=a b C=d e TOKEN=tok123 /bin/sh -c echo hi > /f"),
                          FieldsAre(3, "NOTE", "NOTE=a b C=d e"), FieldsAre(3, "TOKEN", "TOKEN=tok123")));
}

TEST(Config, OfDockerGivesPlatformLayersAndHistory) {
  const auto config = parsed(kDocker);
  EXPECT_EQ(config.platform, "linux/amd64");
  EXPECT_THAT(config.diff_ids, ElementsAre("sha256:8b7328766c662b3259d3821802fb18f24acfb9d8079de21396baafd31f668173",
                                           "sha256:d4a3b57715dbcab10bef0d0d3d157f5830a516d854b4ccf6cc08d3a20e8d7ec1"));
  ASSERT_EQ(config.history.size(), 4U);
  EXPECT_FALSE(config.history[0].empty_layer);
  EXPECT_TRUE(config.history[1].empty_layer);
  EXPECT_EQ(config.history[1].created_by, "/bin/sh -c #(nop)  ARG TOKEN=def");
}

TEST(Config, NamesItselfAsThePlaceOfItsTexts) {
  for (const auto& text : parsed(kDocker).texts) EXPECT_EQ(text.entry.path, "config");
}

TEST(Config, OfBuildahKeepsAuthorsAndComments) {
  const char* json = R"({"created":"2026-11-24T09:02:10.594040549Z","author":"A U \u003ca@u\u003e",
    "architecture":"arm64","variant":"v8","os":"linux","config":{"Labels":{"io.buildah.version":"1.28.2"}},
    "rootfs":{"type":"layers","diff_ids":[]},
    "history":[{"created":"2026-11-24T09:02:10.594770951Z","created_by":"/bin/bash -o pipefail -c",
                "author":"A U \u003ca@u\u003e","comment":"FROM 37ce7ce6e2d0"}]})";
  EXPECT_EQ(parsed(json).platform, "linux/arm64/v8");
  EXPECT_THAT(settings(json), Contains(FieldsAre(Kind::config, "/author", "author=A U <a@u>")));
  EXPECT_THAT(history(json), UnorderedElementsAre(FieldsAre(0, "", "/bin/bash -o pipefail -c"),
                                                  FieldsAre(0, "/history/0/author", "author=A U <a@u>"),
                                                  FieldsAre(0, "/history/0/comment", "comment=FROM 37ce7ce6e2d0")));
}

TEST(Config, OfBuildKitGivesItsCacheAndEveryRunInstruction) {
  const char* json = R"({"architecture":"amd64","os":"linux","moby.buildkit.cache.v0":"W3sibGF5ZXJzIjpbXX1d",
    "rootfs":{"type":"layers","diff_ids":[]},
    "history":[{"created_by":"RUN |1 TOKEN=tok123 /bin/sh -c echo hi # buildkit","comment":"buildkit.dockerfile.v0"}]})";
  EXPECT_THAT(settings(json), Contains(FieldsAre(Kind::config, "/moby.buildkit.cache.v0",
                                                 "moby.buildkit.cache.v0=W3sibGF5ZXJzIjpbXX1d")));
  EXPECT_THAT(history(json), IsSupersetOf({SeenHistory(0, "TOKEN", "TOKEN=tok123"),
                                           SeenHistory(0, "", "RUN |1 TOKEN=tok123 /bin/sh -c echo hi # buildkit")}));
}

TEST(Config, OfAnOldLayerIsReadWithoutRootfs) {
  const char* json = R"({"id":"0f274a8c726f46a8eaa9b8087b502866063b4dc8846af07baf3a68de0b8cb85f",
    "parent":"60d06a232f3afa4220dd608c229473619bb520326966db2888b580f50f2d8bdf","created":"1970-01-01T00:00:00Z",
    "container":null,"container_config":{"Hostname":"","Env":null,"Cmd":null,"Labels":{"a":"b"}},"os":"linux"})";
  EXPECT_THAT(settings(json), ElementsAre(FieldsAre(Kind::label, "a", "a=b")));
  EXPECT_THAT(parsed(json).diff_ids, IsEmpty());
}

TEST(Config, OfUmociMayBeNearlyEmpty) {
  EXPECT_THAT(settings(R"({"created":"2026-11-24T09:03:09.043286861Z","architecture":"amd64","os":"linux","config":{},
                           "rootfs":{"type":"layers","diff_ids":[]}})"),
              ElementsAre(FieldsAre(Kind::config, "/rootfs/type", "type=layers")));
}

TEST(Config, ReadsMembersInAnyCaseAsGoDoes) {
  EXPECT_THAT(settings(R"({"Config":{"ENV":["A=x"],"labels":{"l":"m"},"CMD":["run"]},"rootfs":{}})"),
              UnorderedElementsAre(FieldsAre(Kind::env, "A", "A=x"), FieldsAre(Kind::label, "l", "l=m"),
                                   FieldsAre(Kind::cmd, "", "run")));
}

TEST(Config, ReadsCommandsThatAreOneString) {
  EXPECT_THAT(settings(R"({"config":{"Cmd":"run a","Entrypoint":"sh","Healthcheck":{"Test":"curl x"}},"rootfs":{}})"),
              UnorderedElementsAre(FieldsAre(Kind::cmd, "", "run a"), FieldsAre(Kind::entrypoint, "", "sh"),
                                   FieldsAre(Kind::healthcheck, "", "curl x")));
}

TEST(Config, SearchesWhatHasTheWrongTypeAllTheSame) {
  EXPECT_THAT(settings(R"({"config":{"Env":{"A":"x"},"Labels":["l=m"],"Cmd":["a",7,["b"]],"OnBuild":"RUN c",
                           "Healthcheck":["d"]},"rootfs":{}})"),
              UnorderedElementsAre(FieldsAre(Kind::config, "/config/Env/A", "A=x"),
                                   FieldsAre(Kind::config, "/config/Labels/0", "Labels=l=m"),
                                   FieldsAre(Kind::config, "/config/Cmd/0", "Cmd=a"),
                                   FieldsAre(Kind::config, "/config/Cmd/2/0", "Cmd=b"),
                                   FieldsAre(Kind::config, "/config/OnBuild", "OnBuild=RUN c"),
                                   FieldsAre(Kind::config, "/config/Healthcheck/0", "Healthcheck=d")));
}

TEST(Config, SearchesMembersThatItDoesNotKnow) {
  EXPECT_THAT(
      settings(R"({"config":{"New":{"Deep":[{"key":"a"}]}},"top":"b","container":{"Env":["A=c"]},"rootfs":{}})"),
      UnorderedElementsAre(FieldsAre(Kind::config, "/config/New/Deep/0/key", "key=a"),
                           FieldsAre(Kind::config, "/top", "top=b"), FieldsAre(Kind::env, "A", "A=c")));
}

TEST(Config, SearchesAVariableWithoutAValueAndNamesNoField) {
  EXPECT_THAT(settings(R"({"config":{"Env":["justtext",""]},"rootfs":{}})"),
              ElementsAre(FieldsAre(Kind::env, "", "justtext")));
}

TEST(Config, SearchesLabelsWhateverTheyLookLike) {
  EXPECT_THAT(settings(R"({"config":{"Labels":{"at":"2026-11-24T09:03:09Z","none":""}},"rootfs":{}})"),
              UnorderedElementsAre(FieldsAre(Kind::label, "at", "at=2026-11-24T09:03:09Z"),
                                   FieldsAre(Kind::label, "none", "none=")));
}

TEST(Config, TakesAnIdentifierForOneOnlyWhereItStandsAndWhenItIsWellFormed) {
  const std::string id(64, 'a');
  EXPECT_THAT(settings(R"({"parent":")" + id + R"(","rootfs":{}})"), IsEmpty());
  EXPECT_THAT(settings(R"({"parent":"hunter2","key":")" + id + R"(","rootfs":{}})"),
              UnorderedElementsAre(FieldsAre(Kind::config, "/parent", "parent=hunter2"),
                                   FieldsAre(Kind::config, "/key", "key=" + id)));
}

TEST(Config, GivesTheSameTextOnceThoughTwoMembersHoldIt) {
  const auto seen = settings(kDocker);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), Seen(Kind::env, "DB_PASSWORD", "DB_PASSWORD=hunter2")), 1);
}

TEST(Config, GivesTheSameInstructionForEachEntryThatHasIt) {
  EXPECT_THAT(history(R"({"history":[{"created_by":"RUN make"},{"created_by":"RUN make"}]})"),
              ElementsAre(FieldsAre(0, "", "RUN make"), FieldsAre(1, "", "RUN make")));
}

TEST(Config, OfManyTextsIsReadUpToTheLimit) {
  std::string variables;
  for (int i = 0; i < 100'000; ++i) variables += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "=\"";
  const auto config = parse_config(R"({"config":{"Env":[)" + variables + "]}," + R"("rootfs":{}})", "c", {});
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->texts.size(), 100'000U);
}

TEST(History, TellsWhichEntryMadeEachLayer) {
  Config config;
  config.history = {{"COPY a", false}, {"ENV b", true}, {"RUN c", false}, {"CMD d", true}};
  EXPECT_THAT(history_of_layers(config, 2), ElementsAre(0, 2));
}

TEST(History, TellsNothingWhenItDoesNotFitTheLayers) {
  Config config;
  config.history = {{"COPY a", false}, {"RUN b", false}};
  EXPECT_THAT(history_of_layers(config, 3), ElementsAre(-1, -1, -1));
  EXPECT_THAT(history_of_layers(config, 1), ElementsAre(-1));
  EXPECT_THAT(history_of_layers(Config{}, 0), IsEmpty());
}

}  // namespace
}  // namespace scanner::source
