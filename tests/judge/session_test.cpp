#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "scanner/base/hash.h"
#include "tests/judge/judging.h"

namespace scanner::judge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Rule token() { return rule("acme.token", R"(acme_([a-z0-9]{8,32})\b)"); }

TEST(Judge, NamesRuleAndOriginOfAnUnknownCheck) {
  Rule bad = token();
  bad.checks = {"no-such-check"};
  const auto rules = set_of({bad});
  const auto judge = Judge::create(rules, {});
  ASSERT_FALSE(judge);
  EXPECT_EQ(judge.error().code(), base::Errc::config);
  EXPECT_EQ(judge.error().message(), "rules.toml:7: rule acme.token: no check is called no-such-check");
}

TEST(Judge, NamesTheCompanionThatDoesNotExist) {
  Rule bad = token();
  bad.required = {{"acme.id", {}, {}}};
  const auto rules = set_of({bad});
  const auto judge = Judge::create(rules, {});
  ASSERT_FALSE(judge);
  EXPECT_THAT(judge.error().message(), HasSubstr("requires rule acme.id"));
}

TEST(Judge, ReportsEveryRegexThatDoesNotCompile) {
  Rule first = rule("first", "a(");
  first.path = "b)";
  Rule second = rule("second", "(a)");
  second.secret_group = 2;
  Allowlist own;
  own.paths = {"["};
  second.allowlists = {own};
  RuleSet rules = set_of({first, second, token()});
  Allowlist global;
  global.description = "samples";
  global.regexes = {"x{2,1}"};
  rules.allowlists = {global};
  const auto judge = Judge::create(rules, {});
  ASSERT_TRUE(judge);
  const auto done = judge->compile_all();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), base::Errc::config);
  const std::string& message = done.error().message();
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 4);
  EXPECT_THAT(message, HasSubstr("rules.toml:7: rule first: regex: "));
  EXPECT_THAT(message, HasSubstr("rule first: path: "));
  EXPECT_THAT(message, HasSubstr("rule second: regex: group 2"));
  EXPECT_THAT(message, HasSubstr("rule second: path of an allowlist: "));
  EXPECT_THAT(message, HasSubstr("global allowlist \"samples\": regex of an allowlist: "));
}

TEST(Judge, SaysNothingWhenEveryRegexCompiles) {
  const auto rules = set_of({token()});
  EXPECT_TRUE(Judge::create(rules, {})->compile_all());
}

TEST(Session, FindsTheGroupAndNothingWhereThereIsNoMatch) {
  const auto rules = set_of({token()});
  EXPECT_THAT(secrets(rules, "x acme_01234567 acme_short y acme_abcdefghi"), ElementsAre("01234567", "abcdefghi"));
  EXPECT_THAT(secrets(rules, "nothing"), IsEmpty());
  EXPECT_THAT(secrets(rules, ""), IsEmpty());
}

TEST(Session, ChoosesTheGroupThatTheRuleNamesElseTheFirstThatIsNotEmpty) {
  Rule named = rule("named", "(k)=([a-z]*)");
  EXPECT_THAT(secrets(set_of({named}), "k=abc"), ElementsAre("k"));
  named.secret_group = 2;
  EXPECT_THAT(secrets(set_of({named}), "k=abc"), ElementsAre("abc"));
  EXPECT_THAT(secrets(set_of({rule("first", "k=(x*)(?:\"([a-z]+)\"|([a-z]+))")}), "k=\"ab\" k=cd"),
              ElementsAre("ab", "cd"));
  EXPECT_THAT(secrets(set_of({rule("none", "k=[a-z]+")}), "k=abc"), ElementsAre("k=abc"));
}

TEST(Session, TakesNoLineEndsIntoAWholeMatch) {
  EXPECT_THAT(secrets(set_of({rule("whole", R"(\r?\nk=[a-z]+\r?\n)")}), "\r\nk=abc\r\n"), ElementsAre("k=abc"));
}

TEST(Session, RefusesAnEmptySecret) {
  Rule named = rule("named", "(k)=([a-z]*)");
  named.secret_group = 2;
  EXPECT_THAT(secrets(set_of({named}), "k= k=ab"), ElementsAre("ab"));
}

