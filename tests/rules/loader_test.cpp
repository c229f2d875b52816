#include "scanner/rules/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

namespace scanner::rules {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr std::string_view kTroublesome = "\"'[]{}()=\\,.*+?|^$\n#x0-\xff";

LoadOptions options(const RuleSet* builtin = nullptr) {
  return {[](std::string_view name) { return name == "crc32-base62"; }, builtin};
}

Loaded loaded(std::string_view toml, const RuleSet* builtin = nullptr) {
  auto result = load_text(toml, "rules.toml", options(builtin));
  EXPECT_TRUE(result) << result.error().message();
  return result ? *result : Loaded{};
}

std::vector<std::string> warnings(const Loaded& loaded) {
  std::vector<std::string> texts;
  texts.reserve(loaded.warnings.size());
  for (const Problem& problem : loaded.warnings) texts.push_back(to_string(problem));
  return texts;
}

std::string mistakes(std::string_view toml, const RuleSet* builtin = nullptr) {
  const auto result = load_text(toml, "rules.toml", options(builtin));
  if (result) return "none";
  EXPECT_EQ(result.error().code(), base::Errc::config);
  return result.error().message();
}

/// A rule that is right, with `more` in it.
std::string rule_with(const std::string& more) {
  return "[[rules]]\nid = \"acme.token\"\nregex = '''(acme_[a-z]{9})'''\n" + more;
}

RuleSet builtin_rules() {
  return loaded(R"(
[[rules]]
id = "acme.token"
title = "Acme token"
severity = "critical"
confidence = "high"
regex = '''\b(acme_[a-z]{9})\b'''
keywords = ["acme"]
tags = ["one"]
entropy = 2.0
[[rules.allowlists]]
stopwords = ["first"]

[[rules]]
id = "acme.generic-key"
regex = '''key=([a-z]{9})'''

[[allowlists]]
paths = ['''^vendor/''']
)")
      .rules;
}

class Files : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "rulesXXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& name, const std::string& toml) const {
    const std::filesystem::path path = directory_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << toml;
    return path.string();
  }

  std::filesystem::path directory_;
};

TEST(Loader, ReadsEveryKeyOfARule) {
  const Loaded result = loaded(R"(
[[rules]]
id = "acme.token"
title = "Acme API token"
description = "Grants full access."
severity = "critical"
confidence = "high"
regex = '''\b(acme_[0-9A-Za-z]{36})\b'''
path = '''\.env$'''
keywords = ["ACME_", "acme_"]
context = { words = ["Acme"], lines = 3 }
entropy = 3.4
secretGroup = 1
checks = ["crc32-base62"]
fix = "Revoke it."
docs = "https://acme.example/docs"
tags = ["acme"]
generic = true
skipReport = true
matches = ["m"]
near_misses = ["n"]
[[rules.required]]
id = "acme.id"
withinLines = 5
withinColumns = 0
[[rules]]
id = "acme.id"
path = "x"
)");
  EXPECT_THAT(warnings(result), IsEmpty());
  ASSERT_THAT(result.rules.rules, SizeIs(2));
  const Rule& rule = result.rules.rules[0];
  EXPECT_EQ(rule.id, "acme.token");
  EXPECT_EQ(rule.title, "Acme API token");
  EXPECT_EQ(rule.description, "Grants full access.");
  EXPECT_EQ(rule.severity, Severity::critical);
  EXPECT_EQ(rule.confidence, Confidence::high);
  EXPECT_EQ(rule.regex, R"(\b(acme_[0-9A-Za-z]{36})\b)");
  EXPECT_EQ(rule.path, R"(\.env$)");
  EXPECT_EQ(rule.literal, "acme_");
  EXPECT_THAT(rule.keywords, ElementsAre("acme_"));
  EXPECT_THAT(rule.context.words, ElementsAre("acme"));
  EXPECT_EQ(rule.context.lines, 3U);
  EXPECT_EQ(rule.entropy, 3.4);
  EXPECT_EQ(rule.secret_group, 1U);
  EXPECT_THAT(rule.checks, ElementsAre("crc32-base62"));
  EXPECT_EQ(rule.fix, "Revoke it.");
  EXPECT_EQ(rule.docs, "https://acme.example/docs");
  EXPECT_THAT(rule.tags, ElementsAre("acme"));
  EXPECT_TRUE(rule.generic);
  EXPECT_TRUE(rule.skip_report);
  EXPECT_THAT(rule.matches, ElementsAre("m"));
  EXPECT_THAT(rule.near_misses, ElementsAre("n"));
  ASSERT_THAT(rule.required, SizeIs(1));
  EXPECT_EQ(rule.required[0].rule_id, "acme.id");
  EXPECT_EQ(rule.required[0].within_lines, 5U);
  EXPECT_EQ(rule.required[0].within_columns, 0U);
  EXPECT_EQ(rule.origin.file, "rules.toml");
  EXPECT_EQ(rule.origin.line, 2U);
  EXPECT_EQ(result.rules.hash, hash_of(result.rules));
  EXPECT_EQ(result.rules.hash.size(), 64U);
}

