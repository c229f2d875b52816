#include "scanner/rules/baseline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace scanner::rules {
namespace {

const std::string kFirst = "v1:00112233445566778899aabbccddeeff";
const std::string kSecond = "v1:ffeeddccbbaa99887766554433221100";

std::string mistake_in(const std::string& json) {
  const auto result = Baseline::parse(json, "base.json");
  if (result) return "none";
  EXPECT_EQ(result.error().code(), base::Errc::config);
  return result.error().message();
}

std::string with_finding(const std::string& finding) {
  return R"({"version":1,"tool":"scan-secrets","findings":[{"fingerprint":")" + kFirst + R"(","rule":"r"},)" + finding +
         "]}";
}

TEST(Baseline, KnowsTheFindingsItHolds) {
  const auto baseline =
      Baseline::parse(with_finding(R"({"fingerprint":")" + kSecond + R"(","rule":"r","reason":"old"})"), "base.json");
  ASSERT_TRUE(baseline) << baseline.error().message();
  EXPECT_EQ(baseline->size(), 2U);
  EXPECT_TRUE(baseline->contains(kFirst));
  EXPECT_TRUE(baseline->contains(kSecond));
  EXPECT_FALSE(baseline->contains("v1:00000000000000000000000000000000"));
  EXPECT_EQ(baseline->known()[1].reason, "old");
}

TEST(Baseline, IsWrittenSortedAndTheSameForTheSameFindings) {
  const std::string expected = R"({
 "version": 1,
 "tool": "scan-secrets",
 "findings": [
  {"fingerprint":")" + kSecond +
                               R"(","rule":"a"},
  {"fingerprint":")" + kFirst + R"(","reason":"accepted \"here\"","rule":"b"}
 ]
}
)";
  const Known a{kSecond, "a", ""};
  const Known b{kFirst, "b", "accepted \"here\""};
  EXPECT_EQ(to_json({a, b}), expected);
  EXPECT_EQ(to_json({b, a, b}), expected);
}

TEST(Baseline, ReadsWhatItWrites) {
  const auto baseline = Baseline::parse(to_json({{kFirst, "a\xff", "x"}, {kSecond, "b", ""}}), "base.json");
  ASSERT_TRUE(baseline) << baseline.error().message();
  EXPECT_EQ(to_json(baseline->known()), to_json({{kFirst, "a\xef\xbf\xbd", "x"}, {kSecond, "b", ""}}));
  EXPECT_TRUE(Baseline::parse(to_json({}), "base.json"));
}

TEST(Baseline, NamesThePlaceOfAMistake) {
  EXPECT_EQ(mistake_in("{"), "base.json: not JSON at byte 2");
  EXPECT_EQ(mistake_in("[]"), "base.json: the document is no object");
  EXPECT_EQ(mistake_in(R"({"version":2,"tool":"scan-secrets","findings":[]})"), "base.json: version is not 1");
  EXPECT_EQ(mistake_in(R"({"version":1,"findings":[]})"), "base.json: tool is not scan-secrets");
  EXPECT_EQ(mistake_in(R"({"version":1,"tool":"scan-secrets"})"), "base.json: findings is no list");
  EXPECT_EQ(mistake_in(R"({"version":1,"tool":"scan-secrets","findings":[],"more":1})"),
            "base.json: the document has an unknown member");
  EXPECT_EQ(mistake_in(with_finding("7")), "base.json: findings[1] is no object");
  EXPECT_EQ(mistake_in(with_finding(R"({"fingerprint":"v1:0","rule":"r"})")),
            "base.json: findings[1].fingerprint is not v1: and 32 hex digits");
  EXPECT_EQ(mistake_in(with_finding(R"({"fingerprint":")" + kSecond + R"("})")),
            "base.json: findings[1].rule is missing");
  EXPECT_EQ(mistake_in(with_finding(R"({"fingerprint":")" + kSecond + R"(","rule":"r","reason":1})")),
            "base.json: findings[1].reason is no text");
  EXPECT_EQ(mistake_in(with_finding(R"({"fingerprint":")" + kSecond + R"(","rule":"r","secret":"x"})")),
            "base.json: findings[1] has an unknown member");
}

}  // namespace
}  // namespace scanner::rules