TEST(Session, LocatesAHit) {
  const std::string text = "one\ntwo acme_0123456789\n";
  const Hit hit = judged(set_of({token()}), text).hits.at(0);
  EXPECT_EQ(hit.offset, 13U);
  EXPECT_EQ(hit.end_offset, 23U);
  EXPECT_EQ(hit.line, 2U);
  EXPECT_EQ(hit.column, 10U);
  EXPECT_EQ(hit.end_line, 2U);
  EXPECT_EQ(hit.end_column, 20U);
}

TEST(Session, LocatesAHitFromWhereItsWindowStands) {
  Chunk chunk;
  chunk.bytes = "\nacme_0123456789";
  chunk.offset = 1000;
  chunk.own_begin = 1;
  chunk.own_end = chunk.bytes.size() + 1;
  chunk.first = false;
  chunk.line = 41;
  chunk.column = 17;
  const Hit hit = judged(set_of({token()}), std::vector{chunk}).hits.at(0);
  EXPECT_EQ(hit.offset, 1006U);
  EXPECT_EQ(hit.line, 42U);
  EXPECT_EQ(hit.column, 6U);
}

TEST(Session, LocatesTheEndOfASecretOfManyLines) {
  const Hit hit = judged(set_of({rule("block", "<([^>]*)>")}), "x <ab\ncd\ne>").hits.at(0);
  EXPECT_EQ(hit.line, 1U);
  EXPECT_EQ(hit.column, 4U);
  EXPECT_EQ(hit.end_line, 3U);
  EXPECT_EQ(hit.end_column, 2U);
}

TEST(Session, OrdersHitsByOffset) {
  const auto rules = set_of({rule("late", "bbb"), rule("early", "aaa")});
  const auto hits = judged(rules, "aaa bbb aaa").hits;
  ASSERT_THAT(hits, SizeIs(3));
  EXPECT_EQ(hits[0].offset, 0U);
  EXPECT_EQ(hits[1].offset, 4U);
  EXPECT_EQ(hits[2].offset, 8U);
}

TEST(Session, NeverOverlapsMatchesOfOneRuleEvenRefusedOnes) {
  Rule strict = rule("strict", "(?:x|k=)([a-z=]{4})");
  strict.allowlists.resize(1);
  strict.allowlists[0].stopwords = {"k="};
  EXPECT_THAT(secrets(set_of({strict}), "xak=bcdef"), IsEmpty());
  EXPECT_THAT(secrets(set_of({strict}), "-ak=bcdef"), ElementsAre("bcde"));
}

// ---- What says no ----

TEST(Session, AsksForEntropyAboveTheRulesBound) {
  Rule entropic = rule("entropic", "k=([a-z]+)");
  entropic.entropy = 2.0;
  EXPECT_THAT(secrets(set_of({entropic}), "k=aaaaaaaa k=abcd k=abcde"), ElementsAre("abcde"));
}

TEST(Session, AsksForAKeywordAnywhereInTheWindowInAnyCase) {
  Rule keyed = rule("keyed", "k=([a-z]+)");
  keyed.keywords = {"acme", "other"};
  EXPECT_THAT(secrets(set_of({keyed}), "k=abc\n\n\nAcMe"), ElementsAre("abc"));
  EXPECT_THAT(secrets(set_of({keyed}), "k=acme"), ElementsAre("acme"));
  EXPECT_THAT(secrets(set_of({keyed}), "k=abc acm e"), IsEmpty());
}

TEST(Session, LooksForKeywordsAnewInEachWindow) {
  Rule keyed = rule("keyed", "k=([a-z]+);");
  keyed.keywords = {"acme"};
  const std::string text = "acme k=aaa; " + std::string(60, '.') + " k=bbb; " + std::string(60, '.') + "acme k=ccc;";
  const auto windows = windows_of(text, 60, 10, 0);
  const auto hits = judged(set_of({keyed}), windows).hits;
  ASSERT_THAT(hits, SizeIs(2));
  EXPECT_EQ(hits[0].offset, 7U);
  EXPECT_EQ(hits[1].offset, text.size() - 4);
}

