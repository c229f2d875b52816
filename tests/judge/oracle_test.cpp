// Judge against a plain PCRE2 find-all over the whole text, whatever windows the text is cut into.

#include <gtest/gtest.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <memory>
#include <random>
#include <tuple>

#include "tests/judge/judging.h"

namespace scanner::judge {
namespace {

constexpr std::size_t kWidth = 12;

/// Every regex is at most kWidth bytes wide.
RuleSet rules_of_all_kinds() {
  return set_of({
      rule("boundary", R"(\b(a[ab]{1,4})\b)"),
      rule("line", R"((?m)^(b[ab1]{0,5})$)"),
      rule("begin", R"(\A[ab]{2})"),
      rule("caret", R"(^a=[^\n]{1,4})"),
      rule("end", R"([ab1]{2,6}\z)"),
      rule("line_end_or_end", R"(b=(1{1,3})\Z)"),
      rule("dollar", R"((a{1,3})=?$)"),
      rule("lazy", R"((?i)a.{0,6}?(b1?))"),
      rule("greedy_gap", R"((?i)k.{0,8}(1{1,2}))"),
      rule("alternatives", R"((?:ab|aba|b1b|=a)(?:[^ab]|$))"),
      rule("not_boundary", R"(\B(1[ab]{1,3})\B)"),
      rule("longer_first", R"((aaaaaaaaa|aa|(?s:b.{2,7}b)|1))"),
      rule("looks_around", R"((?<=[=k])([a1]{1,5})(?=[\n b]|\z))"),
      rule("caseless", R"((?i)KA(B{1,3})\b)"),
  });
}

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
using Code = std::unique_ptr<pcre2_code, FreeCode>;

Code plain(const std::string& regex) {
  int error = 0;
  std::size_t offset = 0;
  return Code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(regex.data()), regex.size(), PCRE2_DOLLAR_ENDONLY, &error,
                            &offset, nullptr));
}

std::vector<Code> plain(const RuleSet& rules) {
  std::vector<Code> codes;
  codes.reserve(rules.rules.size());
  for (const Rule& each : rules.rules) codes.push_back(plain(each.regex));
  return codes;
}

/// Begin and end of the secret, rule, line, column.
using Found = std::tuple<std::size_t, std::size_t, std::uint32_t, std::uint64_t, std::uint64_t>;

Found found_at(std::string_view text, std::uint32_t number, std::size_t begin, std::size_t end) {
  std::uint64_t line = 1;
  std::uint64_t column = 1;
  for (const char c : text.substr(0, begin)) {
    column = c == '\n' ? 1 : column + 1;
    line += c == '\n' ? 1 : 0;
  }
  return {begin, end, number, line, column};
}