TEST(Loader, FillsInWhatARuleForGitleaksLeavesOut) {
  const Loaded result = loaded(R"(
[[rules]]
id = "acme-token"
description = "An Acme token"
regex = '''acme_[a-z]{9}'''
[[rules]]
id = "generic-api-key"
regex = '''apikey=[a-z]{9}'''
)");
  const Rule& named = result.rules.rules[0];
  EXPECT_EQ(named.title, "An Acme token");
  EXPECT_EQ(named.severity, Severity::high);
  EXPECT_EQ(named.confidence, Confidence::medium);
  EXPECT_FALSE(named.generic);
  const Rule& generic = result.rules.rules[1];
  EXPECT_EQ(generic.title, "generic-api-key");
  EXPECT_EQ(generic.severity, Severity::medium);
  EXPECT_EQ(generic.confidence, Confidence::low);
  EXPECT_TRUE(generic.generic);
}

TEST(Loader, TakesARuleThatLooksAtPathsAlone) {
  const Loaded result = loaded("[[rules]]\nid = 'p12'\npath = '''(?i)\\.p12$'''\n");
  EXPECT_EQ(result.rules.rules.at(0).path, R"((?i)\.p12$)");
  EXPECT_EQ(result.rules.rules.at(0).regex, "");
  EXPECT_THAT(warnings(result), IsEmpty());
}

TEST(Loader, ComparesKeysWithoutCase) {
  const Loaded result = loaded(rule_with("secretgroup = 1\nENTROPY = 3\n[[Allowlists]]\nStopWords = ['x']\n"));
  EXPECT_EQ(result.rules.rules.at(0).secret_group, 1U);
  EXPECT_EQ(result.rules.rules.at(0).entropy, 3.0);
  EXPECT_THAT(result.rules.allowlists, SizeIs(1));
  EXPECT_THAT(warnings(result), IsEmpty());
}