TEST(Session, AsksForAContextWordOnTheSameLine) {
  Rule near = rule("near", "k=([a-z]+)");
  near.context.words = {"acme"};
  EXPECT_THAT(secrets(set_of({near}), "# Acme\nk=abc"), IsEmpty());
  EXPECT_THAT(secrets(set_of({near}), "k=abc # Acme"), ElementsAre("abc"));
}

TEST(Session, AsksForAContextWordWithinLines) {
  Rule near = rule("near", "k=([a-z]+)");
  near.context.words = {"acme"};
  near.context.lines = 2;
  EXPECT_THAT(secrets(set_of({near}), "acme\n\nk=abc\n"), ElementsAre("abc"));
  EXPECT_THAT(secrets(set_of({near}), "k=abc\n\nacme"), ElementsAre("abc"));
  EXPECT_THAT(secrets(set_of({near}), "acme\n\n\nk=abc\n\n\nacme"), IsEmpty());
}

TEST(Session, LooksNoFurtherForContextThanItsReach) {
  Rule near = rule("near", "k=([a-z]+)");
  near.context.words = {"acme"};
  EXPECT_THAT(secrets(set_of({near}), "acme" + std::string(kReach - 4, ' ') + "k=abc"), ElementsAre("abc"));
  EXPECT_THAT(secrets(set_of({near}), "acme" + std::string(kReach - 3, ' ') + "k=abc"), IsEmpty());
}

TEST(Session, SeesTheSameContextHoweverTheTextIsCut) {
  Rule near = rule("near", "k=([a-z]+)\\b");
  near.context.words = {"acme"};
  near.context.lines = 3;
  std::string text;
  for (int i = 0; i < 400; ++i) text += (i % 7 == 0 ? "acme\n" : "k=abc 0123456789\n");
  const std::size_t whole = judged(set_of({near}), text).hits.size();
  EXPECT_GT(whole, 100U);
  for (std::size_t size = 2 * kReach + 300; size < 2 * kReach + 330; ++size) {
    EXPECT_EQ(judged(set_of({near}), windows_of(text, size, 200, kReach)).hits.size(), whole) << size;
  }
}

Allowlist stopwords(std::vector<std::string> words) {
  Allowlist list;
  list.stopwords = std::move(words);
  return list;
}

Allowlist regexes(Allowlist::Target target, std::vector<std::string> sources) {
  Allowlist list;
  list.target = target;
  list.regexes = std::move(sources);
  return list;
}

Rule with(Allowlist list) {
  Rule made = rule("k", "k=([a-z]+)");
  made.allowlists = {std::move(list)};
  return made;
}

TEST(Session, AllowsSecretsThatHoldAStopword) {
  EXPECT_THAT(secrets(set_of({with(stopwords({"example"}))}), "k=anexample k=real example"), ElementsAre("real"));
}

TEST(Session, SearchesAllowlistRegexesInTheirTarget) {
  using Target = Allowlist::Target;
  const std::string text = "a k=abc x\nb k=xyz y\n";
  EXPECT_THAT(secrets(set_of({with(regexes(Target::secret, {"^abc$"}))}), text), ElementsAre("xyz"));
  EXPECT_THAT(secrets(set_of({with(regexes(Target::secret, {"k="}))}), text), ElementsAre("abc", "xyz"));
  EXPECT_THAT(secrets(set_of({with(regexes(Target::match, {"^k=x"}))}), text), ElementsAre("abc"));
  EXPECT_THAT(secrets(set_of({with(regexes(Target::line, {"^a .* x$"}))}), text), ElementsAre("xyz"));
  EXPECT_THAT(secrets(set_of({with(regexes(Target::line, {"nowhere", "y$"}))}), text), ElementsAre("abc"));
}

TEST(Session, NeedsEveryCriterionOfAListThatSaysAll) {
  Allowlist list = regexes(Allowlist::Target::secret, {"^a"});
  list.condition = Allowlist::Condition::all;
  list.stopwords = {"test"};
  list.paths = {"^spec/"};
  const auto rules = set_of({with(list)});
  const std::string text = "k=atest k=abc k=test";
  EXPECT_THAT(secrets(rules, text, file("spec/a")), ElementsAre("abc", "test"));
  EXPECT_THAT(secrets(rules, text, file("src/a")), ElementsAre("atest", "abc", "test"));
}

