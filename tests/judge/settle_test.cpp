// What needs all hits of an entry: companions, rules that give way.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/judge/judging.h"

namespace scanner::judge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

RuleSet pair_of(Required required) {
  Rule key = rule("key", "key=([a-z]+)");
  key.required = {std::move(required)};
  return set_of({key, rule("id", "id=([a-z]+)")});
}

TEST(Companions, MustBeThere) {
  const auto rules = pair_of({"id", {}, {}});
  EXPECT_THAT(secrets(rules, "key=abc"), IsEmpty());
  EXPECT_THAT(secrets(rules, "key=abc\n\n\nid=x"), ElementsAre("abc", "x"));
}

TEST(Companions, MustBeWithinLines) {
  const auto rules = pair_of({"id", 2, {}});
  EXPECT_THAT(secrets(rules, "key=abc\n\nid=x"), ElementsAre("abc", "x"));
  EXPECT_THAT(secrets(rules, "id=x\n\nkey=abc"), ElementsAre("x", "abc"));
  EXPECT_THAT(secrets(rules, "key=abc\n\n\nid=x"), ElementsAre("x"));
  EXPECT_THAT(secrets(rules, "id=x\n\n\nkey=abc"), ElementsAre("x"));
}

TEST(Companions, MustBeWithinColumns) {
  const auto rules = pair_of({"id", 0, 10});
  EXPECT_THAT(secrets(rules, "key=abc   id=x"), ElementsAre("abc", "x"));
  EXPECT_THAT(secrets(rules, "key=abc         id=x"), ElementsAre("x"));
}

TEST(Companions, AreFoundAmongWindowsAndRulesThatAreNotReported) {
  RuleSet rules = pair_of({"id", {}, {}});
  rules.rules[1].skip_report = true;
  const std::string text = "key=abc" + std::string(2000, ' ') + "id=x";
  EXPECT_THAT(secrets(rules, text), ElementsAre("abc"));
  EXPECT_EQ(judged(rules, windows_of(text, 300, 50, 0)).hits.size(), 1U);
}

TEST(Companions, MustAllBeThere) {
  RuleSet rules = pair_of({"id", {}, {}});
  rules.rules.push_back(rule("host", "host=([a-z]+)"));
  rules.rules[0].required.push_back({"host", {}, {}});
  EXPECT_THAT(secrets(rules, "key=abc id=x"), ElementsAre("x"));
  EXPECT_THAT(secrets(rules, "key=abc id=x host=y"), ElementsAre("abc", "x", "y"));
}

TEST(Companions, AreNotReportedWhenTheirRuleSaysSo) {
  Rule quiet = rule("quiet", "q=([a-z]+)");
  quiet.skip_report = true;
  EXPECT_THAT(secrets(set_of({quiet}), "q=abc"), IsEmpty());
}

RuleSet generic_and_named() {
  Rule generic = rule("generic", "password=([a-z0-9_]+)");
  generic.generic = true;
  return set_of({generic, rule("named", "acme_([a-z0-9]+)")});
}

std::vector<std::uint32_t> rules_of(const Verdict& verdict) {
  std::vector<std::uint32_t> found;
  found.reserve(verdict.hits.size());
  for (const Hit& hit : verdict.hits) found.push_back(hit.rule);
  return found;
}

TEST(GenericRules, GiveWayToANamedRuleThatOverlaps) {
  EXPECT_THAT(rules_of(judged(generic_and_named(), "password=acme_0123\npassword=other")), ElementsAre(1, 0));
}

TEST(GenericRules, GiveWayToANamedSecretOnTheLineThatContainsTheirs) {
  EXPECT_THAT(rules_of(judged(generic_and_named(), "acme_0123; password=0123")), ElementsAre(1));
  EXPECT_THAT(rules_of(judged(generic_and_named(), "password=123; acme_01234")), ElementsAre(1));
  EXPECT_THAT(rules_of(judged(generic_and_named(), "acme_0123\npassword=0123")), ElementsAre(1, 0));
  EXPECT_THAT(rules_of(judged(generic_and_named(), "acme_0123; password=01234")), ElementsAre(1, 0));
}

TEST(GenericRules, GiveWayAcrossWindows) {
  const std::string text = std::string(130, '.') + "password=acme_0123" + std::string(200, '.');
  for (std::size_t size = 110; size < 150; ++size) {
    EXPECT_THAT(rules_of(judged(generic_and_named(), windows_of(text, size, 40, 0))), ElementsAre(1)) << size;
  }
}

TEST(GenericRules, KeepWhatTheNamedRuleDoesNotReport) {
  RuleSet rules = generic_and_named();
  rules.rules[1].skip_report = true;
  EXPECT_THAT(rules_of(judged(rules, "password=acme_0123")), ElementsAre(0));
  rules = generic_and_named();
  rules.rules.push_back(rule("id", "id=([a-z]+)"));
  rules.rules[1].required = {{"id", {}, {}}};
  EXPECT_THAT(rules_of(judged(rules, "password=acme_0123")), ElementsAre(0));
  EXPECT_THAT(rules_of(judged(rules, "password=acme_0123 id=x")), ElementsAre(1, 2));
  EXPECT_THAT(rules_of(judged(rules, "acme_0123; password=0123")), ElementsAre(0));
  EXPECT_THAT(rules_of(judged(rules, "acme_0123; password=0123 id=x")), ElementsAre(1, 2));
}

TEST(GenericRules, GiveWayToAHitThatACommentSuppresses) {
  const auto verdict = judged(generic_and_named(), "password=acme_0123 # gitleaks:allow=named");
  EXPECT_THAT(verdict.hits, IsEmpty());
  EXPECT_EQ(verdict.ignored, 1U);
}

TEST(GenericRules, DoNotGiveWayToOneAnother) {
  RuleSet rules = generic_and_named();
  rules.rules[1].generic = true;
  EXPECT_THAT(rules_of(judged(rules, "password=acme_0123")), ElementsAre(0, 1));
}

}  // namespace
}  // namespace scanner::judge