TEST(Loader, TranslatesRegexesWhereverTheyStand) {
  const Loaded result = loaded(rule_with(R"(path = '''\Q.env\E'''
[[rules.allowlists]]
regexes = ['''\pL''']
paths = ['''a{,2}''']
)"));
  const Rule& rule = result.rules.rules.at(0);
  EXPECT_EQ(rule.path, R"(\.env)");
  EXPECT_THAT(rule.allowlists.at(0).regexes, ElementsAre(R"([A-Za-z\x80-\xff])"));
  EXPECT_THAT(rule.allowlists.at(0).paths, ElementsAre(R"(a\{,2\})"));
}

TEST(Loader, WarnsOfUnknownKeysAndTakesTheRest) {
  const Loaded result = loaded("minVersion = 'v8.25.0'\nnovel = 1\n" + rule_with("colour = 'red'\n"));
  EXPECT_THAT(result.rules.rules, SizeIs(1));
  EXPECT_THAT(warnings(result),
              ElementsAre("rules.toml:1: minVersion is ignored: it counts versions of gitleaks",
                          "rules.toml:6: rule acme.token: unknown key colour", "rules.toml:2: unknown key novel"));
}

TEST(Loader, IgnoresTheExpressionsOfBetterleaksWithAWarning) {
  const Loaded result = loaded("prefilter = 'x'\n" + rule_with("filter = 'y'\nvalidate = 'z'\n"));
  EXPECT_THAT(warnings(result),
              ElementsAre(HasSubstr("prefilter is ignored"), HasSubstr("rule acme.token: filter is ignored"),
                          HasSubstr("rule acme.token: validate is ignored")));
}

TEST(Loader, WarnsOfARuleThatSlowsEveryScan) {
  const std::string slow = "[[rules]]\nid = 'hex'\nregex = '''[0-9a-f]{40}'''\n";
  EXPECT_THAT(warnings(loaded(slow)), ElementsAre(HasSubstr("rules.toml:3: rule hex: no text of at least 3 bytes")));
  EXPECT_THAT(warnings(loaded(slow + "keywords = ['acme']\n")), IsEmpty());
}

TEST(Loader, IgnoresAnEmptyKeywordWithAWarning) {
  const Loaded result = loaded(rule_with("keywords = ['', 'acme']\n"));
  EXPECT_THAT(result.rules.rules.at(0).keywords, ElementsAre("acme"));
  EXPECT_THAT(warnings(result), ElementsAre("rules.toml:4: rule acme.token: an empty keyword is ignored"));
}

TEST(LoaderAllowlists, ReadsThoseOfTheSetAndThoseOfARule) {
  const Loaded result = loaded(rule_with(R"([[rules.allowlists]]
description = "d"
condition = "AND"
commits = ["ABCDEF", "abcdef"]
regexTarget = "line"
regexes = ['''x''']
stopwords = ["EXAMPLE"]
[[allowlists]]
condition = "or"
targetRules = ["acme.token"]
paths = ['''^docs/''']
)"));
  EXPECT_THAT(warnings(result), IsEmpty());
  const Allowlist& own = result.rules.rules.at(0).allowlists.at(0);
  EXPECT_EQ(own.description, "d");
  EXPECT_EQ(own.condition, Allowlist::Condition::all);
  EXPECT_EQ(own.target, Allowlist::Target::line);
  EXPECT_THAT(own.commits, ElementsAre("abcdef"));
  EXPECT_THAT(own.stopwords, ElementsAre("example"));
  const Allowlist& global = result.rules.allowlists.at(0);
  EXPECT_EQ(global.condition, Allowlist::Condition::any);
  EXPECT_THAT(global.target_rules, ElementsAre("acme.token"));
}

TEST(LoaderAllowlists, TakesEverySpellingOfACondition) {
  const auto condition = [](const std::string& written) {
    return loaded(rule_with("[rules.allowlist]\npaths = ['x']\ncondition = '" + written + "'\n"))
        .rules.rules.at(0)
        .allowlists.at(0)
        .condition;
  };
  for (const char* all : {"AND", "and", "And", "&&"}) EXPECT_EQ(condition(all), Allowlist::Condition::all) << all;
  for (const char* any : {"OR", "or", "||", ""}) EXPECT_EQ(condition(any), Allowlist::Condition::any) << any;
  EXPECT_EQ(mistakes(rule_with("[rules.allowlist]\npaths = ['x']\ncondition = 'XOR'\n")),
            "rules.toml:6: rule acme.token: condition must be OR or AND");
}

TEST(LoaderAllowlists, TakesEveryRegexTarget) {
  const auto target = [](const std::string& written) {
    return loaded(rule_with("[rules.allowlist]\nregexes = ['x']\nregexTarget = '" + written + "'\n"))
        .rules.rules.at(0)
        .allowlists.at(0)
        .target;
  };
  EXPECT_EQ(target("secret"), Allowlist::Target::secret);
  EXPECT_EQ(target(""), Allowlist::Target::secret);
  EXPECT_EQ(target("match"), Allowlist::Target::match);
  EXPECT_EQ(target("line"), Allowlist::Target::line);
  EXPECT_EQ(mistakes(rule_with("[rules.allowlist]\nregexes = ['x']\nregexTarget = 'file'\n")),
            "rules.toml:6: rule acme.token: regexTarget must be secret, match or line");
}

TEST(LoaderAllowlists, TakesTheOlderSpellingAlone) {
  const Loaded result = loaded(rule_with("[rules.allowlist]\npaths = ['a']\n[allowlist]\npaths = ['b']\n"));
  EXPECT_THAT(result.rules.rules.at(0).allowlists, SizeIs(1));
  EXPECT_THAT(result.rules.allowlists, SizeIs(1));
}

TEST(LoaderAllowlists, RefusesTheOlderSpellingBesideTheNewOne) {
  EXPECT_EQ(mistakes(rule_with("[[rules.allowlists]]\npaths = ['a']\n[rules.allowlist]\npaths = ['b']\n")),
            "rules.toml:6: rule acme.token: allowlist and allowlists cannot stand side by side");
  EXPECT_EQ(mistakes(rule_with("[[allowlists]]\npaths = ['a']\n[allowlist]\npaths = ['b']\n")),
            "rules.toml:6: allowlist and allowlists cannot stand side by side");
}

TEST(LoaderAllowlists, RefusesAnEmptyOne) {
  EXPECT_EQ(mistakes(rule_with("[allowlist]\ndescription = 'x'\n")),
            "rules.toml:4: an allowlist needs at least one of commits, paths, regexes and stopwords");
  EXPECT_EQ(mistakes(rule_with("[[rules.allowlists]]\npaths = []\n")),
            "rules.toml:4: rule acme.token: an allowlist needs at least one of commits, paths, regexes and stopwords");
}

TEST(LoaderAllowlists, RefusesCriteriaThatEverythingMeets) {
  EXPECT_EQ(mistakes(rule_with("[allowlist]\nregexes = ['']\n")),
            "rules.toml:5: regexes has an empty text, which everything contains");
  EXPECT_EQ(mistakes(rule_with("[allowlist]\nstopwords = ['x', '']\n")),
            "rules.toml:5: stopwords has an empty text, which everything contains");
}

TEST(LoaderAllowlists, RefusesATargetThatIsNoRule) {
  EXPECT_EQ(mistakes(rule_with("[[allowlists]]\npaths = ['x']\ntargetRules = ['acme.tokn']\n")),
            "rules.toml:4: targetRules names acme.tokn, which is no rule");
}

TEST(LoaderMistakes, AreAllReportedAtOnceEachWithItsPlace) {
  EXPECT_EQ(mistakes(R"([[rules]]
id = "a"
regex = '''a(?=b)'''
severity = "urgent"

[[rules]]
id = "b"
regex = '''(b)'''
secretGroup = 3
checks = ["crc99"]
confidence = "sure"
entropy = 9

[[rules]]
regex = '''c'''

[[rules]]
id = "d"

[[rules]]
id = "e"
regex = '''x*'''
keywords = "one"
[[rules.required]]
id = "nobody"
[[rules.required]]
id = "e"
[[rules.required]]
withinLines = -1
)"),
            R"(rules.toml:3: rule a: regex: look-around does not exist here, at byte 1
rules.toml:4: rule a: severity must be critical, high, medium or low
rules.toml:11: rule b: confidence must be high, medium or low
rules.toml:12: rule b: entropy must be a number from 0 to 8
rules.toml:14: a rule without id
rules.toml:23: rule e: keywords must be a list of texts
rules.toml:28: rule e: required has no id
rules.toml:29: rule e: withinLines must be a whole number from 0 to 1000000
rules.toml:17: rule d: needs a regex or a path
rules.toml:10: rule b: there is no check crc99
rules.toml:9: rule b: secretGroup is 3, but the regex has 1 group
rules.toml:22: rule e: the regex matches the empty text
rules.toml:24: rule e: requires nobody, which is no rule
rules.toml:24: rule e: a rule cannot require itself)");
}

TEST(LoaderMistakes, ASecondRuleOfTheSameId) {
  EXPECT_EQ(mistakes(rule_with("") + rule_with("")), "rules.toml:4: rule acme.token: the id is taken by rules.toml:1");
}

TEST(LoaderMistakes, AFileThatIsNoToml) {
  EXPECT_THAT(mistakes("[[rules]]\nid = \n"), HasSubstr("rules.toml:2: not TOML: "));
  EXPECT_THAT(mistakes("[[[a]]]\n"), HasSubstr("rules.toml: not TOML"));
}

TEST(LoaderMistakes, AnythingThatIsNotOfItsType) {
  EXPECT_EQ(mistakes("[[rules]]\nid = 'a'\nregex = 5\n"), "rules.toml:3: rule a: regex must be a text");
  EXPECT_EQ(mistakes("rules = 5\n"), "rules.toml:1: rules must be a list of tables: [[rules]]");
  EXPECT_EQ(mistakes("rules = [5]\n"), "rules.toml:1: rules must be a list of tables");
  EXPECT_EQ(mistakes(rule_with("generic = 'yes'\n")), "rules.toml:4: rule acme.token: generic must be true or false");
  EXPECT_EQ(mistakes(rule_with("[rules.required]\nid = 'x'\n")),
            "rules.toml:4: rule acme.token: required must be a list of tables: [[required]]");
  EXPECT_EQ(mistakes(rule_with("context = { lines = 3 }\n")), "rules.toml:4: rule acme.token: context has no words");
}

TEST(LoaderMistakes, AFileWithoutRules) {
  EXPECT_THAT(mistakes("title = 'x'\n"), HasSubstr("no rules"));
  EXPECT_FALSE(load_files({}, options()));
}

TEST(LoaderMistakes, AnIdThatWouldSpoilAReport) {
  EXPECT_THAT(mistakes("[[rules]]\nid = \"a\\nb\"\npath = 'x'\n"), HasSubstr("control characters"));
}

TEST(LoaderExtend, AppendsListsAndOverridesTheRest) {
  const RuleSet builtin = builtin_rules();
  const Loaded result = loaded(R"([extend]
useDefault = true
[[rules]]
id = "acme.token"
description = "Ours"
regex = '''\b(ACME_[a-z]{9})\b'''
keywords = ["extra"]
tags = ["two", "one"]
[[rules.allowlists]]
stopwords = ["second"]
[[rules]]
id = "own"
regex = '''own_[a-z]{9}'''
[[allowlists]]
paths = ['''^mine/''']
)",
                               &builtin);
  EXPECT_THAT(warnings(result), IsEmpty());
  ASSERT_THAT(result.rules.rules, SizeIs(3));
  const Rule& rule = result.rules.rules[0];
  EXPECT_EQ(rule.id, "acme.token");
  EXPECT_EQ(rule.title, "Acme token");
  EXPECT_EQ(rule.description, "Ours");
  EXPECT_EQ(rule.severity, Severity::critical);
  EXPECT_EQ(rule.confidence, Confidence::high);
  EXPECT_EQ(rule.entropy, 2.0);
  EXPECT_EQ(rule.regex, R"(\b(ACME_[a-z]{9})\b)");
  EXPECT_THAT(rule.keywords, ElementsAre("acme", "extra"));
  EXPECT_THAT(rule.tags, ElementsAre("one", "two"));
  ASSERT_THAT(rule.allowlists, SizeIs(2));
  EXPECT_THAT(rule.allowlists[1].stopwords, ElementsAre("second"));
  EXPECT_EQ(rule.origin.line, 3U);
  EXPECT_EQ(result.rules.rules[1].confidence, Confidence::low);
  EXPECT_EQ(result.rules.rules[2].id, "own");
  ASSERT_THAT(result.rules.allowlists, SizeIs(2));
  EXPECT_THAT(result.rules.allowlists[1].paths, ElementsAre("^mine/"));
}

TEST(LoaderExtend, LeavesOutDisabledRulesAndWarnsOfUnknownOnes) {
  const RuleSet builtin = builtin_rules();
  const Loaded result = loaded("[extend]\nuseDefault = true\ndisabledRules = ['acme.token', 'acme.tokn']\n", &builtin);
  ASSERT_THAT(result.rules.rules, SizeIs(1));
  EXPECT_EQ(result.rules.rules[0].id, "acme.generic-key");
  EXPECT_THAT(warnings(result), ElementsAre("rules.toml:1: disabledRules names acme.tokn, which is not among the rules "
                                            "that are extended"));
}

TEST(LoaderExtend, TakesChangesToRulesThatAreNotBuiltInWithAWarning) {
  const RuleSet builtin = builtin_rules();
  const Loaded result = loaded(R"([extend]
useDefault = true
[[rules]]
id = "generic-api-key"
[[rules.allowlists]]
stopwords = ["x"]
[[allowlists]]
targetRules = ["generic-api-key"]
paths = ['''.''']
)",
                               &builtin);
  EXPECT_THAT(result.rules.rules, SizeIs(2));
  EXPECT_THAT(result.rules.allowlists, SizeIs(1)) << "a list without its targets must not become one for all rules";
  EXPECT_THAT(warnings(result),
              ElementsAre("rules.toml:3: rule generic-api-key: changes a rule that is not built in: ignored",
                          "rules.toml:7: targetRules names generic-api-key, which is no rule"));
}

