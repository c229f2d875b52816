#include "scanner/rules/serialize.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "scanner/base/hash.h"
#include "scanner/rules/loader.h"

namespace scanner::rules {
namespace {

RuleSet full_set() {
  Rule rule;
  rule.id = "acme.token";
  rule.title = "Title \xe2\x80\x93 with bytes";
  rule.description = "Description";
  rule.fix = "Fix";
  rule.docs = "https://acme.example/docs";
  rule.severity = Severity::critical;
  rule.confidence = Confidence::low;
  rule.generic = true;
  rule.skip_report = true;
  rule.regex = R"(\b(acme_[a-z]{9})\b)";
  rule.path = R"(\.env$)";
  rule.literal = "acme_";
  rule.secret_group = 1;
  rule.entropy = 3.5;
  rule.keywords = {"acme", "emca"};
  rule.context = {{"near"}, 3};
  rule.checks = {"crc32-base62"};
  rule.required = {{"acme.id", 5, std::nullopt}, {"acme.other", std::nullopt, 0}};
  rule.tags = {"acme"};
  rule.origin = {"patterns/acme.toml", 12};
  Allowlist list;
  list.description = "Known samples";
  list.condition = Allowlist::Condition::all;
  list.commits = {"abc"};
  list.paths = {"^docs/"};
  list.target = Allowlist::Target::line;
  list.regexes = {"EXAMPLE"};
  list.stopwords = {"sample"};
  rule.allowlists = {list};
  Rule other;
  other.id = "acme.id";
  other.path = "x";
  list.target_rules = {"acme.id"};
  RuleSet set{{rule, other}, {list}, ""};
  set.hash = hash_of(set);
  return set;
}

TEST(Serialize, BringsEveryFieldBackButTheExamples) {
  RuleSet set = full_set();
  set.rules[0].matches = {"an example"};
  const auto back = deserialize(serialize(set));
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->hash, set.hash);
  ASSERT_EQ(back->rules.size(), 2U);
  const Rule& rule = back->rules[0];
  EXPECT_EQ(rule.title, set.rules[0].title);
  EXPECT_EQ(rule.description, "Description");
  EXPECT_EQ(rule.fix, "Fix");
  EXPECT_EQ(rule.docs, "https://acme.example/docs");
  EXPECT_EQ(rule.tags, std::vector<std::string>{"acme"});
  EXPECT_EQ(rule.origin.file, "patterns/acme.toml");
  EXPECT_EQ(rule.origin.line, 12U);
  EXPECT_EQ(rule.allowlists.at(0).description, "Known samples");
  EXPECT_TRUE(rule.matches.empty());
  EXPECT_EQ(serialize(*back), serialize(set));
}

TEST(Serialize, KeepsTheRuleSetOfNoRules) {
  const auto back = deserialize(serialize(RuleSet{}));
  ASSERT_TRUE(back);
  EXPECT_TRUE(back->rules.empty());
}

TEST(Deserialize, RefusesEveryTruncation) {
  const std::string good = serialize(full_set());
  for (std::size_t length = 0; length < good.size(); ++length) {
    const auto result = deserialize(std::string_view(good).substr(0, length));
    ASSERT_FALSE(result) << length;
    EXPECT_EQ(result.error().code(), base::Errc::corrupt);
  }
  EXPECT_FALSE(deserialize(good + '\0'));
}

TEST(Deserialize, RefusesEveryChangedByte) {
  const std::string good = serialize(full_set());
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x21);
    EXPECT_FALSE(deserialize(bad)) << i;
  }
}

/// `payload` under a right header: what a forger would write.
std::string sealed(const std::string& payload) {
  const std::string empty = serialize(RuleSet{});
  const base::Sha256 sum = base::sha256(payload);
  const std::size_t magic = empty.find("2\n") + 2;
  return empty.substr(0, magic) + std::string(sum.begin(), sum.end()) + payload;
}

std::string payload_of(const std::string& stored) {
  return stored.substr(stored.find("2\n") + 2 + sizeof(base::Sha256));
}

TEST(Deserialize, TakesAPayloadUnderARightHeader) {
  EXPECT_TRUE(deserialize(sealed(payload_of(serialize(full_set())))));
}

TEST(Deserialize, SurvivesForgedPayloads) {
  const std::string good = payload_of(serialize(full_set()));
  std::mt19937 random(7);
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  std::size_t refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bad = good;
    for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
      bad[below(bad.size())] = static_cast<char>(static_cast<unsigned char>(below(256)));
    }
    if (below(4) == 0) bad.resize(below(bad.size()));
    const auto result = deserialize(sealed(bad));
    if (!result) {
      ++refused;
      EXPECT_EQ(result.error().code(), base::Errc::corrupt);
    }
  }
  EXPECT_GT(refused, 1'000U);
}

TEST(Deserialize, RefusesNestingThatWouldExhaustTheStack) {
  EXPECT_FALSE(deserialize(sealed(std::string(5'000'000, '\x81'))));
  EXPECT_FALSE(deserialize(sealed(std::string(5'000'000, '\x9f'))));
  EXPECT_FALSE(deserialize(sealed(std::string(5'000'000, '\xa1'))));
}