TEST(Session, NeedsOneCriterionOfAListThatSaysAny) {
  Allowlist list = regexes(Allowlist::Target::secret, {"^a"});
  list.stopwords = {"test"};
  list.paths = {"^spec/"};
  list.commits = {"0123456"};
  const auto rules = set_of({with(list)});
  EXPECT_THAT(secrets(rules, "k=abc k=test k=real"), ElementsAre("real"));
  EXPECT_THAT(secrets(rules, "k=abc k=test k=real", file("spec/a")), IsEmpty());
}

TEST(Session, NeverAppliesAListThatNeedsACommit) {
  Allowlist list = stopwords({"abc"});
  list.condition = Allowlist::Condition::all;
  list.commits = {"0123456"};
  EXPECT_THAT(secrets(set_of({with(list)}), "k=abc"), ElementsAre("abc"));
}

TEST(Session, AllowsNothingByAListThatAsksForNothing) {
  Allowlist list;
  list.condition = Allowlist::Condition::all;
  EXPECT_THAT(secrets(set_of({with(list)}), "k=abc"), ElementsAre("abc"));
}

TEST(Session, AppliesGlobalListsToAllRulesOrToTheirTargets) {
  RuleSet rules = set_of({rule("a", "a=([a-z]+)"), rule("b", "b=([a-z]+)")});
  rules.allowlists = {stopwords({"test"})};
  EXPECT_THAT(secrets(rules, "a=test b=test a=real"), ElementsAre("real"));
  rules.allowlists[0].target_rules = {"b"};
  EXPECT_THAT(secrets(rules, "a=test b=test"), ElementsAre("test"));
  EXPECT_EQ(judged(rules, "a=test b=test").hits.at(0).rule, 0U);
}

TEST(Session, KeepsASecretWhoseAllowlistCannotBeDecided) {
  const auto rules = set_of({with(regexes(Allowlist::Target::secret, {"(?:a|aa)+b"}))});
  EXPECT_THAT(secrets(rules, "k=" + std::string(100, 'a') + "cbx"), SizeIs(1));
}

// ---- Paths ----

TEST(Session, AppliesARuleWithAPathToSuchFilesOnly) {
  Rule in_env = token();
  in_env.path = R"((?:^|/)\.env$)";
  const auto rules = set_of({in_env});
  EXPECT_THAT(secrets(rules, "acme_01234567", file("srv/.env")), SizeIs(1));
  EXPECT_THAT(secrets(rules, "acme_01234567", file("srv/env")), IsEmpty());
  Entry variable = file("srv/.env");
  variable.kind = Kind::env;
  EXPECT_THAT(secrets(rules, "acme_01234567", variable), IsEmpty());
}

TEST(Session, SearchesThePathWithItsMembersAndTheInnermostAlone) {
  Rule by_path = token();
  Entry member = file("a.zip");
  member.inner = {"b.jar", "conf/.env"};
  by_path.path = R"(^a\.zip!b\.jar!conf)";
  EXPECT_THAT(secrets(set_of({by_path}), "acme_01234567", member), SizeIs(1));
  by_path.path = "^conf/";
  EXPECT_THAT(secrets(set_of({by_path}), "acme_01234567", member), SizeIs(1));
  by_path.path = "^b";
  EXPECT_THAT(secrets(set_of({by_path}), "acme_01234567", member), IsEmpty());
}

TEST(Session, ExcludesAnEntryByAGlobalPath) {
  RuleSet rules = set_of({token()});
  rules.allowlists.resize(1);
  rules.allowlists[0].paths = {"^vendor/"};
  const auto judge = Judge::create(rules, {});
  Session session(*judge);
  EXPECT_EQ(session.begin(file("vendor/a")), Interest::excluded);
  EXPECT_TRUE(session.finish().hits.empty());
  EXPECT_EQ(session.begin(file("src/a")), Interest::search);
  Entry label = file("vendor/a");
  label.kind = Kind::label;
  EXPECT_EQ(session.begin(label), Interest::search);
}