TEST(LoaderExtend, RefusesASecretGroupThatTheNewRegexHasNot) {
  const RuleSet builtin = builtin_rules();
  EXPECT_EQ(mistakes("[extend]\nuseDefault = true\n[[rules]]\nid = 'acme.token'\nsecretGroup = 2\n", &builtin),
            "rules.toml:5: rule acme.token: secretGroup is 2, but the regex has 1 group");
}

TEST(LoaderExtend, RefusesPathAndDefaultTogether) {
  const RuleSet builtin = builtin_rules();
  EXPECT_THAT(mistakes("[extend]\nuseDefault = true\npath = 'x.toml'\n", &builtin),
              HasSubstr("rules.toml:1: extend has path and useDefault"));
}

TEST(LoaderExtend, RefusesBuiltInRulesThatAreNotThere) {
  EXPECT_THAT(mistakes("[extend]\nuseDefault = true\n"), HasSubstr("rules.toml:1: there are no built-in rules"));
}

TEST(LoaderExtend, FetchesNothing) {
  const Loaded result = loaded("[extend]\nurl = 'https://rules.example/x.toml'\n" + rule_with(""));
  EXPECT_THAT(warnings(result), ElementsAre("rules.toml:2: url is ignored: rules are not fetched"));
}

TEST_F(Files, ExtendAnotherThatIsNamedFromWhereTheyStand) {
  write("shared/base.toml", rule_with("entropy = 1.5\n"));
  const std::string top = write("team/top.toml",
                                "[extend]\npath = '../shared/base.toml'\n[[rules]]\nid = "
                                "'acme.token'\nentropy = 2.5\n");
  const auto result = load_files({top}, options());
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_EQ(result->rules.rules.at(0).entropy, 2.5);
  EXPECT_EQ(result->rules.rules.at(0).regex, "(acme_[a-z]{9})");
}

