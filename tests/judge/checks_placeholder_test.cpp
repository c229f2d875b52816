#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/judge/checks.h"
#include "scanner/judge/randomness.h"

namespace scanner::judge {
namespace {

using Answer = CheckResult::Answer;

CheckResult run(std::string_view check, std::string_view secret, std::string_view match, std::int64_t now = 0) {
  const Check function = find_check(check);
  EXPECT_NE(function, nullptr) << check;
  return function == nullptr ? CheckResult{} : function(secret, match, now);
}

Answer answer(std::string_view check, std::string_view secret) { return run(check, secret, secret).answer; }

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view kLowerAlnum = "0123456789abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kBase62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// How many of 2000 values drawn from `charset` the check accepts, in percent. The generator is seeded: no luck.
double accepted_percent(std::string_view check, std::string_view charset, std::size_t length) {
  constexpr int kValues = 2000;
  std::mt19937 random(20);
  const Check function = find_check(check);
  int accepted = 0;
  for (int i = 0; i < kValues; ++i) {
    std::string value(length, ' ');
    for (char& c : value) c = charset[random() % charset.size()];
    if (function(value, value, 0).answer == Answer::accept) ++accepted;
  }
  return 100.0 * accepted / kValues;
}

/// A word in one of four spellings: camel, Pascal, snake, constant.
std::string spelt(const std::vector<std::string>& words, std::size_t style) {
  std::string name;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string word = words[i];
    if (style >= 2 && i > 0) name += '_';
    if (style == 3) {
      for (char& c : word) c = static_cast<char>(c - 'a' + 'A');
    } else if (style == 1 || (style == 0 && i > 0)) {
      word[0] = static_cast<char>(word[0] - 'a' + 'A');
    }
    name += word;
  }
  return name;
}

/// 600 names of 11 to 35 characters such as people give to functions, fields and constants.
std::vector<std::string> identifiers() {
  const std::vector<std::string> verbs = {"get",    "create", "validate", "register", "parse",
                                          "handle", "update", "convert",  "allocate", "serialize"};
  const std::vector<std::string> objects = {"user",    "request", "buffer", "socket",  "certificate",
                                            "context", "payload", "widget", "session", "transaction"};
  const std::vector<std::string> ends = {"list", "by id", "handler", "callback", "from config", "length"};
  std::vector<std::string> names;
  std::size_t style = 0;
  for (const auto& verb : verbs) {
    for (const auto& object : objects) {
      for (const auto& end : ends) {
        std::vector<std::string> words = {verb, object};
        const auto space = end.find(' ');
        words.push_back(end.substr(0, space));
        if (space != std::string::npos) words.push_back(end.substr(space + 1));
        names.push_back(spelt(words, style++ % 4));
      }
    }
  }
  return names;
}

TEST(Random, KeepsNinetyEightPercentOfGeneratedValues) {
  for (const std::size_t length : std::initializer_list<std::size_t>{16, 20, 32, 40, 64}) {
    for (const auto charset : {kHex, kBase32, kLowerAlnum, kBase62, kBase64, kBase64Url}) {
      EXPECT_GE(accepted_percent("random", charset, length), 98) << charset << " x" << length;
    }
  }
}

TEST(Random, KeepsMostShorterGeneratedValues) {
  for (const auto charset : {kHex, kLowerAlnum, kBase62}) {
    EXPECT_GE(accepted_percent("random", charset, 12), 96) << charset;
  }
}

TEST(Random, KeepsAtMostThreePercentOfIdentifiers) {
  const auto names = identifiers();
  ASSERT_EQ(names.size(), 600U);
  int accepted = 0;
  for (const auto& name : names) {
    EXPECT_LE(name.size(), 35U);
    if (answer("random", name) == Answer::accept) ++accepted;
  }
  EXPECT_LE(accepted * 100, 3 * static_cast<int>(names.size()));
}

TEST(Random, RefusesNamesPathsAndTextOfManyKinds) {
  for (const auto* value :
       {"application/x-www-form-urlencoded", "org.springframework.boot.autoconfigure", "no-referrer-when-downgrade",
        "XMLHttpRequestEventTarget", "GL_TEXTURE_CUBE_MAP_POSITIVE_X", "kubernetes.io/ingress.class",
        "/usr/share/doc/libssl-dev/changelog", "my-company-production-cluster", "spring.datasource.password",
        "thequickbrownfoxjumpsoverthelazydog", "node_modules/@babel/core/lib/index", "INFLUXDB_ADMIN_PASSWORD_FILE",
        "com.mysql.cj.jdbc.Driver", "SQLSTATE_CONNECTION_FAILURE", "AccountManagementServiceImpl"}) {
    EXPECT_EQ(answer("random", value), Answer::refuse) << value;
  }
}

TEST(Random, RefusesWhatIsTooShortOrDigitsAlone) {
  for (const auto* value : {"", "a", "k9Qm3vX", "--------------------", "90210468135792604817", "\xff\xfe\xfd"}) {
    EXPECT_EQ(answer("random", value), Answer::refuse) << value;
  }
}

TEST(Random, RefusesTooFewDifferentCharacters) {
  EXPECT_EQ(answer("random", "qx7qx7qx7qx7qx7qx7qx7qx7"), Answer::refuse);
  EXPECT_EQ(answer("random", std::string(65536, 'q')), Answer::refuse);
}

TEST(Random, EntropyIsShannons) {
  EXPECT_DOUBLE_EQ(shannon_entropy(""), 0);
  EXPECT_DOUBLE_EQ(shannon_entropy("aaaa"), 0);
  EXPECT_DOUBLE_EQ(shannon_entropy("abab"), 1);
  EXPECT_DOUBLE_EQ(shannon_entropy("abcdefgh"), 3);
}

TEST(NotPlaceholder, KeepsNearlyAllGeneratedValues) {
  for (const std::size_t length : std::initializer_list<std::size_t>{16, 20, 32, 40, 64, 128}) {
    for (const auto charset : {kHex, kBase32, kLowerAlnum, kBase62, kBase64, kBase64Url}) {
      EXPECT_GE(accepted_percent("not-placeholder", charset, length), 99.5) << charset << " x" << length;
    }
  }
}

TEST(NotPlaceholder, RefusesWordsThatStandForASecret) {
  for (const auto* value : {"example",
                            "your-api-key-here",
                            "YOUR_TOKEN",
                            "yourPasswordHere",
                            "<your token>",
                            "changeme",
                            "ChangeMe123",
                            "change_me",
                            "changeit",
                            "REPLACE_WITH_REAL_KEY",
                            "replace-me",
                            "dummy",
                            "fake_secret_key",
                            "test",
                            "test-token",
                            "test123",
                            "password",
                            "Password1",
                            "password123",
                            "secret",
                            "my-secret-password",
                            "mysecretpassword",
                            "notasecret",
                            "xxx",
                            "XXXXXXXX",
                            "redacted",
                            "[REDACTED]",
                            "masked",
                            "TODO",
                            "none",
                            "null",
                            "undefined",
                            "string",
                            "api_key",
                            "access_token",
                            "foo",
                            "foobar",
                            "abcd",
                            "secret1234",
                            "AKIAIOSFODNN7EXAMPLE",
                            "SECRET_KEY",
                            "placeholder-value",
                            "lorem ipsum",
                            "insert token",
                            "some long random string",
                            "sample_k9Qm3vXbT7pLzR2w"}) {
    EXPECT_EQ(answer("not-placeholder", value), Answer::refuse) << value;
  }
}

TEST(NotPlaceholder, RefusesTemplatesAndReferences) {
  for (const auto* value : {"${DB_PASSWORD}",
                            "pre-${VAR}-post",
                            "$DB_PASSWORD",
                            "$password",
                            "$(cat /run/secret)",
                            "%DB_PASSWORD%",
                            "{{ token }}",
                            "{% token %}",
                            "${{ secrets.TOKEN }}",
                            "<%= token %>",
                            "#{token}",
                            "@@TOKEN@@",
                            "__TOKEN__",
                            "!Ref Token",
                            "!vault |",
                            "ENC[AES256_GCM,data:k9Qm3vXbT7]",
                            "op://vault/item/field",
                            "vault:secret/data/x#y",
                            "ssm:/a/b",
                            "arn:aws:secretsmanager:eu-west-1:1:secret:x",
                            "projects/x/secrets/y",
                            "os.environ['TOKEN']",
                            "process.env.TOKEN",
                            "getenv('TOKEN')",
                            "System.getProperty(\"t\")",
                            "var.db_password",
                            "data.aws_secret.x",
                            "self.token",
                            "this.token",
                            "get_secret(\"db\")",
                            "config.get('token')",
                            "settings[\"token\"]",
                            "$this->token",
                            "Env::token",
                            "user.password",
                            "{password}",
                            "{0}",
                            "[token]",
                            "<token>",
                            "***",
                            "ab***yz",
                            "k9Qm...",
                            "sha256:k9Qm3vXbT7pLzR2wYfJ8",
                            "$env:TOKEN",
                            "$ANSIBLE_VAULT;1.1;AES256",
                            "%(token)s",
                            "\u2022\u2022\u2022\u2022\u2022\u2022"}) {
    EXPECT_EQ(answer("not-placeholder", value), Answer::refuse) << value;
  }
}

TEST(NotPlaceholder, RefusesPathsAddressesAndProse) {
  for (const auto* value : {"/run/secrets/db", "./token.txt", "~/.ssh/id_rsa", "C:\\keys\\a.pem", "server.key",
                            "config/token.json", "https://acme.io/docs/tokens", "file:///etc/passwd",
                            "Please enter the code", "The password is wrong", "must not be empty or blank"}) {
    EXPECT_EQ(answer("not-placeholder", value), Answer::refuse) << value;
  }
}

TEST(NotPlaceholder, RefusesRepeatsAndRuns) {
  for (const auto* value : {"k9QmaaaaT7pLzR2w",
                            "0000000000000000",
                            "abababababab",
                            "k9Qk9Qk9Q",
                            "a1b2c3d4a1b2c3d4",
                            "0123456789abcdef",
                            "x123456y",
                            "abcdefghij",
                            "zyxwvutsrq",
                            "qwertyuiop",
                            "9f2deadbeef1",
                            "cafebabe",
                            "1q2w3e4r5t",
                            "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
                            "2b7e151628aed2a6abf7158809cf4f3c",
                            "9f2c11111d8e7a60",
                            "",
                            "ab",
                            "-----",
                            "===="}) {
    EXPECT_EQ(answer("not-placeholder", value), Answer::refuse) << value;
  }
}

TEST(NotPlaceholder, AcceptsPasswordsAndTokensOfEveryKind) {
  for (const auto* value : {"k9Qm3vXbT7pLzR2w",
                            "Tr0ub4dor&3",
                            "Summer2024!",
                            "MyPassword2024!",
                            "correct horse battery staple",
                            "hunter2x9",
                            "p@ssw0rd-88",
                            "9f2c1d8e7a60b543f1e0d9c8b7a69584",
                            "sk_test_k9Qm3vXbT7pLzR2wYfJ8sDcN",
                            "xoxb-904817-k9Qm3vXbT7pLzR2w",
                            "x/k9Qm+3vXbT7/pLzR2w==",
                            "/k9Qm3v/XbT7pLzR2wYf",
                            "glpat-k9Qm3vXbT7pLzR2wYfJ8",
                            "$ecr3t9Pa55",
                            "pa$$w0rd9",
                            "https://hooks.acme.io/services/k9Qm3vXbT7pLzR2wYfJ8sDcN",
                            "https://joe:k9Qm3vXbT7@acme.io",
                            "admin",
                            "9f2c1111d8e7a60b",
                            "hf_kQmvXbTpLzRwYfJsDcNhGeuVaKioMxWq"}) {
    EXPECT_EQ(answer("not-placeholder", value), Answer::accept) << value;
  }
}

TEST(NotPlaceholder, RefusesTheKeyRepeatedAsValue) {
  const auto repeated = [](std::string_view secret, std::string_view match) {
    return run("not-placeholder", secret, match).answer == Answer::refuse;
  };
  EXPECT_TRUE(repeated("acmepin", "acmePin: 'acmepin'"));
  EXPECT_TRUE(repeated("wifi-psk", "WIFI_PSK=wifi-psk"));
  EXPECT_TRUE(repeated("psk2", R"("wifi.psk2" => "psk2")"));
  EXPECT_FALSE(repeated("psk2", "wifi = psk2"));
  EXPECT_FALSE(repeated("k9Qm3vXb", "psk = k9Qm3vXb"));
}

TEST(NotUuid, RefusesEveryWayToWriteOne) {
  EXPECT_EQ(answer("not-uuid", "9f2c1d8e-7a60-b543-f1e0-d9c8b7a69584"), Answer::refuse);
  EXPECT_EQ(answer("not-uuid", "{9F2C1D8E-7A60-B543-F1E0-D9C8B7A69584}"), Answer::refuse);
  EXPECT_EQ(answer("not-uuid", "urn:uuid:9f2c1d8e-7a60-b543-f1e0-d9c8b7a69584"), Answer::refuse);
  EXPECT_EQ(answer("not-uuid", "9f2c1d8e-7a60-b543-f1e0-d9c8b7a6958g"), Answer::accept);
  EXPECT_EQ(answer("not-uuid", "9f2c1d8e7a60b543f1e0d9c8b7a69584"), Answer::accept);
  EXPECT_EQ(answer("not-uuid", ""), Answer::accept);
}

TEST(NotHexDigest, RefusesHexDigitsAlone) {
  EXPECT_EQ(answer("not-hex-digest", "da39a3ee5e6b4b0d3255bfef95601890afd80709"), Answer::refuse);
  EXPECT_EQ(answer("not-hex-digest", "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"), Answer::refuse);
  EXPECT_EQ(answer("not-hex-digest", "da39a3ee5e6b4b0d3255bfef95601890afd8070g"), Answer::accept);
}

}  // namespace
}  // namespace scanner::judge
