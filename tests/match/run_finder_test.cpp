#include "scanner/match/run_finder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

namespace scanner::match {

bool operator==(const Stretch& a, const Stretch& b) { return a.begin == b.begin && a.end == b.end; }

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<Stretch> by_hand(std::string_view text, Alphabet alphabet) {
  const std::uint32_t least = RunFinder::kShortest[static_cast<std::size_t>(alphabet)];
  std::vector<Stretch> found;
  std::uint32_t begin = 0;
  for (std::uint32_t at = 0; at <= text.size(); ++at) {
    if (at < text.size() && in_alphabet(alphabet, static_cast<unsigned char>(text[at]))) continue;
    if (at - begin >= least) found.push_back({begin, at});
    begin = at + 1;
  }
  return found;
}

std::vector<Stretch> words(std::string_view text) {
  RunFinder finder;
  finder.search(text);
  return finder.found(Alphabet::word);
}

TEST(RunFinder, FindsNothingInNothingAndInShortRuns) {
  EXPECT_THAT(words(""), IsEmpty());
  EXPECT_THAT(words("only-short words, and fifteen-letters here"), IsEmpty());
}

TEST(RunFinder, FindsRunsAtBothEndsOfTheText) {
  const std::string run(16, 'x');
  EXPECT_THAT(words(run), ElementsAre(Stretch{0, 16}));
  EXPECT_THAT(words(run + "." + run), ElementsAre(Stretch{0, 16}, Stretch{17, 33}));
}

TEST(RunFinder, ForgetsWhatItFoundBefore) {
  RunFinder finder;
  finder.search(std::string(100, 'x'));
  finder.search("short");
  EXPECT_THAT(finder.found(Alphabet::word), IsEmpty());
  EXPECT_THAT(finder.found(Alphabet::token), IsEmpty());
}

TEST(RunFinder, FindsARunOfEachLengthAtEachPlace) {
  for (std::uint32_t begin = 0; begin < 70; ++begin) {
    for (std::uint32_t size = 14; size < 140; ++size) {
      const std::string text = std::string(begin, '.') + std::string(size, 'a') + " tail";
      for (const Alphabet alphabet : {Alphabet::word, Alphabet::token}) {
        RunFinder finder;
        finder.search(text);
        ASSERT_EQ(finder.found(alphabet), by_hand(text, alphabet)) << begin << " " << size;
      }
    }
  }
}

TEST(RunFinder, AgreesWithAPlainSearchOnEveryByteValue) {
  std::mt19937 random(7);
  // Mostly bytes of the alphabets, so that runs of every length come about; sizes around those of blocks and batches.
  const std::string usual = "abcXYZ019_-+/=.~";
  for (int round = 0; round < 400; ++round) {
    std::string text(random() % 9000, ' ');
    const auto foreign = 2 + random() % 60;
    for (char& c : text) {
      c = random() % foreign == 0 ? static_cast<char>(random() % 256) : usual[random() % usual.size()];
    }
    RunFinder finder;
    finder.search(text);
    ASSERT_EQ(finder.found(Alphabet::word), by_hand(text, Alphabet::word));
    ASSERT_EQ(finder.found(Alphabet::token), by_hand(text, Alphabet::token));
  }
}

}  // namespace
}  // namespace scanner::match
