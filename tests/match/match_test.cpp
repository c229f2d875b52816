#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scanner/base/hash.h"
#include "scanner/match/database.h"
#include "scanner/match/matcher.h"

namespace scanner::match {
namespace {

using base::Errc;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Rule rule(const std::string& id, const std::string& regex, const std::string& literal) {
  Rule made;
  made.id = id;
  made.regex = regex;
  made.literal = literal;
  made.origin = {"acme.toml", 7};
  return made;
}

RuleSet set_of(std::vector<Rule> rules) {
  RuleSet set;
  set.rules = std::move(rules);
  set.hash = "hash of the rules";
  return set;
}

/// Tokens of fixed width 29, an open-ended rule, and one without fixed text that has a keyword.
RuleSet usual() {
  Rule rare = rule("acme.rare", "[0-9]{3}-[0-9]{4}", "");
  rare.keywords = {"phone"};
  return set_of({rule("acme.token", "acme_[a-z0-9]{24}", "acme_"), rule("acme.open", "open-[a-z]{2,}", "open-"), rare});
}

std::vector<Candidate> find(const Database& database, std::string_view text) {
  auto matcher = Matcher::create(database);
  EXPECT_TRUE(matcher);
  std::vector<Candidate> candidates = {{9, 9, 9, true}};
  Chunk chunk;
  chunk.bytes = text;
  EXPECT_TRUE(matcher->find(chunk, candidates));
  return candidates;
}

const std::string kToken = "acme_0123456789abcdefghijklmn";

TEST(Database, KnowsTheWidthOfItsWidestRule) {
  const auto fixed = Database::compile(set_of({rule("a", "acme_[a-z0-9]{24}", "acme_"), rule("b", "ab{2,5}", "abb")}));
  ASSERT_TRUE(fixed);
  EXPECT_EQ(fixed->width(), 29U);
  EXPECT_EQ(fixed->overlap(), 31U);
  const auto open = Database::compile(usual());
  ASSERT_TRUE(open);
  EXPECT_EQ(open->width(), Database::kUnboundedWidth);
}

TEST(Database, NamesEveryRuleThatCannotBeCompiledWithItsPlace) {
  auto second = rule("acme.second", "b)", "");
  second.origin.line = 12;
  const auto database =
      Database::compile(set_of({rule("acme.first", "a(", "a"), second, rule("acme.good", "good", "good")}));
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code(), Errc::config);
  EXPECT_THAT(database.error().message(), HasSubstr("acme.toml:7: rule acme.first: "));
  EXPECT_THAT(database.error().message(), HasSubstr("\nacme.toml:12: rule acme.second: "));
  EXPECT_THAT(database.error().message(), Not(HasSubstr("acme.good")));
}

TEST(Database, RefusesARegexThatMatchesNothingAtAll) {
  const auto database = Database::compile(set_of({rule("acme.empty", "a*", "")}));
  ASSERT_FALSE(database);
  EXPECT_THAT(database.error().message(), HasSubstr("acme.toml:7: rule acme.empty"));
}

TEST(Database, TakesRulesThatHaveNoRegex) {
  Rule path = rule("acme.path", "", "");
  path.path = "id_rsa$";
  const auto database = Database::compile(set_of({path}));
  ASSERT_TRUE(database);
  EXPECT_THAT(find(*database, "id_rsa"), IsEmpty());
}

TEST(Database, NamesTheLibraryAndItsVersion) {
  EXPECT_TRUE(Database::engine().starts_with("libhs 5.")) << Database::engine();
}

TEST(Database, FindsTheSameAfterItWasWrittenAndRead) {
  const auto compiled = Database::compile(usual());
  ASSERT_TRUE(compiled);
  const auto bytes = compiled->serialize();
  ASSERT_TRUE(bytes);
  const auto read = Database::deserialize(*bytes, usual());
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->width(), compiled->width());
  const std::string text = "phone 123-4567 open-abc " + kToken;
  const auto before = find(*compiled, text);
  const auto after = find(*read, text);
  ASSERT_EQ(before.size(), 3U);
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(std::tie(after[i].rule, after[i].begin, after[i].end),
              std::tie(before[i].rule, before[i].begin, before[i].end));
  }
}