TEST(Session, ExcludesNoEntryByAPathThatIsForSomeRulesOrNeedsMore) {
  RuleSet rules = set_of({token(), rule("other", "k=([a-z]+)")});
  rules.allowlists.resize(1);
  rules.allowlists[0].paths = {"^vendor/"};
  rules.allowlists[0].target_rules = {"acme.token"};
  EXPECT_THAT(secrets(rules, "acme_01234567 k=abc", file("vendor/a")), ElementsAre("abc"));
  rules.allowlists[0].target_rules = {};
  rules.allowlists[0].condition = Allowlist::Condition::all;
  rules.allowlists[0].stopwords = {"abc"};
  EXPECT_THAT(secrets(rules, "acme_01234567 k=abc", file("vendor/a")), ElementsAre("01234567"));
}

TEST(Session, FindsAFileByItsPathAlone) {
  Rule by_path = rule("key.file", "");
  by_path.path = R"((?:^|/)id_rsa$)";
  const auto rules = set_of({by_path});
  const auto verdict = judged(rules, "", {}, file("root/.ssh/id_rsa"));
  ASSERT_THAT(verdict.hits, SizeIs(1));
  EXPECT_EQ(verdict.hits[0].line, 0U);
  EXPECT_EQ(verdict.hits[0].redacted, "root/.ssh/id_rsa");
  EXPECT_EQ(verdict.hits[0].secret, "");
  EXPECT_NE(verdict.hits[0].fingerprint, judged(rules, "", {}, file("home/id_rsa")).hits.at(0).fingerprint);
  EXPECT_TRUE(judged(rules, "", {}, file("id_rsa.pub")).hits.empty());
  Entry name = file("root/.ssh/id_rsa");
  name.kind = Kind::file_name;
  EXPECT_TRUE(judged(rules, "root/.ssh/id_rsa", {}, name).hits.empty());
}

TEST(Session, FindsNoFileByAPathThatTheRuleAllows) {
  Rule by_path = rule("key.file", "");
  by_path.path = "id_rsa$";
  by_path.allowlists.resize(1);
  by_path.allowlists[0].paths = {"^test/"};
  EXPECT_THAT(judged(set_of({by_path}), "", {}, file("test/id_rsa")).hits, IsEmpty());
  EXPECT_THAT(judged(set_of({by_path}), "", {}, file("src/id_rsa")).hits, SizeIs(1));
}

// ---- Checks ----

std::string with_crc(const std::string& body) {
  std::string digits = "00000000";
  const std::uint32_t crc = base::crc32(body);
  for (std::size_t i = 0; i < 8; ++i) digits[7 - i] = "0123456789abcdef"[crc >> (4 * i) & 15U];
  return "tok_" + body + digits;
}

TEST(Session, RefusesWhatACheckRefusesAndTrustsWhatItConfirms) {
  Rule checked = rule("checked", "tok_[a-z0-9]{12,40}");
  checked.checks = {"crc32-hex"};
  checked.confidence = Confidence::low;
  const auto rules = set_of({checked});
  const std::string good = with_crc("abcdefghijkl");
  const auto verdict = judged(rules, "tok_abcdefghijkl00000000 " + good);
  ASSERT_THAT(verdict.hits, SizeIs(1));
  EXPECT_EQ(verdict.hits[0].offset, 25U);
  EXPECT_EQ(verdict.hits[0].confidence, Confidence::high);
  EXPECT_EQ(verdict.hits[0].severity, Severity::high);
}

TEST(Session, TakesSeverityAndNotesFromAcceptingChecks) {
  Rule jwt = rule("jwt", R"(eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)");
  jwt.checks = {"jwt"};
  // {"alg":"HS256","typ":"JWT"} . {"sub":"a","exp":1000000000}
  const auto hits = judged(set_of({jwt}),
                           "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhIiwiZXhwIjoxMDAwMDAwMDAwfQ."
                           "c2lnbmF0dXJlLXRoYXQtaXMtbG9uZy1lbm91Z2gtMTIzNDU")
                        .hits;
  ASSERT_THAT(hits, SizeIs(1));
  EXPECT_EQ(hits[0].severity, Severity::low);
  EXPECT_THAT(hits[0].notes, ElementsAre(HasSubstr("2001-09-09")));
}