TEST(Deserialize, RefusesLengthsThatAreNotThere) {
  EXPECT_FALSE(deserialize(sealed("\x9b\xff\xff\xff\xff\xff\xff\xff\xff")));
  EXPECT_FALSE(deserialize(sealed("\x7b\x7f\xff\xff\xff\xff\xff\xff\xff")));
  EXPECT_FALSE(deserialize(sealed("\x82\x9b\x7f\xff\xff\xff\xff\xff\xff\xff\x80")));
}

struct Change {
  const char* name;
  std::function<void(RuleSet&)> apply;
};

class Hash : public testing::TestWithParam<Change> {};
class SameHash : public testing::TestWithParam<Change> {};

TEST_P(Hash, ChangesWithWhatCanChangeAResult) {
  RuleSet set = full_set();
  GetParam().apply(set);
  EXPECT_NE(hash_of(set), full_set().hash);
}

TEST_P(SameHash, StaysWithWhatCannot) {
  RuleSet set = full_set();
  GetParam().apply(set);
  EXPECT_EQ(hash_of(set), full_set().hash);
}

const auto kName = [](const testing::TestParamInfo<Change>& change) { return change.param.name; };

INSTANTIATE_TEST_SUITE_P(
    RuleSet, Hash,
    testing::Values(Change{"id", [](RuleSet& s) { s.rules[0].id += "x"; }},
                    Change{"severity", [](RuleSet& s) { s.rules[0].severity = Severity::low; }},
                    Change{"confidence", [](RuleSet& s) { s.rules[0].confidence = Confidence::high; }},
                    Change{"generic", [](RuleSet& s) { s.rules[0].generic = false; }},
                    Change{"skip_report", [](RuleSet& s) { s.rules[0].skip_report = false; }},
                    Change{"regex", [](RuleSet& s) { s.rules[0].regex += "x"; }},
                    Change{"path", [](RuleSet& s) { s.rules[0].path.clear(); }},
                    Change{"secret_group", [](RuleSet& s) { s.rules[0].secret_group = 0; }},
                    Change{"entropy", [](RuleSet& s) { s.rules[0].entropy = 3.6; }},
                    Change{"keywords", [](RuleSet& s) { s.rules[0].keywords = {"acmeemca"}; }},
                    Change{"context_words", [](RuleSet& s) { s.rules[0].context.words.clear(); }},
                    Change{"context_lines", [](RuleSet& s) { s.rules[0].context.lines = 4; }},
                    Change{"checks", [](RuleSet& s) { s.rules[0].checks.clear(); }},
                    Change{"required", [](RuleSet& s) { s.rules[0].required[0].within_lines = 6; }},
                    Change{"required_none", [](RuleSet& s) { s.rules[0].required[1].within_columns.reset(); }},
                    Change{"allowlist_condition",
                           [](RuleSet& s) { s.rules[0].allowlists[0].condition = Allowlist::Condition::any; }},
                    Change{"allowlist_commits", [](RuleSet& s) { s.rules[0].allowlists[0].commits.clear(); }},
                    Change{"allowlist_paths", [](RuleSet& s) { s.rules[0].allowlists[0].paths.clear(); }},
                    Change{"allowlist_target",
                           [](RuleSet& s) { s.rules[0].allowlists[0].target = Allowlist::Target::match; }},
                    Change{"allowlist_regexes", [](RuleSet& s) { s.rules[0].allowlists[0].regexes.clear(); }},
                    Change{"allowlist_stopwords", [](RuleSet& s) { s.rules[0].allowlists[0].stopwords.clear(); }},
                    Change{"global_allowlists", [](RuleSet& s) { s.allowlists.clear(); }},
                    Change{"target_rules", [](RuleSet& s) { s.allowlists[0].target_rules.clear(); }},
                    Change{"order", [](RuleSet& s) { std::swap(s.rules[0], s.rules[1]); }}),
    kName);

INSTANTIATE_TEST_SUITE_P(RuleSet, SameHash,
                         testing::Values(Change{"title", [](RuleSet& s) { s.rules[0].title = "Other"; }},
                                         Change{"description", [](RuleSet& s) { s.rules[0].description.clear(); }},
                                         Change{"fix", [](RuleSet& s) { s.rules[0].fix.clear(); }},
                                         Change{"docs", [](RuleSet& s) { s.rules[0].docs.clear(); }},
                                         Change{"tags", [](RuleSet& s) { s.rules[0].tags.clear(); }},
                                         Change{"origin",
                                                [](RuleSet& s) {
                                                  s.rules[0].origin = {"elsewhere", 1};
                                                }},
                                         Change{"examples", [](RuleSet& s) { s.rules[0].matches = {"x"}; }},
                                         Change{"allowlist_description",
                                                [](RuleSet& s) { s.allowlists[0].description.clear(); }}),
                         kName);

}  // namespace
}  // namespace scanner::rules
