#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/judge/checks.h"
#include "scanner/judge/decode.h"
#include "scanner/judge/judge.h"

namespace scanner::judge {
namespace {

using Answer = CheckResult::Answer;

CheckResult run(std::string_view check, std::string_view secret, std::string_view match, std::int64_t now = 0) {
  const Check function = find_check(check);
  EXPECT_NE(function, nullptr) << check;
  return function == nullptr ? CheckResult{} : function(secret, match, now);
}

Answer answer(std::string_view check, std::string_view secret) { return run(check, secret, secret).answer; }

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kNow = 1'700'000'000;  // 2023-11-14

std::string url_base64(std::string_view bytes) {
  std::string text = encode_base64(bytes);
  for (char& c : text) c = c == '+' ? '-' : (c == '/' ? '_' : c);
  while (text.ends_with('=')) text.pop_back();
  return text;
}

std::string jwt(std::string_view header, std::string_view payload, std::size_t signature_size = 32) {
  return url_base64(header) + "." + url_base64(payload) + "." + url_base64(std::string(signature_size, '\x5a'));
}

CheckResult run_jwt(std::string_view token) { return run("jwt", token, token, kNow); }

void expect_low(const CheckResult& result, std::string_view note) {
  EXPECT_NE(result.answer, Answer::refuse);
  EXPECT_TRUE(result.has_severity);
  EXPECT_EQ(result.severity, Severity::low);
  EXPECT_THAT(result.notes, ::testing::Contains(std::string(note)));
}

TEST(Checks, AreFoundByTheNamesTheyList) {
  ASSERT_EQ(checks().size(), 35U);
  for (const auto& info : checks()) {
    EXPECT_NE(find_check(info.name), nullptr) << info.name;
    EXPECT_FALSE(info.help.empty()) << info.name;
  }
  EXPECT_EQ(find_check("no-such-check"), nullptr);
  EXPECT_EQ(find_check(""), nullptr);
}

TEST(Checks, NeverConfirmGarbageOfAnySize) {
  std::vector<std::string> inputs = {"", "=", "_", ".", "..", ":", "://", "://:@", std::string(1, '\0')};
  for (const char c : std::string_view("aA0=_-.:/\\\"{[$%\n \xff\x80+1")) inputs.emplace_back(65536, c);
  std::mt19937 random(7);
  for (const std::size_t size : std::initializer_list<std::size_t>{1, 20, 37, 40, 44, 52, 56, 84, 88, 1000, 65536}) {
    std::string bytes(size, ' ');
    for (char& c : bytes) c = static_cast<char>(random());
    inputs.push_back(bytes);
    for (char& c : bytes) c = "ABCDEFabcdef0123456789+/-_.="[random() % 28];
    inputs.push_back(bytes);
  }
  for (const auto* unit :
       {"BEGIN ", "-----BEGIN RSA PRIVATE KEY-----", "\"private_key\":\"", "\\\"", "se=", "a.", "[[{", "\\u00"}) {
    std::string text;
    while (text.size() < 65536) text += unit;
    inputs.push_back(text);
  }
  for (const auto& info : checks()) {
    for (const auto& input : inputs)
      EXPECT_NE(answer(info.name, input), Answer::confirm) << info.name << " " << input.size();
  }
}

TEST(AwsKeyId, NotesTheAccount) {
  // Python: base32 of (314159265358 << 7), the top and the low bits set, and random bytes.
  EXPECT_THAT(run("aws-key-id", "AKIAUSJKZ6ZHKWJHLNDQ", "").notes, ElementsAre("AWS account 314159265358"));
}

TEST(AwsKeyId, NotesNothingForOlderIds) {
  const auto result = run("aws-key-id", "AKIAJ5SKZ6ZHKWJHLNDQ", "");
  EXPECT_EQ(result.answer, Answer::accept);
  EXPECT_THAT(result.notes, IsEmpty());
}

TEST(AwsKeyId, RefusesSamplesAndOtherShapes) {
  for (const auto* id : {"AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE", "AKIAUSJKZ6ZHKWJHLND", "AKIAUSJKZ6ZHKWJHLND1",
                         "AKIAusjkz6zhkwjhlndq", ""}) {
    EXPECT_EQ(answer("aws-key-id", id), Answer::refuse) << id;
  }
}

TEST(AwsSecret, AcceptsOnlyWhatCouldBeOne) {
  EXPECT_EQ(answer("aws-secret", "k9Qm/3vXbT7+pLzR2wYfJ8sDcN5hGe1uVaKi0oMx"), Answer::accept);
  for (const auto* value : {"da39a3ee5e6b4b0d3255bfef95601890afd80709",  // a SHA-1
                            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",  // the documentation
                            "com/google/common/collect/ImmutableMap12",  // a path
                            "getHttpServletRequestAttributeByNameV2Ok",  // an identifier
                            "k9qm/3vxbt7+plzr2wyfj8sdcn5hge1uvaki0omx",  // one case
                            "aB1aB1aB1aB1aB1aB1aB1aB1aB1aB1aB1aB1aB1a",  // no entropy
                            "k9Qm/3vXbT7+pLzR2wYfJ8sDcN5hGe1uVaKi0oM",   // 39
                            "k9Qm_3vXbT7.pLzR2wYfJ8sDcN5hGe1uVaKi0oMx"}) {
    EXPECT_EQ(answer("aws-secret", value), Answer::refuse) << value;
  }
}

TEST(Jwt, ConfirmsASignedTokenAndNamesItsIssuer) {
  const auto result =
      run_jwt(jwt(R"({"alg":"HS256","typ":"JWT"})", R"({"iss":"https://login.acme.io/x","exp":1900000000})"));
  EXPECT_EQ(result.answer, Answer::confirm);
  EXPECT_FALSE(result.has_severity);
  EXPECT_THAT(result.notes, ElementsAre("issued by login.acme.io"));
}

TEST(Jwt, KeepsALoginInTheIssuerToItself) {
  const auto result = run_jwt(jwt(R"({"alg":"RS256"})", R"({"iss":"https://joe:pw@id.acme.io:8443/x"})", 256));
  EXPECT_EQ(result.answer, Answer::confirm);
  EXPECT_THAT(result.notes, ElementsAre("issued by id.acme.io"));
  EXPECT_THAT(run_jwt(jwt(R"({"alg":"RS256"})", R"({"iss":"kubernetes/serviceaccount"})", 256)).notes, IsEmpty());
}

TEST(Jwt, LowersTheSeverityOfAnExpiredToken) {
  expect_low(run_jwt(jwt(R"({"alg":"HS256"})", R"({"exp":1600000000})")), "expired 2020-09-13");
  expect_low(run_jwt(jwt(R"({"alg":"HS256"})", R"({"exp":1600000000.5})")), "expired 2020-09-13");
  EXPECT_FALSE(run_jwt(jwt(R"({"alg":"HS256"})", R"({"exp":1700000000})")).has_severity);
  for (const auto* odd : {R"({"exp":1e300})", R"({"exp":-5})", R"({"exp":"1600000000"})", R"({"exp":null})",
                          R"({"exp":99999999999999999999})"}) {
    EXPECT_FALSE(run_jwt(jwt(R"({"alg":"HS256"})", odd)).has_severity) << odd;
  }
}

TEST(Jwt, LowersTheSeverityOfAnUnsignedToken) {
  expect_low(run_jwt(jwt(R"({"alg":"none"})", R"({"sub":"u"})", 0)), "not signed");
}

TEST(Jwt, AcceptsWithoutConfirmingWhenTheSignatureHasNotTheAlgorithmsSize) {
  EXPECT_EQ(run_jwt(jwt(R"({"alg":"HS256"})", R"({"sub":"u"})", 12)).answer, Answer::accept);
  EXPECT_EQ(run_jwt(jwt(R"({"alg":"RS256"})", R"({"sub":"u"})", 12)).answer, Answer::accept);
}

TEST(Jwt, RefusesSamplesAndWhatIsNoToken) {
  const std::string header = R"({"alg":"HS256"})";
  for (const std::string& token : {
           jwt(header, R"({"sub":"1234567890"})"),
           jwt(header, R"({"name":"John Doe"})"),
           jwt(header, R"({"iss":"https://jwt.io"})"),
           jwt(R"({"kid":"HS256"})", R"({"sub":"u"})"),
           jwt(R"({"alg":256})", R"({"sub":"u"})"),
           jwt(header, "[]"),
           jwt(header, R"({"sub":)"),
           jwt("not json", R"({"sub":"u"})"),
           jwt(header, std::string(200, '[')),
           jwt(header, R"({"sub":"u"})") + ".AAAA",
           url_base64(header) + "." + url_base64(R"({"sub":"u"})"),
           url_base64(header) + "." + url_base64(R"({"sub":"u"})") + ".!!!!",
           std::string(),
           std::string(".."),
       }) {
    EXPECT_EQ(run_jwt(token).answer, Answer::refuse) << token;
  }
}

TEST(AzureSas, IsLowOncePastItsEnd) {
  const std::string sig = "&sig=%2BvXbT7kQm9pLzR2wYfJ8sDcN5hGe1uVaKi0oMx3vXbQ%3D";
  const auto sas = [&](std::string_view expiry) {
    const std::string url =
        "https://a.blob.core.windows.net/c?sv=2022-11-02&sse=2001-01-01&se=" + std::string(expiry) + "&sp=rl" + sig;
    return run("azure-sas", url, url, kNow);
  };
  expect_low(sas("2023-01-02T03%3A04%3A05Z"), "expired 2023-01-02");
  expect_low(sas("2023-01-02T03:04Z"), "expired 2023-01-02");
  expect_low(sas("2023-11-13"), "expired 2023-11-14");
  expect_low(sas("1672628645"), "expired 2023-01-02");
  for (const auto* expiry : {"2023-11-14", "2033-01-02T03:04:05Z", "2023-13-45", "never", "", "20230102"}) {
    const auto result = sas(expiry);
    EXPECT_EQ(result.answer, Answer::accept) << expiry;
    EXPECT_FALSE(result.has_severity) << expiry;
  }
}

TEST(AzureSas, ReadsQueriesAsJsonAndHtmlWriteThem) {
  for (const auto* joint : {"\\u0026", "&amp;"}) {
    const std::string text = std::string("sv=2022-11-02") + joint + "se=2023-01-02" + joint +
                             "sig=vXbT7kQm9pLzR2wYfJ8sDcN5hGe1uVaKi0oMx3vXbQA%3D";
    expect_low(run("azure-sas", text, text, kNow), "expired 2023-01-03");
  }
}

TEST(AzureSas, RefusesASignatureOfAnotherSize) {
  for (const auto* sig : {"REDACTED", "", "vXbT7kQm9pLzR2wY", "%%%"}) {
    const std::string url = "sv=2022-11-02&se=2033-01-02&sig=" + std::string(sig);
    EXPECT_EQ(run("azure-sas", sig, url, kNow).answer, Answer::refuse) << sig;
  }
}

constexpr std::string_view kPypi =
    "pypi-"
    "AgEIcHlwaS5vcmcCDTAxMjNhYmNkLXV1aWQAAg9bMCwgMTcwMDAwMDAwMF0AAgdbMywieCJdAAAGIHbsguuCBO6TUCXisJnZgOmaZcT3NnnDt5eXC8"
    "qMBBn-";

TEST(PypiMacaroon, ConfirmsBothIndexes) {
  EXPECT_EQ(answer("pypi-macaroon", kPypi), Answer::confirm);
  EXPECT_EQ(answer("pypi-macaroon",
                   "pypi-"
                   "AgENdGVzdC5weXBpLm9yZwINMDEyM2FiY2QtdXVpZAACD1swLCAxNzAwMDAwMDAwXQACB1szLCJ4Il0AAAYgduyC64IE7pNQJeK"
                   "wmdmA6ZplxPc2ecO3l5cLyowEGf4"),
            Answer::confirm);
}

TEST(PypiMacaroon, RefusesOtherPlacesAndCutTokens) {
  EXPECT_EQ(answer("pypi-macaroon",
                   "pypi-"
                   "AgEIZXZpbC5vcmcCDTAxMjNhYmNkLXV1aWQAAg9bMCwgMTcwMDAwMDAwMF0AAgdbMywieCJdAAAGIHbsguuCBO6TUCXisJnZgOm"
                   "aZcT3NnnDt5eXC8qMBBn-"),
            Answer::refuse);
  for (std::size_t size = 0; size < kPypi.size(); ++size) {
    EXPECT_EQ(answer("pypi-macaroon", kPypi.substr(0, size)), Answer::refuse) << size;
  }
  EXPECT_EQ(answer("pypi-macaroon", "pypi-AgEIcHlwaS5vcmc" + std::string(120, 'x')), Answer::refuse);
}

TEST(DiscordToken, ConfirmsByTheIdInItsFirstPart) {
  EXPECT_EQ(answer("discord-token", url_base64("736581092746150912") + ".Xk2f9A.k9Qm3vXbT7pLzR2wYfJ8sDcN5hGe1uVaKi0"),
            Answer::confirm);
  for (const std::string& token : {url_base64("73658109274615091x") + ".Xk2f9A.k9Qm3vXbT7pLzR2wYfJ8sDcN5hG",
                                   url_base64("7365810927461509") + ".Xk2f9A.k9Qm3vXbT7pLzR2wYfJ8sDcN5hG",
                                   url_base64("736581092746150912") + ".Xk2f9A", std::string("..")}) {
    EXPECT_EQ(answer("discord-token", token), Answer::refuse) << token;
  }
}

TEST(TelegramToken, RefusesSamplesAndWrongShapes) {
  EXPECT_EQ(answer("telegram-token", "5820174639:AAHk9Qm3vXbT7pLzR2wYfJ8sDcN5hGe1uVa"), Answer::accept);
  for (const auto* token :
       {"123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11", "123456789:AAHk9Qm3vXbT7pLzR2wYfJ8sDcN5hGe1uVa",
        "5820174639:AAxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "58201746391:AAHk9Qm3vXbT7pLzR2wYfJ8sDcN5hGe1uVa",
        "5820174639:BBHk9Qm3vXbT7pLzR2wYfJ8sDcN5hGe1uVa", "5820174639", ":"}) {
    EXPECT_EQ(answer("telegram-token", token), Answer::refuse) << token;
  }
}

TEST(SnykToken, ConfirmsByItsClaims) {
  const auto token = [](std::string_view claims) {
    return "snyk_uat.0a1b2c3d." + url_base64(claims) + "." + url_base64(std::string(32, '\x5a'));
  };
  const auto live = token(R"({"e":1900000000,"h":"api.snyk.io","j":"q8","s":"x2"})");
  EXPECT_EQ(run("snyk-token", live, live, kNow).answer, Answer::confirm);
  const auto old = token(R"({"e":1600000000,"h":"api.snyk.io"})");
  expect_low(run("snyk-token", old, old, kNow), "expired 2020-09-13");
  EXPECT_EQ(answer("snyk-token", token(R"({"e":1})")), Answer::refuse);
  EXPECT_EQ(answer("snyk-token", token("{}")), Answer::refuse);
  EXPECT_EQ(answer("snyk-token", "snyk_uat.0a1b2c3d"), Answer::refuse);
}

TEST(JfrogReferenceToken, ConfirmsByItsText) {
  EXPECT_EQ(answer("jfrog-reference-token", "cmVmdGtuOjAxOjAwMDAwMDAwMDA6MTczNTY4OTYwMDplcVR3aUpmUTc4MnkySlY="),
            Answer::confirm);
  EXPECT_EQ(answer("jfrog-reference-token", encode_base64("reftkn:01:abc")), Answer::refuse);
  EXPECT_EQ(answer("jfrog-reference-token", encode_base64("reftkn:01:1:x:y")), Answer::refuse);
  EXPECT_EQ(answer("jfrog-reference-token", "cmVmdGtu!"), Answer::refuse);
}

TEST(JenkinsSecret, ConfirmsByItsLengths) {
  const std::string value = "{AQAAABAAAAAgYYBGMRSe4RG6Qy6Xp9RZZkO7i1SD9petOu8mSHPLuy7KB4c/6LyGw743d/EMp3Eg}";
  EXPECT_EQ(answer("jenkins-secret", value), Answer::confirm);
  EXPECT_EQ(answer("jenkins-secret", value.substr(1, value.size() - 2)), Answer::confirm);
  EXPECT_EQ(answer("jenkins-secret", value.substr(0, value.size() - 9) + "}"), Answer::refuse);
  EXPECT_EQ(answer("jenkins-secret", "{AQAAABAAAA}"), Answer::refuse);
  EXPECT_EQ(answer("jenkins-secret", "{" + encode_base64(std::string("\1\0\0\0\x10\xff\xff\xff\xf0", 9)) + "}"),
            Answer::refuse);
}

TEST(Base64Json, AcceptsAnObjectWithAPrefixOrWithout) {
  const std::string object = encode_base64(R"({"o":"1","n":"x","k":"zz"})");
  EXPECT_EQ(answer("base64-json", object), Answer::accept);
  EXPECT_EQ(answer("base64-json", "glc_" + object), Answer::accept);
  EXPECT_EQ(answer("base64-json", encode_base64("{\n \"a\": 1}")), Answer::accept);
  EXPECT_EQ(answer("base64-json", object.substr(0, object.size() - 8)), Answer::refuse);
  EXPECT_EQ(answer("base64-json", encode_base64("[1]")), Answer::refuse);
  EXPECT_EQ(answer("base64-json", encode_base64("plain text")), Answer::refuse);
}

TEST(Base64UserPass, ConfirmsALogin) {
  const auto result = run("base64-userpass", encode_base64("alice:Tr0ub4dor&3"), "");
  EXPECT_EQ(result.answer, Answer::confirm);
  EXPECT_EQ(answer("base64-userpass", "Basic " + encode_base64("alice:Tr0ub4dor&3\n")), Answer::confirm);
  EXPECT_EQ(answer("base64-userpass", encode_base64(":k9Qm3vXbT7pLz")), Answer::confirm);
}

TEST(Base64UserPass, IsLowForADefaultPassword) {
  expect_low(run("base64-userpass", encode_base64("admin:admin"), ""), "a default password");
}

TEST(Base64UserPass, RefusesSamplesAndOtherBytes) {
  for (const std::string text : {"Aladdin:open sesame", "user:password", "alice:", "joe:${PASS}", "no colon here",
                                 "bob:\x01\x02\x03", "j\xc3\xb6rg:k9Qm3vXbT7"}) {
    EXPECT_EQ(answer("base64-userpass", encode_base64(text)), Answer::refuse) << text;
  }
  EXPECT_EQ(answer("base64-userpass", "not base64!"), Answer::refuse);
}

TEST(UrlPassword, AcceptsAPasswordInTheUrlAndAlone) {
  const std::string url = "postgres://svc:k9Qm3vXbT7@db.acme.io:5432/app";
  for (const auto& secret : {url, std::string("k9Qm3vXbT7")}) {
    const auto result = run("url-password", secret, url);
    EXPECT_EQ(result.answer, Answer::accept);
    EXPECT_FALSE(result.has_severity);
  }
}

TEST(UrlPassword, ReadsAPasswordThatHoldsAtAndSlash) {
  const std::string url = "amqp://svc:k9/Qm@3vX@mq:5672";
  EXPECT_EQ(answer("url-password", url), Answer::accept);
}

TEST(UrlPassword, RefusesPlaceholdersTemplatesAndVariables) {
  for (const auto* url :
       {"https://user:password@host/x", "https://x-access-token:${TOKEN}@github.com/a/b",
        "https://oauth2:$TOKEN@gitlab.com/a", "redis://:{{ redis_password }}@cache",
        "https://joe:%3Cpassword%3E@acme.io", "mysql://root:<password>@db/app", "postgres://u:%PGPASS%@db",
        "https://joe:@acme.io", "https://joe@acme.io", "https://acme.io/a:b", "ftp://anna:xxxxxxxx@acme.io",
        "cloudinary://API_KEY:API_SECRET@CLOUD_NAME", "mongodb://user:***@db"}) {
    EXPECT_EQ(answer("url-password", url), Answer::refuse) << url;
  }
}

TEST(UrlPassword, IsLowForDefaultsOnLocalHosts) {
  for (const auto* url :
       {"postgres://postgres:postgres@localhost:5432/app", "amqp://guest:guest@rabbit:5672/",
        "mysql://root:root@127.0.0.1/app", "http://minio:minioadmin@[::1]:9000", "mongodb://acme:acme@mongo/db"}) {
    expect_low(run("url-password", url, url), "a default password on a local host");
  }
  const auto* remote = "postgres://postgres:postgres@db.acme.io/app";
  EXPECT_FALSE(run("url-password", remote, remote).has_severity);
}

}  // namespace
}  // namespace scanner::judge
