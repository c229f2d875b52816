#include "scanner/judge/frames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "scanner/model/hit.h"
#include "tests/judge/judging.h"

namespace scanner::judge {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

RuleSet keys() {
  return set_of({rule("k", "k=([a-z0-9]+)"), rule("url", "//([a-z0-9:]+)@"), rule("pass", "//[a-z0-9]+:([a-z0-9]+)@"),
                 rule("pem", "(-----BEGIN [A-Z ]+-----[^-]+-----END)")});
}

Hit first(std::string_view text) { return judged(keys(), text).hits.at(0); }
std::string marked(const Hit& hit) { return hit.frame.substr(hit.mark_begin, hit.mark_end - hit.mark_begin); }

TEST(Frame, ShowsTheLineWithItsSecretMaskedAndMarked) {
  const Hit hit = first("before\n  set k=0123456789abcdef; # why\r\nafter");
  EXPECT_EQ(hit.frame, "  set k=0123********; # why");
  EXPECT_EQ(marked(hit), "0123********");
}

TEST(Frame, MasksEverySecretOfTheLine) {
  const auto hits = judged(keys(), "k=aaa //user:pass@ k=bbb").hits;
  ASSERT_THAT(hits, SizeIs(4));
  for (const Hit& hit : hits) {
    EXPECT_EQ(hit.frame, "k=******** //********@ k=********");
    EXPECT_EQ(marked(hit), "********");
  }
  EXPECT_EQ(hits[3].mark_begin, 25U);
}

TEST(Frame, MasksSecretsThatAreNotReported) {
  RuleSet rules = keys();
  rules.rules.push_back(rule("quiet", "q=([a-z]+)"));
  rules.rules.back().skip_report = true;
  rules.rules.push_back(rule("generic", "g=([a-z0-9=]+)"));
  rules.rules.back().generic = true;
  rules.rules.push_back(rule("lonely", "l=([a-z]+)"));
  rules.rules.back().required = {{"quiet", {}, 1}};
  const auto hits = judged(rules, "k=aaa q=bbb g=k=ccc l=ddd").hits;
  ASSERT_THAT(hits, SizeIs(2));
  EXPECT_EQ(hits[0].frame, "k=******** q=******** g=******** l=********");
}

TEST(Frame, MasksSecretsThatACommentSuppresses) {
  const auto hits = judged(keys(), "k=aaa //user:pass@ # gitleaks:allow=url gitleaks:allow=pass").hits;
  ASSERT_THAT(hits, SizeIs(1));
  EXPECT_THAT(hits[0].frame, HasSubstr("k=******** //********@ #"));
}

TEST(Frame, MasksTheSameValueWhereverItStands) {
  EXPECT_EQ(first("hunter2 k=hunter2 (hunter2, not hunter)").frame, "******** k=******** (********, not hunter)");
  EXPECT_EQ(first("k=aaa //user:pass@ pass").frame, "k=******** //********@ ********");
}

TEST(Frame, ShowsNoFirstBytesWhereSecretsOverlap) {
  const auto hits = judged(keys(), "//0123456789abcdef:0123456789abcdef@").hits;
  ASSERT_THAT(hits, SizeIs(2));
  EXPECT_EQ(hits[0].frame, "//********@");
  EXPECT_EQ(hits[1].frame, "//********@");
}

TEST(Frame, ShowsFirstBytesWhereTwoRulesFindTheSame) {
  RuleSet rules = keys();
  rules.rules.push_back(rule("again", "k=([a-z0-9]{16})"));
  const auto hits = judged(rules, "k=0123456789abcdef").hits;
  ASSERT_THAT(hits, SizeIs(2));
  EXPECT_EQ(hits[1].frame, "k=0123********");
}

TEST(Frame, OfASecretOfManyLinesEndsWithTheMask) {
  const Hit hit = first("key: -----BEGIN RSA PRIVATE KEY-----\nabcd\n-----END RSA");
  EXPECT_EQ(hit.frame, "key: -----BEGIN RSA PRIVATE KEY-----********");
  EXPECT_EQ(marked(hit), "-----BEGIN RSA PRIVATE KEY-----********");
}

TEST(Frame, MasksTheEndOfASecretThatBeganOnALineAbove) {
  const auto hits = judged(set_of({rule("block", "<([^>]*)>"), rule("k", "k=([a-z]+)")}), "<ab\ncd> k=abc").hits;
  ASSERT_THAT(hits, SizeIs(2));
  EXPECT_EQ(hits[1].frame, "********> k=********");
}

TEST(Frame, IsCutAroundTheSecret) {
  const Hit middle = first(std::string(500, 'x') + " k=abc " + std::string(500, 'y'));
  EXPECT_EQ(middle.frame.size(), Hit::kFrameWidth);
  EXPECT_EQ(marked(middle), "********");
  EXPECT_EQ(middle.mark_begin, (Hit::kFrameWidth - 8) / 2);
  const Hit left = first("k=abc " + std::string(500, 'y'));
  EXPECT_EQ(left.frame.size(), Hit::kFrameWidth);
  EXPECT_EQ(left.mark_begin, 2U);
  const Hit right = first(std::string(500, 'x') + " k=abc");
  EXPECT_EQ(right.frame.size(), Hit::kFrameWidth);
  EXPECT_EQ(right.mark_end, Hit::kFrameWidth);
}

TEST(Frame, HoldsNoSecretWhereverTheTextIsCut) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "k=sesam" + std::to_string(i) + " //user:opens@ ";
  std::size_t found = 0;
  for (std::size_t size = 90; size < 200; ++size) {
    for (const std::size_t reach : {std::size_t{0}, std::size_t{20}}) {
      for (const Hit& hit : judged(keys(), windows_of(text, size, 30, reach)).hits) {
        ++found;
        EXPECT_THAT(hit.frame, Not(HasSubstr("sesam"))) << size;
        EXPECT_THAT(hit.frame, Not(HasSubstr("opens"))) << size;
        EXPECT_EQ(marked(hit), "********");
      }
    }
  }
  EXPECT_EQ(found, 120U * 110U * 2U);
}

}  // namespace
}  // namespace scanner::judge
