#include "injector/backend/aws/secrets_manager.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>

#include "tests/injector/backend/aws/fake_aws.h"
#include "tests/injector/backend/aws/store.h"

namespace injector::backend::aws {
namespace {

using scanner::base::Errc;
using scanner::base::Result;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::Not;
using ::testing::SizeIs;
using tests::aws_error;
using tests::json_answer;
using tests::query;

constexpr const char* kHost = "secretsmanager.eu-central-1.amazonaws.com";
constexpr const char* kOther = "secretsmanager.eu-west-1.amazonaws.com";

class Store : public ::testing::Test {
 protected:
  Store() { aws_.keys["AKIA1"] = {"long-lived-key", "", false}; }

  SecretsManager& store(std::vector<std::string> regions = {"eu-central-1"}) {
    if (store_ == nullptr) {
      Settings settings;
      settings.regions = std::move(regions);
      const auto environment =
          tests::variables({{"AWS_ACCESS_KEY_ID", "AKIA1"}, {"AWS_SECRET_ACCESS_KEY", "long-lived-key"}});
      store_ = std::move(*SecretsManager::create(settings, environment, aws_));
    }
    return *store_;
  }
  Result<Reading> read(const Query& query) { return tests::run(loop_, store().read(query)); }
  Result<Reading> read(const std::string& text) { return read(query(text)); }
  std::vector<Result<Reading>> read_all(const std::vector<Query>& queries) {
    return tests::run(loop_, store().read_all(queries));
  }
  Result<bool> changed(const Query& asked, const std::string& version) {
    return tests::run(loop_, store().changed(asked, version));
  }
  void refuse_next(const char* host, int status, const char* code, int times = 1) {
    for (int i = 0; i < times; ++i) aws_.script[host].push_back([=] { return aws_error(status, code); });
  }

  boost::asio::io_context loop_;
  tests::FakeAws aws_;
  std::unique_ptr<SecretsManager> store_;
};

TEST_F(Store, ReadsASecretWithItsMembersVersionAndRequestId) {
  const std::string version = aws_.put("prod/db", R"({"user":"u","password":"p\"w"})");
  const auto reading = read("prod/db#password");
  ASSERT_TRUE(reading) << reading.error().message();
  EXPECT_EQ(reading->version, version);
  EXPECT_EQ(reading->request_id, "req-1");
  ASSERT_THAT(reading->members, SizeIs(2));
  EXPECT_EQ(reading->members[1].value.reveal(), "p\"w");
  EXPECT_EQ(reading->document.reveal(), R"({"user":"u","password":"p\"w"})");
}

TEST_F(Store, SaysWhatIsMissing) {
  aws_.put("plain", "value");
  aws_.put("json", "{}");
  EXPECT_EQ(read("none").error().code(), Errc::missing);
  EXPECT_EQ(read("plain#key").error().message(), "plain is no JSON object, so it has no keys");
  EXPECT_EQ(read("json#key").error().code(), Errc::missing);
  aws_.secrets["plain"].deleted = true;
  const auto deleted = read("plain");
  EXPECT_EQ(deleted.error().code(), Errc::missing);
  EXPECT_THAT(deleted.error().message(), HasSubstr("scheduled for deletion"));
}

TEST_F(Store, RefusesQuestionsThatMakeNoSenseWithoutAsking) {
  Query write = query("a");
  write.write = true;
  Query space = query("a");
  space.space = "team";
  Query version = query("a");
  version.version = "short";
  for (const Query& wrong : {write, space, version, query(""), query("a b"), query(std::string(2049, 'a'))}) {
    EXPECT_EQ(read(wrong).error().code(), Errc::config);
  }
  EXPECT_THAT(aws_.seen, IsEmpty());
}