TEST(Session, NeedsEveryCheckToAgree) {
  Rule checked = rule("checked", "tok_[a-z0-9]{12,40}");
  checked.checks = {"crc32-hex", "not-hex-digest", "luhn"};
  EXPECT_THAT(secrets(set_of({checked}), with_crc("abcdefghijkl")), IsEmpty());
}

// ---- Fingerprints ----

TEST(Session, MakesFingerprintsOfKeyRuleAndSecretAlone) {
  const auto rules = set_of({rule("a", "a=([a-z]+)"), rule("b", "b=([a-z]+)")});
  Options options;
  options.fingerprint_key = "k";
  const auto hits = judged(rules, "a=secret\n\nb=secret a=secret a=other", options).hits;
  ASSERT_THAT(hits, SizeIs(4));
  EXPECT_EQ(hits[0].fingerprint, hits[2].fingerprint);
  EXPECT_NE(hits[0].fingerprint, hits[1].fingerprint);
  EXPECT_NE(hits[0].fingerprint, hits[3].fingerprint);
  EXPECT_EQ(hits[0].value, hits[1].value);
  EXPECT_NE(hits[0].value, hits[3].value);
  EXPECT_NE(hits[0].value, hits[0].fingerprint);
  const auto digest = base::hmac_sha256("k", std::string("a\0secret", 8));
  EXPECT_TRUE(std::equal(hits[0].fingerprint.begin(), hits[0].fingerprint.end(), digest.begin()));
  options.fingerprint_key = "other";
  EXPECT_NE(judged(rules, "a=secret", options).hits.at(0).fingerprint, hits[0].fingerprint);
}

TEST(Session, KeepsRawSecretsOnlyWhenAsked) {
  const auto rules = set_of({token()});
  EXPECT_EQ(judged(rules, "acme_01234567").hits.at(0).secret, "");
  Options options;
  options.keep_secrets = true;
  EXPECT_EQ(judged(rules, "acme_01234567", options).hits.at(0).secret, "01234567");
}

// ---- Inline comments ----

TEST(Session, CountsWhatAnInlineCommentSuppresses) {
  const auto verdict = judged(set_of({token()}), "acme_01234567 # gitleaks:allow\nacme_89abcdef\n# gitleaks:allow");
  EXPECT_THAT(verdict.hits, SizeIs(1));
  EXPECT_EQ(verdict.hits[0].line, 2U);
  EXPECT_EQ(verdict.ignored, 1U);
}

TEST(Session, HeedsACommentOnAnyLineOfTheSecret) {
  const auto rules = set_of({rule("block", "<([^>]*)>")});
  EXPECT_EQ(judged(rules, "# scan-secrets:allow=block\n<ab\ncd>").ignored, 0U);
  EXPECT_EQ(judged(rules, "# scan-secrets:allow=block <ab\ncd>").ignored, 1U);
  EXPECT_EQ(judged(rules, "<ab\ncd> scan-secrets:allow=block\n").ignored, 1U);
  EXPECT_EQ(judged(rules, "<ab\ncd> scan-secrets:allow=other\n").ignored, 0U);
}

TEST(Session, ReportsInSpiteOfCommentsWhenAsked) {
  Options options;
  options.inline_ignores = false;
  const auto verdict = judged(set_of({token()}), "acme_01234567 # gitleaks:allow", options);
  EXPECT_THAT(verdict.hits, SizeIs(1));
  EXPECT_EQ(verdict.ignored, 0U);
}

// ---- Doubts and limits ----

TEST(Session, DoubtsWhatAMatchLimitLeavesUndecided) {
  const auto rules = set_of({rule("slow", "(?:a|aa)+b"), token()});
  const std::string text = "acme_01234567 " + std::string(300, 'a') + "c b";
  Chunk chunk;
  chunk.bytes = text;
  chunk.own_end = text.size() + 1;
  const auto judge = Judge::create(rules, {});
  Session session(*judge);
  session.begin(file("a"));
  std::vector<Candidate> candidates = {{0, 14, 314, false}, {1, 0, 13, false}};
  session.decide(chunk, candidates);
  const Verdict verdict = session.finish();
  EXPECT_THAT(verdict.doubts, ElementsAre("rule slow undecided at byte 14: match limit"));
  EXPECT_THAT(verdict.hits, SizeIs(1));
}

