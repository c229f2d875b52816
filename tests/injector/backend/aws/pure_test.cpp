#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "injector/backend/aws/answer.h"
#include "injector/backend/aws/client.h"
#include "injector/backend/aws/credential_source.h"
#include "injector/backend/aws/fault.h"
#include "injector/backend/aws/pace.h"
#include "injector/backend/aws/provider.h"
#include "injector/backend/aws/settings.h"
#include "injector/backend/aws/shared_file.h"
#include "injector/backend/aws/times.h"
#include "injector/backend/aws/xml.h"

namespace injector::backend::aws {
namespace {

using memory::Document;
using memory::Secret;
using scanner::base::Errc;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::Not;

Environment environment(std::initializer_list<std::pair<const char*, const char*>> variables) {
  Environment out;
  for (const auto& [name, value] : variables) out.emplace(name, Secret::copy_of(value));
  return out;
}

TEST(Times, ReadsAndWritesTheThreeFormsThatAwsUses) {
  const auto time = parse_iso8601("2026-02-28T23:59:59.123456Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(amz_date(*time), "20260228T235959Z");
  EXPECT_EQ(iso8601(*time), "2026-02-28T23:59:59Z");
  EXPECT_EQ(parse_http_date("Sat, 28 Feb 2026 23:59:59 GMT"), time);
}

TEST(Times, TakesNoOtherForm) {
  for (const char* text : {"", "2026-02-28", "2026-02-28T23:59:59", "2026-02-30T00:00:00Z", "2026-02-28T24:00:00Z",
                           "2026-02-28T23:59:59+01:00", "2026-02-28T23:59:59.Z", "2026-02-28T23:59:59.1xZ",
                           "9999-12-31T00:00:00Z", "0000-01-01T00:00:00Z"}) {
    EXPECT_FALSE(parse_iso8601(text)) << text;
  }
  for (const char* text : {"", "Sat, 28 Feb 2026 23:59:59 UTC", "Sat, 28 Foo 2026 23:59:59 GMT",
                           "Saturday, 28-Feb-26 23:59:59 GMT", "Sat, 31 Feb 2026 23:59:59 GMT"}) {
    EXPECT_FALSE(parse_http_date(text)) << text;
  }
}

TEST(Xml, GivesTheLeavesOfAnAnswerOfSts) {
  const auto xml = XmlLeaves::parse(
      Secret::copy_of("<?xml version=\"1.0\"?>\n<R xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n <A>\n  <B> "
                      "x&amp;&#65;&#x20ac;"
                      "</B><C/>\n  <B>second</B>\n </A>\n</R>\n"));
  ASSERT_TRUE(xml) << xml.error().message();
  EXPECT_EQ(xml->root(), "R");
  EXPECT_EQ(xml->at("A/B"), " x&A\xE2\x82\xAC");
  EXPECT_EQ(xml->at("A/C"), "");
  EXPECT_EQ(xml->size(), 2U);
}

TEST(Xml, RefusesWhatStsWouldNotSend) {
  for (const char* text : {"",
                           "x",
                           "<a>",
                           "<a></b>",
                           "<a><b></a></b>",
                           "<a/><a/>",
                           "<!DOCTYPE a><a/>",
                           "<a><!-- x --></a>",
                           "<a><![CDATA[x]]></a>",
                           "<a>x<b/></a>",
                           "<a><b/>x</a>",
                           "<a><b>&x;</b></a>",
                           "<a><b>&#0;</b></a>",
                           "<a><b>&#xD800;</b></a>",
                           "<a><b>&amp</b></a>",
                           "<a b></a>",
                           "<a b=c></a>",
                           "<a b=\"<\"></a>",
                           "<a b=\"x></a>",
                           "<a",
                           "<a><?x y?></a>",
                           "<?xml <a/>",
                           "<a>&#99999999999;</a>x"}) {
    const auto xml = XmlLeaves::parse(Secret::copy_of(text));
    ASSERT_FALSE(xml) << text;
    EXPECT_EQ(xml.error().code(), Errc::corrupt) << text;
  }
}

TEST(Xml, HasALimitOfDepthAndOfNumber) {
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "<a>";
  EXPECT_EQ(XmlLeaves::parse(Secret::copy_of(deep)).error().code(), Errc::limit);
  std::string many = "<r>";
  for (int i = 0; i < 1001; ++i) many += "<a/>";
  EXPECT_EQ(XmlLeaves::parse(Secret::copy_of(many + "</r>")).error().code(), Errc::limit);
}

TEST(SharedFile, GivesTheKeysOfOneProfile) {
  Profile profile;
  ASSERT_TRUE(read_profile(Secret::copy_of("# a comment\n[other]\naws_access_key_id = A\n\n[dev]\r\n"
                                           "AWS_ACCESS_KEY_ID=AKIA1\r\naws_secret_access_key = s=/+x ; why\n"
                                           "aws_session_token=t\n[last]\naws_access_key_id=B\n"),
                           ProfileFile::credentials, "dev", profile));
  EXPECT_TRUE(profile.found);
  EXPECT_EQ(profile.access_key_id, "AKIA1");
  EXPECT_EQ(profile.secret_access_key.reveal(), "s=/+x");
  EXPECT_EQ(profile.session_token.reveal(), "t");
}

TEST(SharedFile, NeverMixesTheKeysOfTwoFiles) {
  Profile profile;
  ASSERT_TRUE(read_profile(Secret::copy_of("[default]\naws_access_key_id=A\naws_secret_access_key=a\n"),
                           ProfileFile::credentials, "default", profile));
  ASSERT_TRUE(read_profile(Secret::copy_of("[default]\naws_session_token=stale\nregion=eu-west-1\n"),
                           ProfileFile::config, "default", profile));
  EXPECT_TRUE(profile.session_token.empty());
  EXPECT_EQ(profile.region, "eu-west-1");
}

TEST(SharedFile, NamesProfilesOfTheConfigFileByTheirPrefix) {
  const auto text =
      Secret::copy_of("[dev]\nregion=a-1\n[profile dev]\nregion=b-1\ns3 =\n  max = 3\n[profile \"x y\"]\nregion=c-1\n");
  Profile dev;
  ASSERT_TRUE(read_profile(text, ProfileFile::config, "dev", dev));
  EXPECT_EQ(dev.region, "b-1");
  Profile quoted;
  ASSERT_TRUE(read_profile(text, ProfileFile::config, "x y", quoted));
  EXPECT_EQ(quoted.region, "c-1");
}

TEST(SharedFile, TellsTheLineOfAMistakeButNotItsText) {
  Profile profile;
  const auto read =
      read_profile(Secret::copy_of("[default]\n\nwJalrXUtnFEMI\n"), ProfileFile::credentials, "default", profile);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), Errc::config);
  EXPECT_THAT(read.error().message(), AllOf(HasSubstr("line 3"), Not(HasSubstr("wJalr"))));
}

TEST(Fault, KnowsTheTableOfErrors) {
  struct Row {
    int status;
    const char* code;
    Remedy remedy;
    Errc errc;
  };
  for (const Row& row : {Row{400, "ResourceNotFoundException", Remedy::none, Errc::missing},
                         Row{404, "ResourceNotFoundException", Remedy::none, Errc::missing},
                         Row{400, "InvalidRequestException", Remedy::none, Errc::config},
                         Row{400, "InvalidParameterException", Remedy::none, Errc::config},
                         Row{400, "DecryptionFailure", Remedy::none, Errc::denied},
                         Row{400, "AccessDeniedException", Remedy::none, Errc::denied},
                         Row{403, "AccessDenied", Remedy::none, Errc::denied},
                         Row{400, "ExpiredTokenException", Remedy::credentials, Errc::denied},
                         Row{400, "UnrecognizedClientException", Remedy::credentials, Errc::denied},
                         Row{400, "InvalidSignatureException", Remedy::clock, Errc::denied},
                         Row{403, "RequestTimeTooSkewed", Remedy::clock, Errc::denied},
                         Row{400, "ThrottlingException", Remedy::throttle, Errc::away},
                         Row{400, "LimitExceededException", Remedy::throttle, Errc::away},
                         Row{429, "", Remedy::throttle, Errc::away},
                         Row{503, "SlowDown", Remedy::throttle, Errc::away},
                         Row{500, "InternalServiceError", Remedy::retry, Errc::away},
                         Row{400, "IDPCommunicationError", Remedy::retry, Errc::away},
                         Row{502, "", Remedy::retry, Errc::away},
                         Row{503, "", Remedy::retry, Errc::away},
                         Row{504, "", Remedy::retry, Errc::away},
                         Row{408, "", Remedy::retry, Errc::away},
                         Row{400, "", Remedy::none, Errc::config},
                         Row{401, "", Remedy::none, Errc::denied},
                         Row{403, "SomethingNew", Remedy::none, Errc::denied},
                         Row{404, "", Remedy::none, Errc::missing},
                         Row{204, "", Remedy::none, Errc::away},
                         Row{301, "", Remedy::none, Errc::away},
                         Row{307, "", Remedy::none, Errc::away}}) {
    const Fault fault = classify(row.status, row.code);
    EXPECT_EQ(fault.remedy, row.remedy) << row.status << row.code;
    EXPECT_EQ(fault.errc, row.errc) << row.status << row.code;
  }
  EXPECT_EQ(classify(400, "InvalidRequestException", "it was marked for deletion.").errc, Errc::missing);
}

net::Response response(int status, std::initializer_list<std::pair<const char*, const char*>> headers,
                       const char* body) {
  net::Response out;
  out.status = status;
  for (const auto& [name, value] : headers) out.headers.push_back({name, Secret::copy_of(value)});
  out.body = Secret::copy_of(body);
  return out;
}

TEST(Fault, FindsTheCodeInHeaderJsonAndXmlAndNeverQuotesTheMessage) {
  const char* json = R"({"__type":"com.amazonaws#DecryptionFailure","Message":"canary-4711"})";
  EXPECT_EQ(fault_of(response(400, {{"x-amzn-errortype", "AccessDeniedException:http://x/"}}, json)).code,
            "AccessDeniedException");
  const Fault fault = fault_of(response(400, {{"x-amzn-requestid", "1b2c-3d"}}, json));
  EXPECT_EQ(fault.error("GetSecretValue of a").message(), "GetSecretValue of a: DecryptionFailure (request 1b2c-3d)");
  EXPECT_EQ(fault_of(response(403, {}, "<ErrorResponse><Error><Code>ExpiredToken</Code></Error></ErrorResponse>")).code,
            "ExpiredToken");
  EXPECT_EQ(fault_of(response(403, {}, "<Error><Code>SignatureDoesNotMatch</Code></Error>")).code,
            "SignatureDoesNotMatch");
  for (const char* body : {"", "<html>", "{", "[]", "null", R"({"__type":7})", R"({"__type":"no code"})"}) {
    EXPECT_EQ(fault_of(response(400, {}, body)).code, "HTTP 400") << body;
  }
}

TEST(Fault, ClampsWhatAServerWantsUsToWait) {
  using std::chrono::milliseconds;
  const auto wait = [](const char* name, const char* value) { return wait_of(response(429, {{name, value}}, "")); };
  EXPECT_EQ(wait("retry-after", "7"), milliseconds(7000));
  EXPECT_EQ(wait("x-amz-retry-after", "1500"), milliseconds(1500));
  EXPECT_EQ(wait("retry-after", "1000000000000"), milliseconds(300'000));
  EXPECT_EQ(wait("retry-after", "99999999999999999999999"), milliseconds(300'000));
  for (const char* value : {"-1", "", "soon", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT"}) {
    EXPECT_EQ(wait("retry-after", value), std::nullopt) << value;
  }
}

scanner::base::Result<Reading> secret_in(const std::string& json) {
  const auto document = Document::parse(Secret::copy_of(json));
  if (!document) return scanner::base::fail(document.error());
  return read_secret(document->root());
}

TEST(Answer, GivesTheMembersOfAJsonSecret) {
  const auto reading =
      secret_in(R"({"VersionId":"v1","SecretString":"{\"user\":\"u\",\"port\":5432,\"tls\":{\"b\":1,\"a\":[true]}}"})");
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->version, "v1");
  ASSERT_EQ(reading->members.size(), 3U);
  EXPECT_EQ(reading->members[0].value.reveal(), "u");
  EXPECT_EQ(reading->members[1].value.reveal(), "5432");
  EXPECT_EQ(reading->members[2].value.reveal(), R"({"a":[true],"b":1})");
}

TEST(Answer, LeavesAPlainOrBinaryValueWhole) {
  const auto plain = secret_in(R"({"VersionId":"v1","SecretString":"{not json"})");
  ASSERT_TRUE(plain);
  EXPECT_TRUE(plain->members.empty());
  EXPECT_EQ(plain->document.reveal(), "{not json");
  const auto binary = secret_in(R"({"VersionId":"v1","SecretBinary":"AAH/CgA="})");
  ASSERT_TRUE(binary);
  EXPECT_EQ(binary->document.reveal(), std::string_view("\x00\x01\xFF\x0A\x00", 5));
}

TEST(Answer, TakesTheLargestSecretAndNoLarger) {
  const std::string largest(65'536, 'x');
  EXPECT_TRUE(secret_in(R"({"VersionId":"v","SecretString":")" + largest + "\"}"));
  EXPECT_EQ(secret_in(R"({"VersionId":"v","SecretString":"x)" + largest + "\"}").error().code(), Errc::limit);
}

TEST(Answer, RefusesWhatIsNoSecret) {
  for (const char* json :
       {"{}", "[]", "null", R"({"SecretString":"x"})", R"({"VersionId":"v"})",
        R"({"VersionId":"v","SecretString":null})", R"({"VersionId":"v","SecretString":7})",
        R"({"VersionId":"v","SecretString":"x","SecretBinary":"eA=="})", R"({"VersionId":"v","SecretBinary":"eA"})",
        R"({"VersionId":"v","SecretBinary":"e===" })", R"({"VersionId":"v","SecretBinary":"e-A="})",
        R"({"VersionId":"v\nw","SecretString":"x"})"}) {
    const auto reading = secret_in(json);
    ASSERT_FALSE(reading) << json;
    EXPECT_EQ(reading.error().code(), Errc::corrupt) << json;
  }
}

TEST(Answer, KnowsASecretByNameArnAndPartOfItsArn) {
  const std::string arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/db-AbCdEf";
  EXPECT_TRUE(answers_to("prod/db", "prod/db", arn));
  EXPECT_TRUE(answers_to(arn, "prod/db", arn));
  EXPECT_TRUE(answers_to(arn.substr(0, arn.size() - 7), "prod/db", arn));
  EXPECT_FALSE(answers_to(arn.substr(0, arn.size() - 8), "prod/db", arn));
  EXPECT_FALSE(answers_to("prod", "prod/db", arn));
  EXPECT_FALSE(answers_to("", "", ""));
}

TEST(Call, AsksAReplicaByItsOwnArn) {
  const Call call{"GetSecretValue", {"arn:aws:secretsmanager:eu-central-1:1:secret:a-AbCdEf"}, "", "AWSCURRENT"};
  EXPECT_EQ(call.body("eu-west-1"),
            R"({"SecretId":"arn:aws:secretsmanager:eu-west-1:1:secret:a-AbCdEf","VersionStage":"AWSCURRENT"})");
}

TEST(Endpoint, RefusesWhatIsNoRegion) {
  for (const char* region : {"", "x/", "eu central", "EU-WEST-1", "a.b", "a@b", "-a", "a-", "1a", "eu-west-1\n"}) {
    EXPECT_FALSE(endpoint_host("sts", region, false, false)) << region;
  }
}

TEST(Settings, TakeTheRegionFromTheFirstPlaceThatHasOne) {
  const Environment both = environment({{"AWS_REGION", "eu-west-1"}, {"AWS_DEFAULT_REGION", "eu-west-2"}});
  Settings settings;
  EXPECT_EQ(resolve(settings, both, "eu-west-3")->regions.front().name, "eu-west-1");
  EXPECT_EQ(resolve(settings, environment({{"AWS_DEFAULT_REGION", "eu-west-2"}}), "")->regions.front().name,
            "eu-west-2");
  EXPECT_EQ(resolve(settings, {}, "eu-west-3")->regions.front().name, "eu-west-3");
  settings.regions = {"eu-central-1", "eu-north-1"};
  const auto resolved = resolve(settings, both, "");
  ASSERT_TRUE(resolved);
  EXPECT_EQ(resolved->regions[1].secrets_url, "https://secretsmanager.eu-north-1.amazonaws.com/");
  EXPECT_EQ(resolve(Settings(), {}, "").error().code(), Errc::config);
}

TEST(Settings, TakeTheEndpointFromTheFirstPlaceThatHasOne) {
  Settings settings;
  settings.regions = {"eu-west-1"};
  const Environment all = environment(
      {{"AWS_ENDPOINT_URL", "https://all.example"}, {"AWS_ENDPOINT_URL_SECRETS_MANAGER", "https://sm.example/"}});
  EXPECT_EQ(resolve(settings, all, "")->regions.front().secrets_url, "https://sm.example/");
  EXPECT_EQ(resolve(settings, all, "")->regions.front().sts_url, "https://all.example/");
  settings.endpoint = "https://vpce-1.example:8443";
  EXPECT_EQ(resolve(settings, all, "")->regions.front().secrets_url, "https://vpce-1.example:8443/");
  settings.regions.emplace_back("eu-west-2");
  EXPECT_EQ(resolve(settings, all, "").error().code(), Errc::config);
  settings.regions.pop_back();
  for (const char* url : {"ftp://x.example", "x.example", "https://a@b.example", "https://x.example/?q", "https://",
                          "http://secretsmanager.example/", "http://169.254.169.254/"}) {
    settings.endpoint = url;
    EXPECT_FALSE(resolve(settings, all, "")) << url;
  }
}

TEST(ContainerEndpoint, IsAskedInPlainHttpOnKnownAddressesOnly) {
  for (const char* url :
       {"http://127.0.0.1/x", "http://127.9.8.7:1234/", "http://localhost:80/", "http://[::1]:90/x",
        "http://169.254.170.2/v2", "http://169.254.170.23/v1/credentials", "http://[fd00:ec2::23]/v1/credentials"}) {
    EXPECT_TRUE(plain_http_allowed(url)) << url;
  }
  for (const char* url :
       {"http://169.254.169.254/", "http://10.0.0.1/", "http://localhost.example/", "http://127.0.0.1.example/",
        "http://127.0.0.1@evil.example/", "http://evil.example#127.0.0.1", "http://[::2]/", "http://127.1/",
        "http://127.0.0.256/", "http://127.0.0.1.1/", "http://127.0.0./", "ftp://127.0.0.1/", "127.0.0.1", ""}) {
    EXPECT_FALSE(plain_http_allowed(url)) << url;
  }
}

Credentials lasting(Time from, seconds lifetime) {
  Credentials credentials;
  credentials.expires = from + lifetime;
  return credentials;
}

TEST(Age, FollowsTheTwoWindows) {
  const Time start = *parse_iso8601("2026-01-01T00:00:00Z");
  const Credentials hour = lasting(start, minutes(60));
  EXPECT_EQ(age_of(hour, start, start + minutes(44)), Age::fresh);
  EXPECT_EQ(age_of(hour, start, start + minutes(45)), Age::advisory);
  EXPECT_EQ(age_of(hour, start, start + minutes(50)), Age::mandatory);
  EXPECT_EQ(age_of(hour, start, start + minutes(60)), Age::expired);
  const Credentials brief = lasting(start, minutes(4));
  EXPECT_EQ(age_of(brief, start, start + seconds(179)), Age::fresh);
  EXPECT_EQ(age_of(brief, start, start + seconds(180)), Age::advisory);
  EXPECT_EQ(age_of(brief, start, start + seconds(200)), Age::mandatory);
  Credentials file;
  file.reread = minutes(5);
  EXPECT_EQ(age_of(file, start, start + minutes(4)), Age::fresh);
  EXPECT_EQ(age_of(file, start, start + minutes(500)), Age::advisory);
}

TEST(RetryQuota, RunsOutInAnOutageAndFillsUpAgain) {
  RetryQuota quota;
  int retries = 0;
  while (quota.take(false)) ++retries;
  EXPECT_EQ(retries, 100);
  quota.give_back(5);
  EXPECT_TRUE(quota.take(false));
  EXPECT_FALSE(quota.take(true));
  for (int i = 0; i < 1000; ++i) quota.give_back(0);
  EXPECT_EQ(quota.left(), 500);
}

TEST(RetryWait, GrowsToItsCapAndHonoursTheServer) {
  using std::chrono::milliseconds;
  for (int i = 0; i < 200; ++i) {
    EXPECT_THAT(retry_wait(0, false, {}), Le(milliseconds(50)));
    EXPECT_THAT(retry_wait(20, true, {}), Le(milliseconds(20'000)));
    EXPECT_THAT(retry_wait(0, false, milliseconds(900)), Ge(milliseconds(900)));
  }
}

TEST(Hold, LetsOneAttemptThroughAtATime) {
  Hold hold;
  EXPECT_TRUE(hold.claim());
  EXPECT_TRUE(hold.claim());
  hold.failed({});
  EXPECT_FALSE(hold.claim());
  EXPECT_THAT(hold.left(), AllOf(Ge(std::chrono::milliseconds(400)), Le(std::chrono::milliseconds(1000))));
  hold.well();
  EXPECT_TRUE(hold.claim());
}

}  // namespace
}  // namespace injector::backend::aws
