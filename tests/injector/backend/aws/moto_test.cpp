// The real client against moto, which checks every signature: what the fake of fake_aws.h cannot vouch for.

#include "tests/injector/backend/aws/moto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "injector/backend/aws/secrets_manager.h"
#include "injector/net/https_client.h"
#include "tests/injector/backend/aws/python.h"
#include "tests/injector/backend/aws/store.h"
#include "tests/injector/chaos_proxy.h"

namespace injector::backend::aws {
namespace {

using scanner::base::Errc;
using scanner::base::Result;
using ::testing::HasSubstr;
using tests::query;

class MotoStore : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::string python = tests::python_with_moto();
    if (!python.empty()) moto_ = std::make_unique<tests::Moto>(python);
  }
  static void TearDownTestSuite() { moto_.reset(); }
  void SetUp() override {
    if (moto_ == nullptr) GTEST_SKIP() << tests::kNoMoto;
    ASSERT_FALSE((*moto_)["url"].empty()) << "moto did not start";
    use({{"AWS_ACCESS_KEY_ID", (*moto_)["id"]}, {"AWS_SECRET_ACCESS_KEY", (*moto_)["key"]}});
  }

  void use(std::vector<std::pair<std::string, std::string>> environment, const std::string& url = (*moto_)["url"],
           Milliseconds timeout = Milliseconds(10'000)) {
    environment.emplace_back("AWS_ENDPOINT_URL", url);
    Settings settings;
    settings.timeout = timeout;
    settings.regions = {"eu-central-1"};
    const Environment variables = tests::variables(environment);
    net::ClientSettings client;
    client.ca_file = (*moto_)["ca"];
    client.plain_hosts = plain_hosts(settings, variables);
    store_.reset();
    http_ = std::move(*net::HttpsClient::create(loop_.get_executor(), client));
    auto store = SecretsManager::create(settings, variables, *http_);
    ASSERT_TRUE(store) << store.error().message();
    store_ = std::move(*store);
  }
  Result<Reading> read(const std::string& text) { return read(query(text)); }
  Result<Reading> read(const Query& asked) { return tests::run(loop_, store_->read(asked)); }
  Result<bool> changed(const std::string& path, const std::string& version) {
    const Query asked = query(path);
    return tests::run(loop_, store_->changed(asked, version));
  }
  static std::string tell(const std::vector<std::string>& words) { return moto_->tell(words); }

  static std::unique_ptr<tests::Moto> moto_;
  boost::asio::io_context loop_;
  std::unique_ptr<net::HttpsClient> http_;
  std::unique_ptr<SecretsManager> store_;
};

std::unique_ptr<tests::Moto> MotoStore::moto_;

TEST_F(MotoStore, ReadsWhatBotoWrote) {
  const std::string version = tell({"put", "prod/db", R"({"user":"u","password":"p\"ä\\"})"});
  const auto reading = read("prod/db#password");
  ASSERT_TRUE(reading) << reading.error().message();
  EXPECT_EQ(reading->version, version);
  EXPECT_EQ(reading->members[1].value.reveal(), "p\"ä\\");
  tell({"binary", "bin", "00ff0a7b"});
  EXPECT_EQ(read("bin")->document.reveal(), std::string_view("\0\xFF\n{", 4));
  const std::string large(65'536, 'x');
  tell({"put", "large", large});
  EXPECT_EQ(read("large")->document.reveal(), large);
}

TEST_F(MotoStore, TellsWhatIsMissingDeletedAndRefused) {
  EXPECT_EQ(read("none").error().code(), Errc::missing);
  tell({"put", "gone", "x"});
  tell({"delete", "gone"});
  EXPECT_EQ(read("gone").error().code(), Errc::missing);
  EXPECT_EQ(changed("gone", "x").error().code(), Errc::missing);
  tell({"put", "there", "x"});
  for (const auto& [id, key] : {std::pair((*moto_)["id"], std::string("wrong")), {"AKIAUNKNOWN", (*moto_)["key"]}}) {
    use({{"AWS_ACCESS_KEY_ID", id}, {"AWS_SECRET_ACCESS_KEY", key}});
    const auto reading = read("there");
    ASSERT_FALSE(reading) << "moto does not check signatures";
    EXPECT_EQ(reading.error().code(), Errc::denied) << reading.error().message();
  }
}

TEST_F(MotoStore, FollowsARotationThroughItsStages) {
  const std::string first = tell({"put", "rot", "1"});
  const std::string second = tell({"pending", "rot", "2"});
  EXPECT_EQ(read("rot")->document.reveal(), "1");
  EXPECT_FALSE(*changed("rot", first));
  Query pending = query("rot");
  pending.stage = "AWSPENDING";
  EXPECT_EQ(read(pending)->document.reveal(), "2");
  tell({"promote", "rot", second, first});
  EXPECT_TRUE(*changed("rot", first));
  const auto reading = read("rot");
  EXPECT_EQ(reading->document.reveal(), "2");
  EXPECT_EQ(reading->version, second);
  Query pinned = query("rot");
  pinned.version = first;
  EXPECT_EQ(read(pinned)->document.reveal(), "1");
}

TEST_F(MotoStore, ReadsABatchOnOneConnection) {
  std::vector<Query> queries;
  for (int i = 0; i < 25; ++i) {
    const std::string name = "batch/" + std::to_string(i);
    if (i != 7) tell({"put", name, name});
    queries.push_back(query(name));
  }
  const auto readings = tests::run(loop_, store_->read_all(queries));
  for (std::size_t i = 0; i < readings.size(); ++i) {
    if (i == 7) {
      EXPECT_EQ(readings[i].error().code(), Errc::missing);
    } else {
      ASSERT_TRUE(readings[i]) << readings[i].error().message();
      EXPECT_EQ(readings[i]->document.reveal(), queries[i].path);
    }
  }
  EXPECT_EQ(store_->counts().requests, 2U);
}

TEST_F(MotoStore, LogsInByWebIdentity) {
  tell({"put", "irsa", "x"});
  // moto cannot take an unsigned call while it checks.
  tell({"free", "1"});
  use({{"AWS_ROLE_ARN", (*moto_)["role"]},
       {"AWS_WEB_IDENTITY_TOKEN_FILE", moto_->folder().write("irsa-token", "eyJhbGciOiJub25lIn0.e30.x")}});
  const auto reading = read("irsa");
  ASSERT_TRUE(reading) << reading.error().message();
  EXPECT_EQ(reading->document.reveal(), "x");
}

TEST_F(MotoStore, LogsInByContainerEndpointAndFollowsItsToken) {
  tell({"put", "pod", "x"});
  for (const char* token : {"pod-token-1", "pod-token-2"}) {
    tell({"token", token});
    use({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", (*moto_)["metadata"] + "/v1/credentials"},
         {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", moto_->folder().write("pod-token", token)}});
    const auto reading = read("pod");
    ASSERT_TRUE(reading) << reading.error().message();
  }
  moto_->folder().write("pod-token", "stale");
  use({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", (*moto_)["metadata"] + "/v1/credentials"},
       {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", moto_->folder().path() + "/pod-token"}});
  EXPECT_EQ(read("pod").error().code(), Errc::denied);
}

TEST_F(MotoStore, LogsInByInstanceMetadataAndDoesNotWaitForOneThatIsSilent) {
  tell({"put", "ec2", "x"});
  use({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", (*moto_)["metadata"]}});
  EXPECT_TRUE(read("ec2"));
  tell({"silent", "on"});
  use({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", (*moto_)["metadata"]}});
  const auto begin = std::chrono::steady_clock::now();
  const auto reading = read("ec2");
  const auto took = std::chrono::steady_clock::now() - begin;
  tell({"silent", "off"});
  ASSERT_FALSE(reading);
  EXPECT_THAT(reading.error().message(), HasSubstr("hop limit"));
  EXPECT_LT(took, std::chrono::milliseconds(2500));
}

TEST_F(MotoStore, ComesThroughEveryWeatherWithTheOldAnswerOrNone) {
  tell({"put", "weather", std::string(3000, 'w')});
  const std::string url = (*moto_)["url"];
  tests::ChaosProxy proxy("127.0.0.1:" + url.substr(url.rfind(':') + 1));
  ASSERT_GT(proxy.port(), 0);
  for (const char* weather : {"refuse", "hole", "reset 0", "cut 0", "cut 700", "cut 2500", "reset 3000", "stall 2500",
                              "flip 2500", "rate 1"}) {
    use({{"AWS_ACCESS_KEY_ID", (*moto_)["id"]}, {"AWS_SECRET_ACCESS_KEY", (*moto_)["key"]}},
        "https://localhost:" + std::to_string(proxy.port()), Milliseconds(300));
    ASSERT_TRUE(proxy.tell(weather));
    const auto begin = std::chrono::steady_clock::now();
    const auto reading = read("weather");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(2500)) << weather;
    ASSERT_FALSE(reading) << weather;
    EXPECT_EQ(reading.error().code(), Errc::away) << weather << ": " << reading.error().message();
    ASSERT_TRUE(proxy.tell("forget"));
    for (int i = 0; i < 20; ++i) EXPECT_FALSE(read("weather"));
    EXPECT_EQ(proxy.connections(), 0) << weather << ": it is not left alone";
    ASSERT_TRUE(proxy.tell("pass"));
    std::this_thread::sleep_for(std::chrono::milliseconds(1050));
    // A slow machine may need more than the short time that a request has here.
    auto again = read("weather");
    for (int i = 0; i < 3 && !again; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2000));
      again = read("weather");
    }
    ASSERT_TRUE(again) << weather << ": " << again.error().message();
    EXPECT_EQ(again->document.size(), 3000U);
  }
}

TEST_F(MotoStore, PassesThePreflight) {
  tell({"put", "checked", "x"});
  const std::vector<Query> queries = {query("checked")};
  for (const Check& check : tests::run(loop_, store_->check(queries))) {
    EXPECT_EQ(check.state, Check::State::passed) << check.what << ": " << check.detail;
  }
}

}  // namespace
}  // namespace injector::backend::aws