TEST(Session, GivesUpARuleThatRunsIntoItsLimitAgainAndAgain) {
  const auto rules = set_of({rule("slow", "(?:a|aa)+b")});
  std::string text;
  std::vector<Candidate> candidates;
  for (int i = 0; i < 200; ++i) {
    text += std::string(300, 'a') + "cb-";
    candidates.push_back({0, text.size() - 303, text.size() - 3, false});
  }
  Chunk chunk;
  chunk.bytes = text;
  chunk.own_end = text.size() + 1;
  const auto judge = Judge::create(rules, {});
  Session session(*judge);
  session.begin(file("a"));
  session.decide(chunk, candidates);
  const Verdict verdict = session.finish();
  ASSERT_THAT(verdict.doubts, SizeIs(9));
  EXPECT_THAT(verdict.doubts.back(), HasSubstr("the rest was not searched for it"));
  session.begin(file("b"));
  candidates = {{0, 0, 300, false}};
  session.decide(chunk, candidates);
  EXPECT_THAT(session.finish().doubts, SizeIs(1));
}

TEST(Session, DoubtsARuleThatDoesNotCompile) {
  const auto verdict = [] {
    const auto rules = set_of({rule("broken", "a(")});
    Chunk chunk;
    chunk.bytes = "aaa";
    chunk.own_end = 4;
    const auto judge = Judge::create(rules, {});
    Session session(*judge);
    session.begin(file("a"));
    std::vector<Candidate> candidates = {{0, 0, 3, false}};
    session.decide(chunk, candidates);
    return session.finish();
  }();
  EXPECT_THAT(verdict.doubts, ElementsAre(HasSubstr("rule broken undecided at byte 0: missing closing parenthesis")));
}

TEST(Session, DoubtsARuleWhosePathCannotBeDecided) {
  Rule by_path = rule("key.file", "");
  by_path.path = "(?:a|aa)+b";
  const auto verdict = judged(set_of({by_path}), "", {}, file(std::string(300, 'a') + "cb/c"));
  EXPECT_THAT(verdict.hits, IsEmpty());
  EXPECT_THAT(verdict.doubts, ElementsAre("rule key.file undecided at byte 0: path: match limit"));
}

/// One window on a text of `x`, with a candidate of rule 0.
Verdict unbounded(const RuleSet& rules, std::string_view bytes, Candidate candidate, bool first, bool last) {
  Chunk chunk;
  chunk.bytes = bytes;
  chunk.first = first;
  chunk.last = last;
  chunk.offset = first ? 0 : 1000;
  chunk.own_begin = first ? 0 : 1;
  chunk.own_end = last ? bytes.size() + 1 : bytes.size() - 10;
  const auto judge = Judge::create(rules, {});
  Session session(*judge);
  session.begin(file("a"));
  std::vector<Candidate> candidates = {candidate};
  session.decide(chunk, candidates);
  return session.finish();
}

TEST(Session, SearchesBeforeARegionThatExplainsNoUnboundedCandidate) {
  const auto rules = set_of({rule("long", "<([^>]+)>")});
  const std::string text = "..<" + std::string(500, 'a') + ">..";
  const auto verdict = unbounded(rules, text, {0, 400, 504, true}, true, true);
  EXPECT_THAT(verdict.hits, SizeIs(1));
  EXPECT_EQ(verdict.hits[0].offset, 3U);
  EXPECT_THAT(verdict.doubts, IsEmpty());
}

TEST(Session, DoubtsAnUnboundedCandidateThatStartsBeforeItsWindow) {
  const auto rules = set_of({rule("long", "<([^>]+)>")});
  const std::string text(500, 'a');
  EXPECT_THAT(unbounded(rules, text + ">..", {0, 400, 501, true}, false, true).doubts,
              ElementsAre("rule long undecided at byte 1400: a match may have started before the window"));
  EXPECT_THAT(unbounded(rules, text + ">..", {0, 400, 501, true}, true, true).doubts, IsEmpty());
  EXPECT_THAT(unbounded(rules, text + ">..", {0, 400, 501, false}, false, true).doubts, IsEmpty());
}

