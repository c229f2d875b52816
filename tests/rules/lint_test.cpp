#include "scanner/rules/lint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace scanner::rules {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Rule good_rule() {
  Rule rule;
  rule.id = "acme.api-token";
  rule.title = "Acme API token";
  rule.fix = "Revoke it.";
  rule.regex = R"(\b(acme_[0-9A-Za-z]{36})\b)";
  rule.matches = {"an example"};
  rule.near_misses = {"another"};
  rule.origin = {"patterns/acme.toml", 3};
  return rule;
}

std::vector<std::string> remarks(const Rule& rule) {
  std::vector<std::string> messages;
  for (const Problem& problem : lint(rule)) messages.push_back(problem.message);
  return messages;
}

TEST(Lint, HasNothingToSayAboutAGoodRule) { EXPECT_THAT(remarks(good_rule()), IsEmpty()); }

TEST(Lint, NamesFileLineAndRule) {
  Rule rule = good_rule();
  rule.fix.clear();
  const auto problems = lint(rule);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(to_string(problems[0]),
            "patterns/acme.toml:3: rule acme.api-token: fix is missing: say what to do about a finding");
}

struct Row {
  const char* name;
  std::function<void(Rule&)> spoil;
  const char* remark;
};

class Remarks : public testing::TestWithParam<Row> {};

TEST_P(Remarks, OnOneFaultWithOneSentence) {
  Rule rule = good_rule();
  GetParam().spoil(rule);
  EXPECT_THAT(remarks(rule), ElementsAre(HasSubstr(GetParam().remark)));
}

INSTANTIATE_TEST_SUITE_P(
    Lint, Remarks,
    testing::Values(Row{"short_literal", [](Rule& r) { r.regex = R"(\b(ac[0-9A-Za-z]{36})\b)"; }, "(best: 2)"},
                    Row{"weak_branch", [](Rule& r) { r.regex = R"(\b((?:acme|a)[0-9A-Z]{36})\b)"; }, "(best: 1)"},
                    Row{"short_keyword",
                        [](Rule& r) {
                          r.regex = R"(\b([0-9a-f]{40})\b)";
                          r.keywords = {"acme", "api"};
                        },
                        "no keywords of at least 4 bytes"},
                    Row{"unbounded", [](Rule& r) { r.regex = R"(\b(acme_[a-z]+)\b)"; }, "no upper bound"},
                    Row{"wide", [](Rule& r) { r.regex = R"(\b(acme_[a-z]{20000})\b)"; }, "20005 bytes wide"},
                    Row{"leading_optional", [](Rule& r) { r.regex = R"([a-z]{0,9}(acme_[a-z]{9})\b)"; },
                        "may be empty"},
                    Row{"no_terminator", [](Rule& r) { r.regex = R"(\b(acme_[a-z]{9}))"; }, "no terminator"},
                    Row{"no_group", [](Rule& r) { r.regex = R"(\bacme_[a-z]{9}\b)"; }, "0 capturing groups"},
                    Row{"two_groups", [](Rule& r) { r.regex = R"(\b(acme)_([a-z]{9})\b)"; }, "2 capturing groups"},
                    Row{"bad_regex", [](Rule& r) { r.regex = "acme(?=x)"; }, "look-around"},
                    Row{"id_without_issuer", [](Rule& r) { r.id = "token"; }, "<issuer>.<kind>"},
                    Row{"id_in_upper_case", [](Rule& r) { r.id = "Acme.token"; }, "<issuer>.<kind>"},
                    Row{"no_title", [](Rule& r) { r.title = r.id; }, "title is missing"},
                    Row{"no_match", [](Rule& r) { r.matches.clear(); }, "matches is empty"},
                    Row{"no_near_miss", [](Rule& r) { r.near_misses.clear(); }, "near_misses is empty"}),
    [](const testing::TestParamInfo<Row>& row) { return row.param.name; });

TEST(Lint, TakesLongKeywordsForALiteral) {
  Rule rule = good_rule();
  rule.regex = R"(\b([0-9a-f]{40})\b)";
  rule.keywords = {"acme"};
  EXPECT_THAT(remarks(rule), IsEmpty());
}

TEST(Lint, AsksNoRegexOfARuleForPaths) {
  Rule rule = good_rule();
  rule.regex.clear();
  rule.path = R"(\.p12$)";
  EXPECT_THAT(remarks(rule), IsEmpty());
}

}  // namespace
}  // namespace scanner::rules