TEST(Database, RefusesBytesThatWereDamagedAnywhere) {
  const std::string bytes = *Database::compile(usual())->serialize();
  for (std::size_t at = 0; at < bytes.size(); at += at < 400 ? 1 : 997) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    const auto read = Database::deserialize(damaged, usual());
    ASSERT_FALSE(read) << "byte " << at;
    ASSERT_EQ(read.error().code(), Errc::corrupt);
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, std::size_t{60}, bytes.size() - 1}) {
    EXPECT_FALSE(Database::deserialize(bytes.substr(0, size), usual()));
  }
  EXPECT_FALSE(Database::deserialize(bytes + "x", usual()));
}

TEST(Database, RefusesBytesOfOtherRules) {
  const std::string bytes = *Database::compile(usual())->serialize();
  RuleSet other = usual();
  other.hash = "another hash";
  EXPECT_EQ(Database::deserialize(bytes, other).error().code(), Errc::corrupt);
  RuleSet fewer = usual();
  fewer.rules.pop_back();
  EXPECT_EQ(Database::deserialize(bytes, fewer).error().code(), Errc::corrupt);
}

/// `bytes` with its header changed and its checksum put right again, as another build of us would have written it.
std::string with_header(std::string bytes, const std::string& from, const std::string& to) {
  const std::size_t magic = bytes.find('\n') + 1;
  const std::size_t at = bytes.find(from);
  EXPECT_NE(at, std::string::npos);
  EXPECT_EQ(from.size(), to.size());
  bytes.replace(at, from.size(), to);
  const base::Sha256 digest = base::sha256(std::string_view(bytes).substr(magic + 32));
  bytes.replace(magic, 32, reinterpret_cast<const char*>(digest.data()), 32);
  return bytes;
}

TEST(Database, RefusesBytesOfAnotherEngineVersion) {
  const std::string bytes = *Database::compile(usual())->serialize();
  ASSERT_TRUE(Database::deserialize(with_header(bytes, "\"engine\":\"5.", "\"engine\":\"5."), usual()));
  const auto other = Database::deserialize(with_header(bytes, "\"engine\":\"5.", "\"engine\":\"4."), usual());
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), Errc::corrupt);
  EXPECT_THAT(other.error().message(), HasSubstr("engine"));
}

TEST(Matcher, OffersAStretchThatHoldsTheMatch) {
  const auto database = Database::compile(usual());
  const auto candidates = find(*database, "x=" + kToken + ".");
  ASSERT_EQ(candidates.size(), 1U);
  EXPECT_EQ(candidates[0].rule, 0U);
  EXPECT_LE(candidates[0].begin, 2U);
  EXPECT_EQ(candidates[0].end, 31U);
  EXPECT_FALSE(candidates[0].unbounded);
}

TEST(Matcher, OffersNothingWhereNothingIs) {
  const auto database = Database::compile(usual());
  EXPECT_THAT(find(*database, "acme_0123456789abcdefghijklm"), IsEmpty());
  EXPECT_THAT(find(*database, ""), IsEmpty());
}

TEST(Matcher, RunsARuleWithoutFixedTextOnlyWhereItsKeywordStands) {
  const auto database = Database::compile(usual());
  EXPECT_THAT(find(*database, "123-4567"), IsEmpty());
  EXPECT_EQ(find(*database, "123-4567 pHoNe").size(), 1U) << "in any case";
  EXPECT_THAT(find(*database, "123-4567 phon"), IsEmpty());
}

TEST(Matcher, AlwaysRunsARuleThatHasNeitherFixedTextNorKeywords) {
  const auto database = Database::compile(set_of({rule("acme.rare", "[0-9]{3}-[0-9]{4}", "")}));
  EXPECT_EQ(find(*database, "123-4567").size(), 1U);
}