TEST_F(Store, ReadsTheLargestAndBinarySecrets) {
  const std::string large(65'536, '\x01');
  aws_.put("large", large);
  aws_.put("binary", std::string("\0\xFF\n{", 4), true);
  EXPECT_EQ(read("large")->document.reveal(), large);
  EXPECT_EQ(read("binary")->document.reveal(), std::string_view("\0\xFF\n{", 4));
}

TEST_F(Store, KeepsToTheCurrentStageWhileARotationIsUnderWay) {
  const std::string old = aws_.put("db", "old");
  aws_.secrets["db"].versions.push_back({std::string(36, 'p'), "pending", false, {"AWSPENDING"}});
  EXPECT_EQ(read("db")->document.reveal(), "old");
  EXPECT_FALSE(*changed(query("db"), old));

  Query pending = query("db");
  pending.stage = "AWSPENDING";
  EXPECT_EQ(read(pending)->document.reveal(), "pending");
  aws_.secrets["db"].versions[0].stages = {"AWSPREVIOUS"};
  aws_.secrets["db"].versions[1].stages = {"AWSCURRENT", "AWSPENDING"};
  EXPECT_TRUE(*changed(query("db"), old));
  EXPECT_EQ(read("db")->document.reveal(), "pending");
  Query pinned = query("db");
  pinned.version = old;
  EXPECT_EQ(read(pinned)->document.reveal(), "old");
}

TEST_F(Store, ProbesForChangeWithoutReadingValues) {
  const std::string version = aws_.put("db", "1");
  EXPECT_FALSE(*changed(query("db"), version));
  aws_.put("db", "2");
  EXPECT_TRUE(*changed(query("db"), version));
  EXPECT_EQ(aws_.count("GetSecretValue"), 0);
  Query pinned = query("db");
  pinned.version = version;
  EXPECT_FALSE(*changed(pinned, version));
  EXPECT_EQ(aws_.count("DescribeSecret"), 2);
  EXPECT_EQ(changed(query("none"), "").error().code(), Errc::missing);
  aws_.secrets["db"].deleted = true;
  EXPECT_EQ(changed(query("db"), "").error().code(), Errc::missing);
}

TEST_F(Store, TakesAnythingForChangedWhereItMayNotProbeAndStopsAsking) {
  const std::string version = aws_.put("db", "1");
  aws_.describe_allowed = false;
  EXPECT_TRUE(*changed(query("db"), version));
  EXPECT_TRUE(*changed(query("db"), version));
  EXPECT_EQ(aws_.count("DescribeSecret"), 1);
}

TEST_F(Store, ReadsManyInBatchesOfTwenty) {
  std::vector<Query> queries;
  for (int i = 0; i < 45; ++i) {
    const std::string name = "s" + std::to_string(i);
    aws_.put(name, "{\"k\":\"" + name + "\"}");
    queries.push_back(query(name + "#k"));
  }
  queries.push_back(query("s7"));
  const auto readings = read_all(queries);
  ASSERT_THAT(readings, SizeIs(46));
  for (int i = 0; i < 45; ++i) {
    const auto& reading = readings[static_cast<std::size_t>(i)];
    ASSERT_TRUE(reading) << reading.error().message();
    EXPECT_EQ(reading->members[0].value.reveal(), "s" + std::to_string(i));
  }
  EXPECT_EQ(readings[45]->document.reveal(), R"({"k":"s7"})");
  EXPECT_EQ(aws_.count("BatchGetSecretValue"), 3);
  EXPECT_EQ(aws_.count("GetSecretValue"), 0);
}

TEST_F(Store, KeepsTheErrorsOfABatchToTheirItems) {
  for (const char* name : {"a", "b", "c"}) aws_.put(name, name);
  aws_.put("refused", "x");
  aws_.secrets["refused"].refusal = "AccessDeniedException";
  aws_.put("kms", "x");
  aws_.secrets["kms"].refusal = "DecryptionFailure";
  aws_.put("deleted", "x");
  aws_.secrets["deleted"].deleted = true;
  Query pending = query("a");
  pending.stage = "AWSPENDING";
  const auto readings = read_all({query("a"), query("refused"), query("none"), query("b"), query("kms"),
                                  query("deleted"), query("a#key"), pending, query("a b"), query("c")});
  const std::vector<std::optional<Errc>> expected = {
      {}, Errc::denied, Errc::missing, {}, Errc::denied, Errc::missing, Errc::missing, Errc::missing, Errc::config, {}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(static_cast<bool>(readings[i]), !expected[i]) << i;
    if (!readings[i] && expected[i]) {
      EXPECT_EQ(readings[i].error().code(), *expected[i]) << readings[i].error().message();
    }
  }
  EXPECT_EQ(aws_.count("BatchGetSecretValue"), 1);
}

TEST_F(Store, ReadsOneByOneWhereBatchesAreNotAllowed) {
  std::vector<Query> queries;
  for (int i = 0; i < 9; ++i) {
    aws_.put("s" + std::to_string(i), "v");
    queries.push_back(query("s" + std::to_string(i)));
  }
  aws_.batch_allowed = false;
  for (int round = 0; round < 2; ++round) {
    for (const auto& reading : read_all(queries)) EXPECT_TRUE(reading);
  }
  EXPECT_EQ(aws_.count("BatchGetSecretValue"), 1);
  EXPECT_EQ(aws_.count("GetSecretValue"), 18);
}

TEST_F(Store, AsksAloneForWhatABatchForgetsOrGarbles) {
  aws_.put("a", "1");
  aws_.put("b", "2");
  for (const char* body : {R"({"SecretValues":[]})", "{}", R"({"SecretValues":[{"Name":"a"}],"Errors":[]})",
                           R"({"Errors":[{"SecretId":"a","ErrorCode":"ThrottlingException"}]})"}) {
    aws_.script[kHost].push_back([=] { return json_answer(200, body); });
    const auto readings = read_all({query("a"), query("b")});
    EXPECT_EQ(readings[1]->document.reveal(), "2") << body;
  }
}

TEST_F(Store, RidesOutABurstOfThrottlingThatComesAs400) {
  aws_.put("a", "1");
  refuse_next(kHost, 400, "ThrottlingException", 2);
  EXPECT_TRUE(read("a"));
  EXPECT_EQ(aws_.count("GetSecretValue"), 3);
}

TEST_F(Store, LeavesAThrottlingServiceAlone) {
  aws_.put("a", "1");
  refuse_next(kHost, 400, "ThrottlingException", 3);
  EXPECT_EQ(read("a").error().code(), Errc::away);
  const auto again = read("a");
  EXPECT_EQ(again.error().code(), Errc::away);
  EXPECT_THAT(again.error().message(), HasSubstr("asked again in"));
  EXPECT_EQ(aws_.count("GetSecretValue"), 3);
}

TEST_F(Store, HonoursRetryAfterOverReads) {
  aws_.put("a", "1");
  aws_.script[kHost].push_back([] {
    net::Response response = aws_error(429, "TooManyRequestsException");
    response.headers.push_back({"retry-after", memory::Secret::copy_of("100")});
    return response;
  });
  EXPECT_THAT(read("a").error().message(), HasSubstr("TooManyRequestsException"));
  EXPECT_THAT(read("a").error().message(), AllOf(HasSubstr("asked again in"), HasSubstr("100 s")));
  EXPECT_EQ(aws_.count("GetSecretValue"), 1);
}

TEST_F(Store, RetriesServerErrorsResetsAndTruncatedAnswers) {
  aws_.put("a", "1");
  aws_.script[kHost].push_back([]() -> std::optional<net::Response> { return std::nullopt; });
  refuse_next(kHost, 500, "InternalServiceError");
  EXPECT_TRUE(read("a"));
  for (const char* body : {R"({"Name":"a","SecretStr)", "", "<html>portal</html>"}) {
    aws_.script[kHost].push_back([=] { return json_answer(200, body); });
    EXPECT_EQ(read("a")->document.reveal(), "1") << body;
  }
}

TEST_F(Store, PublishesNothingOutOfAnAnswerOfAnotherForm) {
  aws_.put("a", "1");
  for (const char* body :
       {"{}", "[]", "null", "7", R"({"SecretString":"x"})", R"({"VersionId":"v","SecretString":null})"}) {
    aws_.script[kHost].push_back([=] { return json_answer(200, body); });
    EXPECT_EQ(read("a").error().code(), Errc::away) << body;
  }
  for (const int status : {204, 301, 302, 307}) {
    store_ = nullptr;
    aws_.script[kHost].push_back([=] { return json_answer(status, ""); });
    EXPECT_EQ(read("a").error().code(), Errc::away) << status;
  }
}

TEST_F(Store, NeverQuotesWhatAwsSaid) {
  aws_.put("a", R"({"k":"canary-value"})");
  for (const char* code : {"AccessDeniedException", "InvalidParameterException", "Unheard", "DecryptionFailure"}) {
    refuse_next(kHost, 400, code);
    const auto reading = read("a");
    ASSERT_FALSE(reading);
    EXPECT_THAT(reading.error().message(), AllOf(HasSubstr(code), Not(HasSubstr("canary"))));
  }
  EXPECT_THAT(read("a#other").error().message(), Not(HasSubstr("canary")));
}

TEST_F(Store, CorrectsItsClockOnceAndStaysCorrect) {
  aws_.put("a", "1");
  for (const auto skew : {std::chrono::minutes(-10), std::chrono::minutes(60 * 24 * 365)}) {
    store_ = nullptr;
    aws_.seen.clear();
    aws_.clock = skew;
    EXPECT_TRUE(read("a"));
    EXPECT_EQ(aws_.count("GetSecretValue"), 2);
    EXPECT_TRUE(read("a"));
    EXPECT_EQ(aws_.count("GetSecretValue"), 3);
  }
  store_ = nullptr;
  aws_.date_header = false;
  EXPECT_EQ(read("a").error().code(), Errc::denied);
}

TEST_F(Store, GivesUpOnAKeyThatIsWrongWithoutHammering) {
  aws_.put("a", "1");
  aws_.keys["AKIA1"].secret = "another";
  for (int i = 0; i < 5; ++i) EXPECT_EQ(read("a").error().code(), Errc::denied);
  EXPECT_THAT(aws_.count("GetSecretValue"), Le(6));
}

TEST_F(Store, FallsOverToTheNextRegionAndComesBack) {
  aws_.put("a", "1");
  store({"eu-central-1", "eu-west-1"});
  aws_.away[kHost] = true;
  EXPECT_EQ(read("a")->document.reveal(), "1");
  EXPECT_EQ(aws_.seen.back().host, kOther);
  const auto before = aws_.seen.size();
  EXPECT_TRUE(read("a"));
  EXPECT_EQ(aws_.seen.size(), before + 1) << "the region that is away was asked again at once";
  aws_.away[kHost] = false;
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  EXPECT_TRUE(read("a"));
  EXPECT_EQ(aws_.seen.back().host, kHost);
}

TEST_F(Store, AsksAReplicaForTheArnOfItsRegion) {
  aws_.put("a", "1");
  store({"eu-central-1", "eu-west-1"});
  aws_.away[kHost] = true;
  EXPECT_TRUE(read("arn:aws:secretsmanager:eu-central-1:123456789012:secret:a-AbCdEf"));
  EXPECT_THAT(aws_.seen.back().body, HasSubstr("eu-west-1"));
}

TEST_F(Store, FallsOverAfterServerErrorsButNotAfterARefusal) {
  aws_.put("a", "1");
  store({"eu-central-1", "eu-west-1"});
  refuse_next(kHost, 400, "AccessDeniedException");
  EXPECT_EQ(read("a").error().code(), Errc::denied);
  EXPECT_EQ(read("none").error().code(), Errc::missing);
  refuse_next(kHost, 400, "ThrottlingException", 3);
  EXPECT_EQ(read("a").error().code(), Errc::away);
  EXPECT_EQ(std::count_if(aws_.seen.begin(), aws_.seen.end(), [](const auto& one) { return one.host == kOther; }), 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  refuse_next(kHost, 503, "ServiceUnavailable", 3);
  EXPECT_TRUE(read("a"));
  EXPECT_EQ(aws_.seen.back().host, kOther);
}

TEST_F(Store, SendsFewRequestsHoweverOftenItIsAskedInAnOutage) {
  aws_.put("a", "1");
  ASSERT_TRUE(read("a"));
  aws_.away[kHost] = true;
  aws_.seen.clear();
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(2500);
  int asked = 0;
  std::vector<Query> queries(50, query("a"));
  for (std::size_t i = 0; i < queries.size(); ++i) queries[i].path += std::to_string(i);
  while (std::chrono::steady_clock::now() < end) {
    asked += static_cast<int>(read_all(queries).size());
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_GT(asked, 1000);
  // Three attempts of each of the first three batches, which go side by side, and one a hold after that.
  EXPECT_THAT(aws_.seen.size(), Le(12U));
  aws_.away[kHost] = false;
  std::this_thread::sleep_for(std::chrono::milliseconds(4000));
  EXPECT_TRUE(read("a"));
}

TEST_F(Store, IsCancelledInTheMiddleOfARequestAndGoesOnAfterwards) {
  aws_.put("a", "1");
  aws_.latency = std::chrono::milliseconds(200);
  boost::asio::cancellation_signal stop;
  std::optional<Result<Reading>> first;
  const Query a = query("a");
  SecretsManager& asked = store();
  const auto reader = [&]() -> boost::asio::awaitable<void> {
    auto reading = co_await asked.read(a);
    first.emplace(std::move(reading));
  };
  boost::asio::co_spawn(loop_, reader(), boost::asio::bind_cancellation_slot(stop.slot(), boost::asio::detached));
  boost::asio::steady_timer timer(loop_, std::chrono::milliseconds(50));
  timer.async_wait([&](auto) { stop.emit(boost::asio::cancellation_type::terminal); });
  loop_.run();
  EXPECT_FALSE(first && *first);
  EXPECT_TRUE(read("a"));
}

std::string verdicts(const std::vector<Check>& checks) {
  std::string out;
  for (const Check& check : checks) {
    out += check.what + " " + std::string("+?-/").substr(static_cast<std::size_t>(check.state), 1) + "\n";
  }
  return out;
}

TEST_F(Store, ChecksTheWayTheIdentityAndEachSecretWithoutReadingAValue) {
  aws_.put("a", "1");
  const auto checks = tests::run(loop_, store().check(std::vector<Query>{query("a"), query("none")}));
  EXPECT_EQ(verdicts(checks),
            "name, route and TLS of https://secretsmanager.eu-central-1.amazonaws.com/ +\n"
            "clock against eu-central-1 +\n"
            "AWS credentials +\n"
            "identity (GetCallerIdentity) +\n"
            "DescribeSecret of a +\n"
            "DescribeSecret of none -\n");
  EXPECT_EQ(aws_.count("GetSecretValue") + aws_.count("BatchGetSecretValue"), 0);
}

TEST_F(Store, ChecksTellAClockThatIsWrongAndAWayThatIsBlocked) {
  aws_.put("a", "1");
  aws_.clock = std::chrono::minutes(10);
  aws_.describe_allowed = false;
  EXPECT_EQ(verdicts(tests::run(loop_, store().check(std::vector<Query>{query("a")}))),
            "name, route and TLS of https://secretsmanager.eu-central-1.amazonaws.com/ +\n"
            "clock against eu-central-1 -\n"
            "AWS credentials +\n"
            "identity (GetCallerIdentity) ?\n"
            "DescribeSecret of a ?\n");
  store_ = nullptr;
  aws_.away[kHost] = true;
  const auto checks = tests::run(loop_, store().check(std::vector<Query>()));
  EXPECT_EQ(checks[0].state, Check::State::failed);
  EXPECT_THAT(checks[0].detail, HasSubstr("connection refused"));
}

TEST_F(Store, HasNoLeases) {
  EXPECT_EQ(tests::run(loop_, store().renew(Lease())).error().code(), Errc::config);
  EXPECT_EQ(store().session(), 1U);
}

}  // namespace
}  // namespace injector::backend::aws
