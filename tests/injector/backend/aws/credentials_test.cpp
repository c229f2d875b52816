#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "injector/backend/aws/credential_source.h"
#include "injector/backend/aws/secrets_manager.h"
#include "tests/injector/backend/aws/fake_aws.h"
#include "tests/injector/backend/aws/store.h"
#include "tests/support/temporary.h"

namespace injector::backend::aws {
namespace {

using scanner::base::Errc;
using scanner::base::Result;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::Not;
using tests::query;
using tests::variables;

constexpr const char* kHost = "secretsmanager.eu-central-1.amazonaws.com";
constexpr const char* kSts = "sts.eu-central-1.amazonaws.com";

class CredentialsOf : public ::testing::Test {
 protected:
  CredentialsOf() { aws_.put("a", "1"); }

  void use(std::vector<std::pair<std::string, std::string>> environment, Settings settings = {}) {
    settings.regions = {"eu-central-1"};
    environment.emplace_back("HOME", home_.path());
    store_ = std::move(*SecretsManager::create(settings, variables(environment), aws_));
  }
  Result<Reading> read() { return tests::run(loop_, store_->read(query_)); }
  std::string key_in_use() {
    const auto reading = read();
    return reading ? aws_.seen.back().key_id : reading.error().message();
  }
  std::vector<std::pair<std::string, std::string>> web_identity() {
    return {{"AWS_WEB_IDENTITY_TOKEN_FILE", home_.write("token", aws_.web_identity_token + "\n")},
            {"AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/app"}};
  }