TEST(Matcher, TakesKeywordsWithPunctuationLiterally) {
  Rule rare = rule("acme.rare", "[0-9]{3}-[0-9]{4}", "");
  rare.keywords = {"a.b*(c"};
  const auto database = Database::compile(set_of({rare}));
  ASSERT_TRUE(database);
  EXPECT_EQ(find(*database, "123-4567 A.b*(C").size(), 1U);
  EXPECT_THAT(find(*database, "123-4567 axbbb(c"), IsEmpty());
}

TEST(Matcher, MergesNeighboursOfOneRule) {
  const auto database = Database::compile(usual());
  const auto near = find(*database, kToken + kToken);
  ASSERT_EQ(near.size(), 1U);
  EXPECT_EQ(near[0].begin, 0U);
  EXPECT_EQ(near[0].end, 58U);
  EXPECT_EQ(find(*database, kToken + std::string(100, ' ') + kToken).size(), 2U);
}

TEST(Matcher, SaysOfARuleWithoutABoundThatItsMatchMayBeginEarlier) {
  const auto database = Database::compile(usual());
  const auto candidates = find(*database, "open-" + std::string(100'000, 'a'));
  ASSERT_EQ(candidates.size(), 1U) << "100 000 ends are one stretch";
  EXPECT_TRUE(candidates[0].unbounded);
  EXPECT_EQ(candidates[0].begin, 0U);
  EXPECT_EQ(candidates[0].end, 100'005U);
}

TEST(Matcher, StartsAfreshWithEverySearch) {
  const auto database = Database::compile(usual());
  auto matcher = Matcher::create(*database);
  std::vector<Candidate> candidates;
  Chunk chunk;
  for (int i = 0; i < 3; ++i) {
    chunk.bytes = "phone";
    ASSERT_TRUE(matcher->find(chunk, candidates));
    EXPECT_THAT(candidates, IsEmpty());
    chunk.bytes = "123-4567";
    ASSERT_TRUE(matcher->find(chunk, candidates));
    EXPECT_THAT(candidates, IsEmpty()) << "the keyword stood in another window";
    chunk.bytes = kToken;
    ASSERT_TRUE(matcher->find(chunk, candidates));
    EXPECT_EQ(candidates.size(), 1U);
  }
}

/// As the loader fills it in: a word near it, quotes, and 32 characters of a token.
Rule rule_around_a_run() {
  Rule made = rule("acme.key", R"(acme[ =:"]{1,8}([0-9a-f]{32})\b)", "acme");
  made.runs = {Run{32, 12, 0}, Run{32, 12, 0}};
  return made;
}

TEST(Matcher, FindsARuleThatIsOnlySearchedAroundRuns) {
  const auto database = Database::compile(set_of({rule("acme.other", "other-[a-z]{3}", "other"), rule_around_a_run()}));
  ASSERT_TRUE(database);
  const std::string key(32, 'a');
  const std::string text =
      std::string(5000, '.') + "acme: \"" + key + "\" other-abc " + std::string(3000, ' ') + "acme=" + key;
  const auto found = find(*database, text);
  std::vector<std::pair<std::size_t, std::size_t>> places;
  for (const Candidate& one : found) {
    if (one.rule == 1) places.emplace_back(one.begin, one.end);
  }
  EXPECT_THAT(places, testing::UnorderedElementsAre(testing::Pair(4995U, 5039U), testing::Pair(8044U, 8088U)));
  EXPECT_THAT(find(*database, "acme: " + key.substr(1)), IsEmpty());
}

TEST(Database, KeepsWhatIsSearchedAroundRunsWhenItIsStored) {
  const RuleSet rules = set_of({rule_around_a_run()});
  const auto compiled = Database::compile(rules);
  ASSERT_TRUE(compiled);
  const auto stored = Database::deserialize(*compiled->serialize(), rules);
  ASSERT_TRUE(stored);
  EXPECT_EQ(find(*stored, "acme=" + std::string(32, 'b')).size(), 1U);
}

}  // namespace
}  // namespace scanner::match