TEST_F(Files, AreExtendedTwoDeepAndNoFurther) {
  write("c.toml", "[extend]\npath = 'd.toml'\n[[rules]]\nid = 'c'\npath = 'c'\n");
  write("b.toml", "[extend]\npath = 'c.toml'\n[[rules]]\nid = 'b'\npath = 'b'\n");
  const std::string top = write("a.toml", "[extend]\npath = 'b.toml'\n[[rules]]\nid = 'a'\npath = 'a'\n");
  const auto result = load_files({top}, options());
  ASSERT_TRUE(result) << result.error().message();
  ASSERT_THAT(result->rules.rules, SizeIs(3));
  EXPECT_EQ(result->rules.rules[0].id, "c");
  EXPECT_EQ(result->rules.rules[2].id, "a");
  EXPECT_THAT(warnings(*result), ElementsAre(HasSubstr("c.toml:1: extend is not followed further than 2 files")));
}

TEST_F(Files, CannotExtendThemselves) {
  const std::string top = write("a.toml", "[extend]\npath = './a.toml'\n[[rules]]\nid = 'a'\npath = 'a'\n");
  const auto result = load_files({top}, options());
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message(), HasSubstr("a.toml:1: extend leads back to "));
}

TEST_F(Files, ThatAreNotThereAreNamed) {
  const std::string top = write("a.toml", "[extend]\npath = 'gone.toml'\n");
  const auto result = load_files({top, "missing.toml"}, options());
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message(), HasSubstr("a.toml:1: "));
  EXPECT_THAT(result.error().message(), HasSubstr("gone.toml"));
  EXPECT_THAT(result.error().message(), HasSubstr("missing.toml"));
}

