#include "injector/model/term.h"

#include <gtest/gtest.h>

namespace injector {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using Act = Term::Act;

constexpr BootClock::time_point kStart{hours(1)};

double in_seconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

TEST(Term, RenewsAfterTwoThirdsAndAThirdOfTheGrace) {
  const auto term = granted(kStart, seconds(3600), true, 0.5);
  EXPECT_EQ(term.next.act, Act::renew);
  EXPECT_NEAR(in_seconds(term.next.at - kStart), 2400 + 540.0 / 3, 0.001);
  EXPECT_EQ(term.asked, seconds(3600));
}

TEST(Term, IsReplacedBeforeItsEndWhenItCannotBeRenewed) {
  for (const double random : {0.0, 0.5, 0.999}) {
    const auto term = granted(kStart, seconds(1000), false, random);
    EXPECT_EQ(term.next.act, Act::replace);
    EXPECT_GE(in_seconds(term.next.at - kStart), 800);
    EXPECT_LE(in_seconds(term.next.at - kStart), 900);
  }
}

TEST(Term, RestsForEverWithoutAnEnd) {
  EXPECT_EQ(granted(kStart, seconds(0), true, 0.5).next.act, Act::rest);
  EXPECT_FALSE(granted(kStart, seconds(0), false, 0.5).over(kStart + hours(100'000)));
}

TEST(Term, GoesOnAsBeforeWhenAllThatWasAskedForIsGranted) {
  const auto first = granted(kStart, seconds(3600), true, 0.25);
  const auto second = renewed(first, first.next.at, seconds(3600), true, 0.75);
  EXPECT_EQ(second.next.act, Act::renew);
  EXPECT_EQ(second.next.at - first.next.at, first.next.at - kStart);
  EXPECT_EQ(second.grace, first.grace);
}

TEST(Term, IsReplacedAfterTwoThirdsWhenLessThanAskedForIsGranted) {
  const auto first = granted(kStart, seconds(3600), true, 0.5);
  const auto second = renewed(first, kStart + seconds(2600), seconds(900), true, 0.5);
  EXPECT_EQ(second.next.act, Act::replace);
  EXPECT_NEAR(in_seconds(second.next.at - (kStart + seconds(2600))), 600, 0.001);
}

TEST(Term, TakesALongerGrantAsTheNewMeasure) {
  const auto first = granted(kStart, seconds(60), true, 0.5);
  const auto second = renewed(first, kStart + seconds(40), seconds(600), true, 0.5);
  EXPECT_EQ(second.asked, seconds(600));
  EXPECT_GT(second.grace, first.grace);
  EXPECT_EQ(second.next.act, Act::renew);
}

TEST(Term, NeverPlansSoonerThanASecond) {
  for (const int length : {1, 2, 3, 5}) {
    auto term = granted(kStart, seconds(length), true, 0.999);
    EXPECT_GE(term.next.at - kStart, seconds(1));
    for (auto now = term.next.at; now < kStart + minutes(1); now = term.next.at) {
      term = renewed(term, now, seconds(1), true, 0.999);
      ASSERT_GE(term.next.at - now, seconds(1));
    }
  }
}

TEST(Term, SleepsItsBackoffAfterAFailedRenewal) {
  auto term = granted(kStart, hours(10), true, 0.5);
  auto now = term.next.at;
  double expected = 10;
  for (int i = 0; i < 8; ++i) {
    term = renewal_failed(term, now, 0.5);
    EXPECT_EQ(term.next.act, Act::renew);
    EXPECT_NEAR(in_seconds(term.next.at - now), expected, 0.001);
    expected = std::min(expected * 2, 300.0);
    now = term.next.at;
  }
}

/// Vault Agent once renewed in a hot loop after an error, for as long as the error lasted.
TEST(Term, AsksNoMoreThanItsBackoffAllowsInAnHourOfErrors) {
  for (const double random : {0.0, 0.5, 0.999}) {
    for (const int length : {30, 60, 3600, 36'000}) {
      auto term = granted(kStart, seconds(length), true, random);
      int asked = 0;
      while (term.next.act == Act::renew && term.next.at < kStart + hours(1)) {
        ++asked;
        term = renewal_failed(term, term.next.at, random);
      }
      EXPECT_LE(asked, 3600 / 10) << length;
      EXPECT_LE(asked, 6 + 3600 / 150) << length;
    }
  }
}

TEST(Term, IsReplacedWhenTheGraceBeginsHoweverManyRenewalsFail) {
  auto term = granted(kStart, seconds(100), true, 0);
  while (term.next.act == Act::renew) term = renewal_failed(term, term.next.at, 0.5);
  EXPECT_EQ(term.next.act, Act::replace);
  EXPECT_EQ(term.next.at, term.ends - term.grace);
}

TEST(Term, ForgetsFailuresOnceItIsRenewed) {
  auto term = granted(kStart, hours(10), true, 0.5);
  for (int i = 0; i < 5; ++i) term = renewal_failed(term, term.next.at, 0.5);
  term = renewed(term, term.next.at, hours(10), true, 0.5);
  EXPECT_EQ(term.failures, 0);
}

TEST(Term, IsReplacedAtOnceWhenItIsLost) {
  const auto term = lost(granted(kStart, hours(1), true, 0.5), kStart + minutes(1));
  EXPECT_EQ(term.next.act, Act::replace);
  EXPECT_EQ(term.next.at, kStart + minutes(1));
  EXPECT_TRUE(term.over(kStart + minutes(1)));
}

TEST(Term, BearsWhateverAServerSays) {
  for (const auto length : {seconds::min(), seconds(-1), seconds::max()}) {
    const auto term = granted(kStart, length, true, 0.5);
    EXPECT_GE(term.next.at, kStart);
    EXPECT_GE(renewed(term, kStart, length, false, 0.5).next.at, kStart);
  }
}

TEST(Backoff, DoublesUpToItsMost) {
  EXPECT_EQ(backoff(1, seconds(1), seconds(30)), seconds(1));
  EXPECT_EQ(backoff(2, seconds(1), seconds(30)), seconds(2));
  EXPECT_EQ(backoff(6, seconds(1), seconds(30)), seconds(30));
  EXPECT_EQ(backoff(1'000'000, seconds(1), seconds(30)), seconds(30));
}

}  // namespace
}  // namespace injector
