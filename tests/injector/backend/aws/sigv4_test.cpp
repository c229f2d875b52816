#include "injector/backend/aws/sigv4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <random>
#include <string>

#include "injector/backend/aws/times.h"
#include "scanner/base/hash.h"
#include "scanner/base/json.h"
#include "tests/injector/backend/aws/python.h"
#include "tests/support/temporary.h"

namespace injector::backend::aws {
namespace {

using memory::Secret;
using scanner::base::Json;
using ::testing::EndsWith;
using ::testing::HasSubstr;

// The key pair of AWS' own examples and of its test suite.
constexpr const char* kId = "AKIDEXAMPLE";
constexpr const char* kKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

Credentials example_credentials(const std::string& token = "") {
  Credentials credentials;
  credentials.access_key_id = kId;
  credentials.secret_access_key = Secret::copy_of(kKey);
  credentials.session_token = Secret::copy_of(token);
  return credentials;
}

struct Sample {
  std::string method;
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string token;
};

std::string signed_by_us(const Sample& sample, const Scope& scope, const Time& time) {
  net::Request request;
  request.method = sample.method;
  request.url = sample.url;
  for (const auto& [name, value] : sample.headers) request.headers.push_back({name, Secret::copy_of(value)});
  request.body = Secret::copy_of(sample.body);
  Signer signer(example_credentials(sample.token));
  signer.sign(request, scope, time);
  return std::string(request.headers.back().value.reveal());
}

const Time kSuiteTime = *parse_iso8601("2015-08-30T12:36:00Z");
const Scope kSuite{"us-east-1", "service"};

TEST(SigV4, SignsTheListUsersExampleAsAwsDoes) {
  const Sample sample{"GET",
                      "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
                      {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}},
                      "",
                      ""};
  EXPECT_THAT(signed_by_us(sample, {"us-east-1", "iam"}, kSuiteTime),
              EndsWith("Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"));
}

TEST(SigV4, SignsAGetSecretValueWithASessionToken) {
  const Sample sample{
      "POST",
      "https://secretsmanager.us-east-1.amazonaws.com/",
      {{"Content-Type", "application/x-amz-json-1.1"}, {"X-Amz-Target", "secretsmanager.GetSecretValue"}},
      R"({"SecretId":"prod/db"})",
      "TOKENEXAMPLE"};
  EXPECT_EQ(signed_by_us(sample, {"us-east-1", "secretsmanager"}, kSuiteTime),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/secretsmanager/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, "
            "Signature=77c4925d46c4e7ec0d8bf4f377631a249574f398addebf4276ea2000c8ecd1e7");
}

struct SuiteCase {
  const char* name;
  Sample sample;
  const char* signature;
};

class SigV4Suite : public ::testing::TestWithParam<SuiteCase> {};

// The cases of AWS' published suite that a client without paths and queries can meet.
INSTANTIATE_TEST_SUITE_P(
    Aws, SigV4Suite,
    ::testing::Values(
        SuiteCase{"get_vanilla",
                  {"GET", "https://example.amazonaws.com/", {}, "", ""},
                  "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        SuiteCase{"post_vanilla",
                  {"POST", "https://example.amazonaws.com/", {}, "", ""},
                  "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
        SuiteCase{"get_vanilla_query_order_key_case",
                  {"GET", "https://example.amazonaws.com/?Param1=value1&Param2=value2", {}, "", ""},
                  "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
        SuiteCase{"get_header_key_duplicate",
                  {"GET",
                   "https://example.amazonaws.com/",
                   {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
                   "",
                   ""},
                  "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
        SuiteCase{"get_header_value_trim",
                  {"GET",
                   "https://example.amazonaws.com/",
                   {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
                   "",
                   ""},
                  "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
        SuiteCase{"post_header_key_sort",
                  {"POST", "https://example.amazonaws.com/", {{"My-Header1", "value1"}}, "", ""},
                  "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
        SuiteCase{"post_header_value_case",
                  {"POST", "https://example.amazonaws.com/", {{"My-Header1", "VALUE1"}}, "", ""},
                  "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
        SuiteCase{"post_x_www_form_urlencoded",
                  {"POST",
                   "https://example.amazonaws.com/",
                   {{"Content-Type", "application/x-www-form-urlencoded"}},
                   "Param1=value1",
                   ""},
                  "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
        SuiteCase{"post_x_www_form_urlencoded_parameters",
                  {"POST",
                   "https://example.amazonaws.com/",
                   {{"Content-Type", "application/x-www-form-urlencoded; charset=utf8"}},
                   "Param1=value1",
                   ""},
                  "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe"},
        SuiteCase{
            "post_sts_header_before",
            {"POST",
             "https://example.amazonaws.com/",
             {},
             "",
             "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTf"
             "lfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9H"
             "FvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvK"
             "Tr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="},
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"}),
    [](const auto& param) { return param.param.name; });

TEST_P(SigV4Suite, SignsAsAwsDoes) {
  EXPECT_THAT(signed_by_us(GetParam().sample, kSuite, kSuiteTime), EndsWith(GetParam().signature));
}

TEST(SigV4, DerivesTheKeyOfTheDayAnewWhenTheDayChanges) {
  const Sample sample{"POST", "https://example.amazonaws.com/", {}, "", ""};
  Signer signer(example_credentials());
  for (const char* time : {"2015-08-30T23:59:59Z", "2015-08-31T00:00:00Z", "2015-08-30T12:36:00Z"}) {
    net::Request request;
    request.method = sample.method;
    request.url = sample.url;
    signer.sign(request, kSuite, *parse_iso8601(time));
    EXPECT_EQ(request.headers.back().value.reveal(), signed_by_us(sample, kSuite, *parse_iso8601(time)));
  }
}

TEST(SigV4, SignsThePortOnlyWhereAClientSendsIt) {
  const auto of = [](const std::string& url) { return signed_by_us({"POST", url, {}, "", ""}, kSuite, kSuiteTime); };
  EXPECT_EQ(of("https://example.amazonaws.com:443/"), of("https://example.amazonaws.com/"));
  EXPECT_EQ(of("http://example.amazonaws.com:80"), of("http://example.amazonaws.com/"));
  EXPECT_NE(of("https://example.amazonaws.com:8443/"), of("https://example.amazonaws.com/"));
}

TEST(SigV4, AgreesWithBotocoreOnThousandsOfRandomRequests) {
  const std::string python = tests::python_with_moto();
  if (python.empty()) GTEST_SKIP() << tests::kNoMoto;
  std::minstd_rand random(20261124);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const auto text = [&](int longest, std::string_view alphabet) {
    std::string out;
    for (int i = below(longest + 1); i > 0; --i) out += alphabet[static_cast<std::size_t>(below(int(alphabet.size())))];
    return out;
  };
  constexpr std::string_view kToken = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
  constexpr std::string_view kValue = "abc XYZ  019-_.;:=/\"";
  constexpr std::string_view kBody = "{}[]\":, abcxyz0189\\/\n";
  constexpr int kRequests = 3000;

  const tests::TemporaryDirectory directory;
  std::string cases;
  std::vector<std::string> ours;
  for (int i = 0; i < kRequests; ++i) {
    Sample sample;
    sample.method = below(4) == 0 ? "GET" : "POST";
    sample.url =
        std::string(below(2) == 0 ? "https://" : "http://") + "h" + text(20, "abcxyz0189-") + "x.amazonaws.com";
    if (below(3) == 0) sample.url += ":" + std::to_string(1 + below(65535));
    sample.url += "/";
    sample.headers = {{"Content-Type", "application/x-amz-json-1.1"}};
    for (int k = below(4); k > 0; --k) {
      sample.headers.emplace_back("X-" + std::to_string(k) + text(8, "abcXYZ-"), "v" + text(30, kValue) + "w");
    }
    sample.body = text(400, kBody);
    if (below(2) == 0) sample.token = "t" + text(900, kToken);
    const Scope scope{"r" + text(12, "abcxyz0189-"), "s" + text(12, "abcxyz")};
    const Time time = kSuiteTime + std::chrono::seconds(below(1'000'000'000));
    ours.push_back(signed_by_us(sample, scope, time));
    cases += scanner::base::dump_json(Json{{"method", sample.method},
                                           {"url", sample.url},
                                           {"headers", sample.headers},
                                           {"body", sample.body},
                                           {"token", sample.token},
                                           {"region", scope.region},
                                           {"service", scope.service},
                                           {"time", iso8601(time)},
                                           {"id", kId},
                                           {"key", kKey}}) +
             "\n";
  }
  directory.write("cases", cases);
  ASSERT_EQ(std::system((python + " " PROJECT_ROOT "/tests/injector/backend/aws/sign.py < " + (directory / "cases") +
                         " > " + (directory / "signed"))
                            .c_str()),
            0);
  std::ifstream theirs(directory / "signed");
  int compared = 0;
  for (std::string line; std::getline(theirs, line); ++compared) {
    ASSERT_EQ(ours[static_cast<std::size_t>(compared)], line) << "request " << compared;
  }
  EXPECT_EQ(compared, kRequests);
}

}  // namespace
}  // namespace injector::backend::aws