TEST_F(Files, MakeOneSetInTheOrderGiven) {
  const std::string one = write("one.toml", "[[rules]]\nid = 'a'\nregex = '''aaaa'''\n[[rules.required]]\nid = 'b'\n");
  const std::string two = write("two.toml",
                                "[[rules]]\nid = 'b'\npath = 'b'\n[[allowlists]]\npaths = ['x']\n"
                                "targetRules = ['a']\n");
  const auto result = load_files({one, two}, options());
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_EQ(result->rules.rules.at(0).id, "a");
  EXPECT_EQ(result->rules.rules.at(1).id, "b");
  EXPECT_THAT(result->rules.allowlists, SizeIs(1));
}

TEST_F(Files, CannotHaveARuleOfTheSameId) {
  const std::string one = write("one.toml", rule_with(""));
  const std::string two = write("two.toml", "\n" + rule_with(""));
  const auto result = load_files({one, two}, options());
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message(), HasSubstr("two.toml:2: rule acme.token: the id is taken by "));
}

TEST_F(Files, ThatExtendTheSameOneCountItsRulesOnce) {
  write("base.toml", rule_with("[[allowlists]]\npaths = ['x']\n"));
  const std::string one = write("one.toml", "[extend]\npath = 'base.toml'\n[[rules]]\nid = 'a'\npath = 'a'\n");
  const std::string two = write("two.toml", "[extend]\npath = 'base.toml'\n[[rules]]\nid = 'b'\npath = 'b'\n");
  const auto result = load_files({one, two}, options());
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_THAT(result->rules.rules, SizeIs(3));
  EXPECT_THAT(result->rules.allowlists, SizeIs(1));
}