TEST(Session, DoesNotDoubtACandidateThatTheWindowBeforeHasDecided) {
  const auto rules = set_of({rule("word", R"(\b(b+)>)")});
  const std::string text = ".... abbbbbbbb> " + std::string(40, '.');
  const auto judge = Judge::create(rules, {});
  const auto doubts_after = [&](std::size_t first_end) {
    Session session(*judge);
    session.begin(file("a"));
    std::vector<Candidate> candidates;
    Chunk chunk;
    chunk.bytes = std::string_view(text).substr(0, first_end);
    chunk.last = false;
    chunk.own_end = 11;
    session.decide(chunk, candidates);
    // The engine takes the begin of the window, in the middle of a word, for the begin of a word.
    chunk = {};
    chunk.bytes = std::string_view(text).substr(10);
    chunk.offset = 10;
    chunk.own_begin = 1;
    chunk.own_end = chunk.bytes.size() + 1;
    chunk.first = false;
    candidates = {{0, 0, 5, true}};
    session.decide(chunk, candidates);
    return session.finish().doubts;
  };
  EXPECT_THAT(doubts_after(20), IsEmpty());
  EXPECT_THAT(doubts_after(13), SizeIs(1));
}

TEST(Session, DoubtsAMatchThatMayBeLongerThanItsWindow) {
  const auto rules = set_of({rule("long", "<([^>]+)")});
  const std::string text = ".<" + std::string(500, 'a');
  const auto cut = unbounded(rules, text, {0, 0, 300, true}, false, false);
  EXPECT_THAT(cut.hits, IsEmpty());
  EXPECT_THAT(cut.doubts, ElementsAre("rule long undecided at byte 1001: a match may be longer than the window"));
  EXPECT_THAT(unbounded(rules, text, {0, 0, 300, true}, false, true).hits, SizeIs(1));
}

TEST(Session, CapsTheHitsOfAnEntryAndSaysSo) {
  Options options;
  options.max_hits_per_entry = 3;
  const auto rules = set_of({rule("a", "a=([a-z]+)"), rule("b", "b=([a-z]+)")});
  EXPECT_THAT(judged(rules, "a=x b=x a=x", options).doubts, IsEmpty());
  const auto verdict = judged(rules, "a=x b=x a=x b=x a=x", options);
  EXPECT_THAT(verdict.hits, SizeIs(3));
  EXPECT_THAT(verdict.doubts, ElementsAre("more than 3 secrets; the rest was not looked at"));
}

TEST(Session, StartsEveryEntryAnew) {
  Options options;
  options.max_hits_per_entry = 1;
  const auto rules = set_of({token()});
  const auto judge = Judge::create(rules, options);
  Session session(*judge);
  for (int i = 0; i < 3; ++i) {
    const std::string_view text = "acme_01234567 acme_01234567";
    Chunk chunk;
    chunk.bytes = text;
    chunk.own_end = text.size() + 1;
    session.begin(file("a"));
    auto candidates = candidates_in(text, rules);
    session.decide(chunk, candidates);
    const Verdict verdict = session.finish();
    EXPECT_THAT(verdict.hits, SizeIs(1));
    EXPECT_THAT(verdict.doubts, SizeIs(1));
  }
}

TEST(SessionDeathTest, RefusesAWindowThatOwnsAByteWithoutItsContext) {
  const auto rules = set_of({token()});
  const auto judge = Judge::create(rules, {});
  Session session(*judge);
  Chunk chunk;
  chunk.bytes = "acme_01234567";
  chunk.first = false;
  chunk.offset = 10;
  chunk.own_end = chunk.bytes.size() + 1;
  std::vector<Candidate> none;
  session.begin(file("a"));
  EXPECT_DEATH(session.decide(chunk, none), "own_begin");
}

}  // namespace
}  // namespace scanner::judge