std::vector<Found> expected(std::string_view text, const std::vector<Code>& codes) {
  std::vector<Found> found;
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data(pcre2_match_data_create(8, nullptr),
                                                                                 &pcre2_match_data_free);
  const PCRE2_SIZE* at = pcre2_get_ovector_pointer(data.get());
  for (std::uint32_t i = 0; i < codes.size(); ++i) {
    std::size_t from = 0;
    while (true) {
      const int groups = pcre2_match(codes[i].get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                                     PCRE2_NOTEMPTY, data.get(), nullptr);
      if (groups < 0) break;
      std::size_t begin = at[0];
      std::size_t end = at[1];
      from = end;
      if (groups > 1) {
        begin = at[2];
        end = at[3];
      } else {
        while (begin < end && text[begin] == '\n') ++begin;
        while (begin < end && text[end - 1] == '\n') --end;
      }
      if (begin < end) found.push_back(found_at(text, i, begin, end));
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<Found> actual(const Verdict& verdict) {
  std::vector<Found> found;
  found.reserve(verdict.hits.size());
  for (const Hit& hit : verdict.hits) found.emplace_back(hit.offset, hit.end_offset, hit.rule, hit.line, hit.column);
  std::sort(found.begin(), found.end());
  return found;
}

std::string random_text(std::mt19937& random) {
  constexpr std::string_view kAlphabet = "aaabbb11=kKAB \n";
  std::string text(random() % 90, '\0');
  for (char& c : text) c = kAlphabet[random() % kAlphabet.size()];
  return text;
}

/// Candidates as the matcher gives them, and more of them than it would.
std::vector<Candidate> offered(const Chunk& chunk, const RuleSet& rules, std::mt19937& random) {
  auto candidates = candidates_in(chunk.bytes, rules, kWidth);
  const auto extra = random() % 6;
  for (std::size_t i = 0; i < extra && !chunk.bytes.empty(); ++i) {
    const std::size_t end = 1 + random() % chunk.bytes.size();
    const auto number = static_cast<std::uint32_t>(random() % rules.rules.size());
    candidates.push_back({number, end - std::min(end, kWidth), end, false});
  }
  std::shuffle(candidates.begin(), candidates.end(), random);
  return candidates;
}

TEST(JudgeOracle, GivesWhatAPlainSearchOfTheWholeTextGivesHoweverItIsCut) {
  const RuleSet rules = rules_of_all_kinds();
  const std::vector<Code> codes = plain(rules);
  const auto judge = Judge::create(rules, {});
  ASSERT_TRUE(judge);
  ASSERT_TRUE(judge->compile_all());
  Session session(*judge);
  std::mt19937 random(20261124);
  std::size_t hits = 0;
  std::size_t cuts = 0;
  for (int round = 0; round < 20'000; ++round) {
    const std::string text = random_text(random);
    const std::size_t size = 22 + random() % 50;
    const auto chunks = windows_of(text, size, kWidth, random() % 4);
    session.begin(file("a.txt"));
    for (const Chunk& chunk : chunks) {
      auto candidates = offered(chunk, rules, random);
      session.decide(chunk, candidates);
    }
    const Verdict verdict = session.finish();
    ASSERT_EQ(actual(verdict), expected(text, codes)) << "round " << round << ", windows of " << size << ":\n" << text;
    ASSERT_TRUE(verdict.doubts.empty()) << verdict.doubts.front();
    hits += verdict.hits.size();
    cuts += chunks.size() - 1;
  }
  EXPECT_GT(hits, 100'000U);
  EXPECT_GT(cuts, 20'000U);
}

// The piece of text that a search sees at first ends where a match would be decided otherwise.
TEST(JudgeOracle, IsNotMisledByTheEndOfThePieceThatASearchSees) {
  const RuleSet rules = set_of({
      rule("end", R"(x[ab]{1,900}\z)"),
      rule("dollar", R"((?m)x[ab]{1,900}$)"),
      rule("boundary", R"(x[ab]{1,900}\b)"),
      rule("greedy", R"(x[ab]{1,900})"),
      rule("either", R"(x(?:[ab]{600}c|a))"),
  });
  const std::vector<Code> codes = plain(rules);
  const auto judge = Judge::create(rules, {});
  Session session(*judge);
  for (std::size_t run : {10U, 250U, 254U, 255U, 256U, 257U, 258U, 599U, 600U, 700U, 900U, 950U}) {
    for (const std::string tail : {"", "c", "\n", " ", "-a\n"}) {
      const std::string text = "-x" + std::string(run, 'a') + tail + std::string(tail.empty() ? 0 : 6000, '.');
      Chunk chunk;
      chunk.bytes = text;
      chunk.own_end = text.size() + 1;
      // Tight candidates: as if the rules were three bytes wide.
      std::vector<Candidate> candidates;
      for (std::uint32_t i = 0; i < rules.rules.size(); ++i) candidates.push_back({i, 0, 3, false});
      session.begin(file("a.txt"));
      session.decide(chunk, candidates);
      EXPECT_EQ(actual(session.finish()), expected(text, codes)) << run << " bytes, then " << tail;
    }
  }
}

}  // namespace
}  // namespace scanner::judge