  tests::TemporaryDirectory home_;
  boost::asio::io_context loop_;
  tests::FakeAws aws_;
  const Query query_ = query("a");
  std::unique_ptr<SecretsManager> store_;
};

TEST_F(CredentialsOf, TheEnvironmentComeFirst) {
  aws_.keys["AKIA1"] = {"k", "t", false};
  auto environment = web_identity();
  environment.insert(environment.end(),
                     {{"AWS_ACCESS_KEY_ID", "AKIA1"}, {"AWS_SECRET_ACCESS_KEY", "k"}, {"AWS_SESSION_TOKEN", "t"}});
  use(environment);
  EXPECT_EQ(key_in_use(), "AKIA1");
}

TEST_F(CredentialsOf, AWebIdentityComeFromStsUnsigned) {
  use(web_identity());
  EXPECT_EQ(key_in_use(), "ASIA1");
  const auto& asked = aws_.seen.front();
  EXPECT_EQ(asked.host, kSts);
  EXPECT_EQ(asked.key_id, "");
  EXPECT_THAT(asked.body,
              AllOf(HasSubstr("RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fapp"),
                    HasSubstr("RoleSessionName=secret-injector&"), HasSubstr("WebIdentityToken=eyJ.token.1")));
}

TEST_F(CredentialsOf, AWebIdentityReadItsTokenAgainWhenItHasExpired) {
  use(web_identity());
  aws_.script[kSts].push_back([this] {
    // The kubelet rotates the file meanwhile.
    aws_.web_identity_token = "eyJ.token.2";
    home_.write("token", aws_.web_identity_token);
    return tests::json_answer(400, "<ErrorResponse><Error><Code>ExpiredTokenException</Code></Error></ErrorResponse>");
  });
  EXPECT_EQ(key_in_use(), "ASIA1");
}

TEST_F(CredentialsOf, AWebIdentitySayWhoRefusedThemAndQuoteNothing) {
  auto environment = web_identity();
  home_.write("token", "canary-token");
  use(environment);
  auto reading = read();
  EXPECT_EQ(reading.error().code(), Errc::denied);
  EXPECT_THAT(reading.error().message(), AllOf(HasSubstr("ExpiredTokenException"), Not(HasSubstr("canary"))));

  for (const auto& [code, errc] : {std::pair("IDPRejectedClaim", Errc::denied), std::pair("AccessDenied", Errc::denied),
                                   std::pair("ValidationError", Errc::config)}) {
    use(environment);
    aws_.script[kSts].push_back([code = code] {
      return tests::json_answer(403,
                                "<ErrorResponse><Error><Code>" + std::string(code) + "</Code></Error></ErrorResponse>");
    });
    reading = read();
    EXPECT_EQ(reading.error().code(), errc) << code;
  }
  environment[0].second = home_.path() + "/none";
  use(environment);
  EXPECT_EQ(read().error().code(), Errc::away);
}

TEST_F(CredentialsOf, AWebIdentityAreTriedThreeTimesAndThenLeftAlone) {
  use(web_identity());
  aws_.away[kSts] = true;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(read().error().code(), Errc::away);
  EXPECT_EQ(aws_.count("AssumeRoleWithWebIdentity"), 3);
  EXPECT_THAT(read().error().message(), HasSubstr("connection refused (asked again in"));
  aws_.away[kSts] = false;
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  EXPECT_EQ(key_in_use(), "ASIA1");
}

TEST_F(CredentialsOf, AProfileAreReadFromTheSharedFiles) {
  aws_.keys["AKIA2"] = {"k2", "", false};
  home_.write(".aws/credentials",
              "[default]\naws_access_key_id = X\n[dev]\naws_access_key_id = AKIA2\naws_secret_access_key = k2\n");
  use({{"AWS_PROFILE", "dev"}});
  EXPECT_EQ(key_in_use(), "AKIA2");
  use({});
  EXPECT_THAT(read().error().message(), HasSubstr("go together"));
  home_.write(".aws/credentials", "[default]\n");
  home_.write(".aws/config", "[default]\ncredential_process = /bin/false\n");
  use({});
  EXPECT_EQ(read().error().code(), Errc::config);
  EXPECT_THAT(read().error().message(), HasSubstr("only keys and web identity"));
}

TEST_F(CredentialsOf, AProfileAreReadAgainWhenAwsRefusesThem) {
  aws_.keys["AKIA2"] = {"k2", "", false};
  aws_.keys["AKIA3"] = {"k3", "", false};
  home_.write(".aws/credentials", "[default]\naws_access_key_id = AKIA2\naws_secret_access_key = k2\n");
  use({});
  EXPECT_EQ(key_in_use(), "AKIA2");
  aws_.keys.erase("AKIA2");
  home_.write(".aws/credentials", "[default]\naws_access_key_id = AKIA3\naws_secret_access_key = k3\n");
  EXPECT_EQ(key_in_use(), "AKIA3");
}

TEST_F(CredentialsOf, AProfileMayNameAWebIdentityAndTheRegion) {
  home_.write("token", aws_.web_identity_token);
  home_.write(".aws/config",
              "[default]\nregion = eu-central-1\nrole_arn = arn:aws:iam::1:role/r\nweb_identity_token_file = " +
                  (home_ / "token") + "\n");
  Settings settings;
  store_ = std::move(*SecretsManager::create(settings, variables({{"HOME", home_.path()}}), aws_));
  EXPECT_EQ(key_in_use(), "ASIA1");
}

TEST_F(CredentialsOf, EksPodIdentityFollowTheRotationOfTheirToken) {
  aws_.container_token = "token-1";
  home_.write("pod-token", "token-1");
  aws_.lifetime = seconds(2);
  use({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"},
       {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", home_ / "pod-token"}});
  EXPECT_EQ(key_in_use(), "ASIA1");
  EXPECT_EQ(aws_.seen.front().host, "169.254.170.23");
  aws_.container_token = "token-2";
  home_.write("pod-token", "token-2");
  std::this_thread::sleep_for(seconds(2));
  EXPECT_EQ(key_in_use(), "ASIA2");
}

TEST_F(CredentialsOf, AContainerRefuseATokenWithALineBreakAndAHostOfSomebodyElse) {
  home_.write("pod-token", "token\nX-Injected: 1");
  use({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"},
       {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", home_ / "pod-token"}});
  EXPECT_EQ(read().error().code(), Errc::config);
  use({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://evil.example/v1/credentials"}});
  EXPECT_EQ(read().error().code(), Errc::config);
  EXPECT_TRUE(aws_.seen.empty());
}

TEST_F(CredentialsOf, EcsAreAskedAtTheRelativeUri) {
  use({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/uuid"}});
  EXPECT_EQ(key_in_use(), "ASIA1");
  EXPECT_EQ(aws_.seen.front().host, "169.254.170.2");
  EXPECT_EQ(aws_.seen.front().what, "GET /v2/credentials/uuid");
}

TEST_F(CredentialsOf, AnInstanceComeWithASessionTokenOnly) {
  use({});
  EXPECT_EQ(key_in_use(), "ASIA1");
  EXPECT_EQ(aws_.seen[0].what, "PUT /latest/api/token");
  EXPECT_EQ(aws_.seen[2].what, "GET /latest/meta-data/iam/security-credentials/app-role");

  aws_.seen.clear();
  use({});
  aws_.script["169.254.169.254"].push_back([] { return tests::json_answer(403, ""); });
  EXPECT_FALSE(read());
  ASSERT_EQ(aws_.seen.size(), 1U) << "fell back to version 1";
}

TEST_F(CredentialsOf, NobodyAreAnErrorThatListsEveryPlace) {
  aws_.instance_role = "";
  use({});
  const auto reading = read();
  EXPECT_EQ(reading.error().code(), Errc::config);
  EXPECT_THAT(reading.error().message(), AllOf(HasSubstr("AWS_ACCESS_KEY_ID is not set"),
                                               HasSubstr("no profile default"), HasSubstr("the instance has no role")));
  aws_.away["169.254.169.254"] = true;
  use({});
  EXPECT_THAT(read().error().message(), HasSubstr("hop limit"));
  use({{"AWS_EC2_METADATA_DISABLED", "true"}});
  EXPECT_EQ(read().error().code(), Errc::config);
}

TEST_F(CredentialsOf, OneSourceAreNotReplacedByAnother) {
  Settings settings;
  settings.sources = {Source::web_identity};
  use({{"AWS_ACCESS_KEY_ID", "AKIA1"}, {"AWS_SECRET_ACCESS_KEY", "k"}}, settings);
  EXPECT_EQ(read().error().code(), Errc::config);
  EXPECT_TRUE(aws_.seen.empty());
}

TEST_F(CredentialsOf, AllReadersComeFromOneRequest) {
  use(web_identity());
  aws_.latency = std::chrono::milliseconds(20);
  std::vector<net::Task<Reading>> tasks;
  for (int i = 0; i < 100; ++i) tasks.push_back(store_->read(query_));
  for (const auto& reading : tests::run_all(loop_, std::move(tasks))) EXPECT_TRUE(reading);
  EXPECT_EQ(aws_.count("AssumeRoleWithWebIdentity"), 1);
}

TEST_F(CredentialsOf, AWebIdentityAreRenewedBeforeTheyExpire) {
  aws_.lifetime = seconds(8);
  use(web_identity());
  EXPECT_EQ(key_in_use(), "ASIA1");
  EXPECT_EQ(key_in_use(), "ASIA1");
  std::this_thread::sleep_for(std::chrono::milliseconds(6800));
  EXPECT_EQ(key_in_use(), "ASIA2");
}

TEST_F(CredentialsOf, AWebIdentityAreUsedWhileTheyLastWhenNoOthersCanBeHad) {
  aws_.lifetime = seconds(8);
  use(web_identity());
  EXPECT_EQ(key_in_use(), "ASIA1");
  aws_.away[kSts] = true;
  std::this_thread::sleep_for(std::chrono::milliseconds(6600));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(key_in_use(), "ASIA1");
  EXPECT_THAT(aws_.count("AssumeRoleWithWebIdentity"), Le(1 + 3));
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  EXPECT_EQ(read().error().code(), Errc::away);
}

TEST_F(CredentialsOf, AWebIdentityAreReplacedWhenAwsSaysTheyHaveExpired) {
  use(web_identity());
  EXPECT_EQ(key_in_use(), "ASIA1");
  aws_.keys["ASIA1"].expired = true;
  EXPECT_EQ(key_in_use(), "ASIA2");
  // Again at once: it is not let into a loop of new credentials.
  aws_.keys["ASIA2"].expired = true;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(read().error().code(), Errc::denied);
  EXPECT_EQ(aws_.count("AssumeRoleWithWebIdentity"), 2);
}

TEST_F(CredentialsOf, AWebIdentityAreTakenAsStsClockHasThem) {
  // Ours is a day ahead: by it, the credentials have expired when they come.
  aws_.clock = std::chrono::hours(-24);
  use(web_identity());
  EXPECT_EQ(key_in_use(), "ASIA1");
  EXPECT_EQ(aws_.count("GetSecretValue"), 1);
}

}  // namespace
}  // namespace injector::backend::aws
