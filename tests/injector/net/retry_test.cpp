#include "injector/net/retry.h"

#include <gtest/gtest.h>

#include <random>

namespace injector::net {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, DoublesUpToItsCapAndSpreadsOverTheUpperHalf) {
  const Backoff backoff{500ms, 30s};
  EXPECT_EQ(backoff.after(1, 0.0), 500ms);
  EXPECT_EQ(backoff.after(1, 1.0), 250ms);
  EXPECT_EQ(backoff.after(2, 0.0), 1s);
  EXPECT_EQ(backoff.after(4, 0.5), 3s);
  EXPECT_EQ(backoff.after(7, 0.0), 30s);
  EXPECT_EQ(backoff.after(4'000'000'000, 0.0), 30s);
  EXPECT_EQ((Backoff{10s, 5s}.after(1, 0.0)), 5s);
}

TEST(Backoff, AsksAtMostTwelveTimesInTwoMinutesAndSixtyTimesInTen) {
  std::mt19937_64 engine(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same cases each time
  std::uniform_real_distribution<double> random(0, 1);
  for (int run = 0; run < 2000; ++run) {
    unsigned failures = 0;
    unsigned early = 0;
    for (std::chrono::milliseconds at{0}; at < 10min; at += Backoff{}.after(failures, random(engine))) {
      ++failures;
      early += at < 2min ? 1U : 0U;
    }
    ASSERT_LE(early, 12U);
    ASSERT_LE(failures, 46U);
  }
}

TEST(Jitter, ComesEarlierNeverLater) {
  EXPECT_EQ(jittered(100s, 0.1, 0.0), 100s);
  EXPECT_EQ(jittered(100s, 0.1, 0.5), 95s);
  EXPECT_GT(jittered(100s, 0.1, 0.999999), 89s);
  for (int i = 0; i < 1000; ++i) {
    const double random = random_number();
    ASSERT_GE(random, 0);
    ASSERT_LT(random, 1);
  }
  EXPECT_NE(random_number(), random_number());
}

TEST(Budget, GivesItsBurstThenOneEachInterval) {
  Budget budget(1s, 3);
  BootClock::time_point now(100s);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(budget.take(now));
  EXPECT_FALSE(budget.take(now));
  EXPECT_EQ(budget.next(now), now + 1s);
  now += 500ms;
  EXPECT_FALSE(budget.take(now));
  EXPECT_EQ(budget.next(now), now + 500ms);
  now += 500ms;
  EXPECT_TRUE(budget.take(now));
  EXPECT_FALSE(budget.take(now));
  now += 1h;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(budget.take(now));
  EXPECT_FALSE(budget.take(now));
  EXPECT_FALSE(budget.take(now - 10s)) << "a clock that goes back gives nothing";
}

TEST(RetryAfter, TakesSecondsAndDatesAndKeepsThemWithinBounds) {
  const auto now = std::chrono::system_clock::from_time_t(784'111'777);  // Sun, 06 Nov 1994 08:49:37 GMT
  EXPECT_EQ(retry_after("7", now), 7s);
  EXPECT_EQ(retry_after("0", now), 0s);
  EXPECT_EQ(retry_after("-1", now), 0s);
  EXPECT_EQ(retry_after("1000000000000", now), 300s);
  EXPECT_EQ(retry_after("99999999999999999999999", now), 300s);
  EXPECT_EQ(retry_after("Sun, 06 Nov 1994 08:49:57 GMT", now), 20s);
  EXPECT_EQ(retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), 0s);
  EXPECT_EQ(retry_after("Sun, 06 Nov 2094 08:00:00 GMT", now, 10s), 10s);
  EXPECT_EQ(retry_after("", now), std::nullopt);
  EXPECT_EQ(retry_after("soon", now), std::nullopt);
  EXPECT_EQ(retry_after("7 s", now), std::nullopt);
}

}  // namespace
}  // namespace injector::net
