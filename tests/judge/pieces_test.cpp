// The small parts that a session is made of.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "scanner/judge/inline_ignore.h"
#include "scanner/judge/lines.h"
#include "scanner/judge/redact.h"
#include "scanner/judge/regions.h"
#include "scanner/judge/words.h"

namespace scanner::judge {
namespace {

TEST(Words, AreFoundInAnyCaseAnywhere) {
  const Words words({"Token", "tok2", "x"});
  EXPECT_TRUE(words.any_in("my TOKEN"));
  EXPECT_TRUE(words.any_in("tOk2"));
  EXPECT_TRUE(words.any_in("aXb"));
  EXPECT_FALSE(words.any_in("toke tok"));
  EXPECT_FALSE(words.any_in(""));
  EXPECT_FALSE(Words().any_in("anything"));
}

TEST(Words, OfTheSameFirstBytesAreAllTried) {
  const Words words({"abx", "aby", "abzzzz"});
  EXPECT_TRUE(words.any_in("--aby"));
  EXPECT_FALSE(words.any_in("--abzzz"));
}

std::vector<std::vector<std::size_t>> merged(const std::vector<Candidate>& candidates) {
  std::vector<Region> regions;
  merge(candidates, regions);
  std::vector<std::vector<std::size_t>> all;
  all.reserve(regions.size());
  for (const Region& region : regions) all.push_back({region.begin, region.end, region.width});
  return all;
}

TEST(Regions, JoinCandidatesThatOverlapOrTouch) {
  using testing::ElementsAre;
  EXPECT_THAT(merged({{0, 2, 10, false}, {0, 5, 13, false}, {0, 13, 20, false}, {0, 30, 35, false}}),
              ElementsAre(ElementsAre(2, 20, 8), ElementsAre(30, 35, 5)));
}

TEST(Regions, JoinWhatALateWideCandidateReachesBackOver) {
  using testing::ElementsAre;
  EXPECT_THAT(merged({{0, 2, 10, false}, {0, 20, 30, false}, {0, 40, 50, false}, {0, 25, 60, true}}),
              ElementsAre(ElementsAre(2, 10, 8), ElementsAre(20, 60, 35)));
}

TEST(LineCounter, CountsOnFromTheChunksOwnPosition) {
  Chunk chunk;
  chunk.bytes = "ab\ncd\n\nef";
  chunk.line = 7;
  chunk.column = 5;
  LineCounter lines(chunk);
  const auto at = [&](std::size_t place) {
    const Position position = lines.at(place);
    return std::pair(position.line, position.column);
  };
  EXPECT_EQ(at(1), std::pair(7UL, 6UL));
  EXPECT_EQ(at(2), std::pair(7UL, 7UL));
  EXPECT_EQ(at(3), std::pair(8UL, 1UL));
  EXPECT_EQ(lines.beyond(9).line, 10U);
  EXPECT_EQ(lines.beyond(9).column, 3U);
  EXPECT_EQ(at(7), std::pair(10UL, 1UL));
}

TEST(LinesAround, TakeMoreLinesAndStopAtTheReach) {
  const std::string text = "one\ntwo\nthree\nfour\nfive";
  const Span three{8, 13};
  EXPECT_EQ(lines_around(text, {9, 11}, 0, 100).of(text), "three");
  EXPECT_EQ(lines_around(text, three, 1, 100).of(text), "two\nthree\nfour");
  EXPECT_EQ(lines_around(text, three, 9, 100).of(text), text);
  EXPECT_EQ(lines_around(text, three, 9, 2).of(text), "o\nthree\nf");
  EXPECT_EQ(lines_around(text, {6, 10}, 0, 100).of(text), "two\nthree");
  EXPECT_EQ(lines_around(text, {8, 14}, 0, 100).of(text), "three\n");
}

TEST(Redact, ShowsFourBytesOfLongSecretsOnly) {
  EXPECT_EQ(redact("0123456789abcdef"), "0123********");
  EXPECT_EQ(redact("0123456789abcde"), "********");
  EXPECT_EQ(redact("p"), "********");
}

TEST(Redact, ShowsNothingThatIsNotPrintable) { EXPECT_EQ(redact("a\n\x1b\xc3 0123456789abcdef"), "a???********"); }

TEST(Redact, ShowsTheLabelOfAPemBlock) {
  EXPECT_EQ(redact("-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\n"), "-----BEGIN RSA PRIVATE KEY-----********");
  EXPECT_EQ(redact("-----BEGIN my secret-----\nMIIEabc\n"), "----********");
  EXPECT_EQ(redact("-----BEGIN " + std::string(80, 'A') + "-----"), "----********");
}

TEST(Wipe, LeavesNothingBehind) {
  std::string text(100, 's');
  const char* bytes = text.data();
  text.resize(3);
  wipe(text);
  EXPECT_TRUE(text.empty());
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.InnerPointer): the string keeps its memory, and that is what is looked at.
  EXPECT_TRUE(std::all_of(bytes, bytes + 100, [](char c) { return c == '\0'; }));
}

TEST(InlineIgnore, IsForEveryRuleOrForTheOneItNames) {
  EXPECT_TRUE(has_inline_ignore("key = x # gitleaks:allow", "acme"));
  EXPECT_TRUE(has_inline_ignore("// scan-secrets:allow", "acme"));
  EXPECT_TRUE(has_inline_ignore("# scan-secrets:allow=acme.token, a test", "acme.token"));
  EXPECT_TRUE(has_inline_ignore("# gitleaks:allow=other gitleaks:allow=acme", "acme"));
  EXPECT_FALSE(has_inline_ignore("# gitleaks:allow=acme.token", "acme"));
  EXPECT_FALSE(has_inline_ignore("# gitleaks:allow=acme", "acme.token"));
  EXPECT_FALSE(has_inline_ignore("# somebody:allow", "acme"));
  EXPECT_FALSE(has_inline_ignore("# gitleaks", "acme"));
}

}  // namespace
}  // namespace scanner::judge
