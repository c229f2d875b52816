#include "scanner/judge/regex.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace scanner::judge {
namespace {

using Answer = Search::Answer;
using Edge = Search::Edge;

TEST(Regex, SaysWhyItDoesNotCompile) {
  EXPECT_NE(Regex("a(b").problem().find("at byte 3"), std::string::npos);
  EXPECT_TRUE(Regex("a(b)").problem().empty());
}

TEST(Regex, MustHaveTheGroupThatIsAskedFor) {
  EXPECT_TRUE(Regex("(a)(b)", 2).problem().empty());
  EXPECT_EQ(Regex("(a)(b)", 3).problem(), "group 3 is asked for, but the regex has 2");
}

TEST(Regex, CannotSwitchToUtf8) { EXPECT_FALSE(Regex("(*UTF)a").problem().empty()); }

TEST(Regex, IsCompiledOnceByManyThreads) {
  const Regex regex("k=([a-z]+)");
  std::vector<std::thread> threads;
  std::vector<int> found(4);
  for (std::size_t i = 0; i < found.size(); ++i) {
    threads.emplace_back([&, i] {
      Search search;
      for (int round = 0; round < 100; ++round) {
        found[i] += search.find(regex, "x k=abc;", 0, Edge::end) == Answer::match ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(found, std::vector<int>(4, 100));
}

TEST(Search, FindsTheLeftmostMatchFromAPlaceOnAndItsGroups) {
  const Regex regex("k=([0-9])?([a-z]+)");
  Search search;
  ASSERT_EQ(search.find(regex, "k=a k=bc", 1, Edge::end), Answer::match);
  EXPECT_EQ(search.group(0).of("k=a k=bc"), "k=bc");
  EXPECT_TRUE(search.group(1).empty());
  EXPECT_EQ(search.group(2).of("k=a k=bc"), "bc");
  EXPECT_TRUE(search.group(3).empty());
  EXPECT_EQ(search.find(regex, "k=a k=bc", 5, Edge::end), Answer::none);
}

TEST(Search, PassesOverEmptyMatches) {
  Search search;
  ASSERT_EQ(search.find(Regex("a*"), "--aa", 0, Edge::end), Answer::match);
  EXPECT_EQ(search.group(0).begin, 2U);
  EXPECT_EQ(search.find(Regex("a*"), "--", 0, Edge::end), Answer::none);
}

TEST(Search, HasRoomForAnyNumberOfGroups) {
  std::string source;
  for (int i = 0; i < 100; ++i) source += "(a)";
  const Regex regex(source);
  Search search;
  ASSERT_EQ(search.find(regex, std::string(100, 'a'), 0, Edge::end), Answer::match);
  EXPECT_EQ(search.group(100).begin, 99U);
}

TEST(Search, LeavesOpenWhatDependsOnTheBytesBehindACut) {
  Search search;
  for (const char* source : {"ab$", "ab\\z", "ab\\Z", "ab\\b", "ab\\B", "(?m)ab$", "ab+", "abc", "ab(?!c)"}) {
    const Regex regex(source);
    EXPECT_EQ(search.find(regex, "-ab", 0, Edge::cut), Answer::open) << source;
    EXPECT_EQ(search.group(0).begin, 1U) << source;
  }
  EXPECT_EQ(search.find(Regex("ab"), "-ab", 0, Edge::cut), Answer::match);
}

TEST(Search, TakesTheEndForWhatItIs) {
  Search search;
  EXPECT_EQ(search.find(Regex("ab$"), "-ab", 0, Edge::end), Answer::match);
  EXPECT_EQ(search.find(Regex("ab$"), "-ab\n", 0, Edge::end), Answer::none);
  EXPECT_EQ(search.find(Regex("ab\\Z"), "-ab\n", 0, Edge::end), Answer::match);
}

TEST(Search, DoesNotTakeTheFirstByteOfAWindowForTheBeginOfALine) {
  Search search;
  EXPECT_EQ(search.find(Regex("^ab"), "ab", 0, Edge::end), Answer::match);
  EXPECT_EQ(search.find(Regex("^ab"), "ab", 0, Edge::end, false), Answer::none);
}

TEST(Search, IsUndecidedAtTheMatchLimit) {
  const Regex regex("(?:a|aa)+b");
  const std::string subject(300, 'a');
  Search search;
  EXPECT_EQ(search.find(regex, subject + "cb", 0, Edge::end), Answer::undecided);
  EXPECT_EQ(search.reason(), "match limit");
}

TEST(Search, IsUndecidedWhenTheRegexDoesNotCompile) {
  const Regex regex("a(b");
  Search search;
  EXPECT_EQ(search.find(regex, "ab", 0, Edge::end), Answer::undecided);
  EXPECT_EQ(search.test(regex, "ab"), Answer::undecided);
  EXPECT_NE(search.reason().find("parenthesis"), std::string::npos);
}

TEST(Search, TestsWholeTextsEmptyOnesToo) {
  Search search;
  EXPECT_EQ(search.test(Regex("^$"), {}), Answer::match);
  EXPECT_EQ(search.test(Regex("b$"), "ab"), Answer::match);
  EXPECT_EQ(search.test(Regex("^b"), "ab"), Answer::none);
}

TEST(Search, TakesBytesThatAreNoUtf8) {
  Search search;
  EXPECT_EQ(search.find(Regex("k=(..)\\b"), "\xff\xfek=ab\xc3", 0, Edge::end), Answer::match);
}

}  // namespace
}  // namespace scanner::judge