TEST_F(Files, ReportTheMistakesOfAllOfThem) {
  const std::string one = write("one.toml", "[[rules]]\nid = 'a'\nregex = '''('''\n");
  const std::string two = write("two.toml", "rules = 1\n");
  const auto result = load_files({one, two}, options());
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message(), HasSubstr("one.toml:3: rule a: regex: a group without its )"));
  EXPECT_THAT(result.error().message(), HasSubstr("two.toml:1: rules must be"));
}

TEST(Loader, SurvivesEveryMutationOfAFile) {
  const RuleSet builtin = builtin_rules();
  const std::string good = "[extend]\nuseDefault = true\n" + rule_with(R"(keywords = ["a"]
context = { words = ["b"], lines = 2 }
[[rules.required]]
id = "own"
[[rules.allowlists]]
regexes = ['''[[:alnum:]]\x{2019}''']
[[rules]]
id = "own"
path = '''(?i)x|y{2,3}'''
)");
  std::mt19937 random(11);
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  std::size_t taken = 0;
  for (int round = 0; round < 5'000; ++round) {
    std::string text = good;
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
      text[below(text.size())] = kTroublesome[below(kTroublesome.size())];
    }
    const auto result = load_text(text, "rules.toml", options(&builtin));
    if (result) {
      ++taken;
    } else {
      EXPECT_THAT(result.error().message(), Not(IsEmpty()));
    }
  }
  EXPECT_GT(taken, 50U);
}

}  // namespace
}  // namespace scanner::rules
