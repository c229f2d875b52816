#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>

#include "injector/cli/options.h"
#include "injector/cli/terminal.h"

namespace injector::cli {
namespace {

using namespace std::chrono_literals;

Parsed parsed(std::initializer_list<const char*> words) {
  std::vector<const char*> argv = {"secret-injector"};
  argv.insert(argv.end(), words.begin(), words.end());
  return parse(static_cast<int>(argv.size()), argv.data());
}

TEST(Words, TakeATimeWithItsUnit) {
  EXPECT_EQ(duration_of("500ms"), 500ms);
  EXPECT_EQ(duration_of("10s"), 10s);
  EXPECT_EQ(duration_of("2m"), 2min);
  EXPECT_EQ(duration_of("1h"), 1h);
  for (const char* wrong : {"", "10", "s", "-1s", "1.5s", "1 s", "1d", "99999999999s", "1s "}) {
    EXPECT_EQ(duration_of(wrong), std::nullopt) << wrong;
  }
}

TEST(Words, KeepEachCommandsOwnDefaults) {
  EXPECT_EQ(parsed({"init", "-c", "a.yaml"}).options->timeout, 2min);
  EXPECT_EQ(parsed({"health"}).options->timeout, 1s);
  EXPECT_EQ(parsed({"check"}).options->timeout, 30s);
  EXPECT_EQ(parsed({"check", "--timeout", "5s"}).options->timeout, 5s);
}

TEST(Words, AskForReadinessUnlessToldOtherwise) {
  EXPECT_EQ(parsed({"health"}).options->probe, Probe::ready);
  EXPECT_EQ(parsed({"health", "--live"}).options->probe, Probe::live);
  EXPECT_EQ(parsed({"health", "--started"}).options->probe, Probe::started);
}

TEST(Words, KnowATerminationLogThatSomebodyNamed) {
  EXPECT_TRUE(parsed({"run"}).options->default_termination_log);
  const Parsed named = parsed({"run", "--termination-log", "/x"});
  EXPECT_FALSE(named.options->default_termination_log);
  EXPECT_EQ(named.options->termination_log, "/x");
}

TEST(Words, TakeOptionsOfAllCommandsOnEitherSide) {
  EXPECT_EQ(parsed({"--color", "never", "demo"}).options->color, Color::never);
  EXPECT_EQ(parsed({"demo", "--color", "always"}).options->color, Color::always);
}

TEST(Words, AreWrappedBetweenThem) {
  EXPECT_EQ(wrapped("one two three", 7, 2), "one two\n  three");
  EXPECT_EQ(wrapped("onetwothree", 4, 0), "onet\nwoth\nree");
  EXPECT_EQ(wrapped("short", 20, 2), "short");
}

TEST(Words, AreWrappedByCharactersAndNotByBytes) { EXPECT_EQ(wrapped("ääää ö", 6, 0), "ääää ö"); }

TEST(Words, OfOthersCannotMoveTheCursor) { EXPECT_EQ(wrapped("a\x1b[2J", 40, 0), "a\\x1b[2J"); }

}  // namespace
}  // namespace injector::cli
