#include "injector/watch/topic.h"

#include <gtest/gtest.h>

namespace injector::watch {
namespace {

using namespace std::chrono_literals;
using scanner::base::Errc;
using scanner::base::Error;

constexpr auto kStart = BootClock::time_point(1000h);

Topic topic(std::chrono::milliseconds refresh = 5min) {
  Topic made;
  made.query.path = "kv/app";
  made.refresh = refresh;
  made.wanted = true;
  return made;
}

Reading reading(const std::string& version) {
  Reading made;
  made.version = version;
  return made;
}

Reading leased(std::chrono::seconds duration, bool renewable) {
  Reading made;
  made.lease = Lease{.id = "lease", .duration = duration, .renewable = renewable, .space = ""};
  return made;
}

TEST(Topic, IsReadAtOnceWhenItIsWanted) {
  EXPECT_EQ(topic().act(kStart, 1), Topic::Act::read);
  Topic unwanted = topic();
  unwanted.wanted = false;
  EXPECT_EQ(unwanted.act(kStart, 1), Topic::Act::nothing);
}

TEST(Topic, IsProbedWhenItsRefreshIsOver) {
  Topic one = topic(5min);
  one.was_read(reading("7"), kStart, 1, 0);
  EXPECT_EQ(one.act(kStart + 4min, 1), Topic::Act::nothing);
  EXPECT_EQ(one.act(kStart + 5min, 1), Topic::Act::probe);
  one.was_unchanged(kStart + 5min, 0.999);
  EXPECT_EQ(one.act(kStart + 9min, 1), Topic::Act::nothing);
  EXPECT_EQ(one.act(kStart + 9min + 31s, 1), Topic::Act::probe) << "pods drift apart";
}

TEST(Topic, IsReadWhereVersionsDoNotTell) {
  Topic one = topic(5min);
  one.was_read(reading(""), kStart, 1, 0);
  EXPECT_EQ(one.act(kStart + 5min, 1), Topic::Act::read);
}

TEST(Topic, RenewsItsLeaseAndReadsAnewWhenThatEnds) {
  Topic one = topic(1min);
  one.was_read(leased(1h, true), kStart, 1, 0.5);
  EXPECT_EQ(one.act(kStart + 30min, 1), Topic::Act::nothing) << "the refresh is not for what is leased";
  EXPECT_EQ(one.act(one.due, 1), Topic::Act::renew);
  EXPECT_LT(one.due, kStart + 1h);
  one.was_renewed(Lease{.id = "lease", .duration = 10min, .renewable = true, .space = ""}, one.due, 0.5);
  EXPECT_EQ(one.act(one.due, 1), Topic::Act::read) << "a short answer nears the largest age";
}

TEST(Topic, ReadsAnewWhenItsLeaseIsNotKnownAnyMore) {
  Topic one = topic();
  one.was_read(leased(1h, true), kStart, 1, 0.5);
  const auto now = one.due;
  one.renewal_failed(Error(Errc::config, "unknown lease"), now, 0.5);
  EXPECT_EQ(one.act(now, 1), Topic::Act::read);
}

TEST(Topic, TriesRenewalAgainWhileTheStoreIsAway) {
  Topic one = topic();
  one.was_read(leased(1h, true), kStart, 1, 0.5);
  const auto now = one.due;
  one.renewal_failed(Error(Errc::away, "connection refused"), now, 0.5);
  EXPECT_EQ(one.act(now + 1s, 1), Topic::Act::nothing);
  EXPECT_EQ(one.act(now + 10s, 1), Topic::Act::renew);
}

TEST(Topic, ReadsAnewWhatHungOnATokenThatIsLostButNotInALoop) {
  Topic one = topic();
  one.was_read(leased(1h, true), kStart, 1, 0.5);
  EXPECT_EQ(one.act(kStart + 1s, 2), Topic::Act::nothing);
  EXPECT_EQ(one.act(kStart + 5s, 2), Topic::Act::read);
  EXPECT_EQ(one.when(2), kStart + 5s);
}

TEST(Topic, KeepsACertificateUntilItNearsItsEnd) {
  Topic one = topic(1min);
  one.query.write = true;
  Reading certificate = reading("serial");
  certificate.expires = std::chrono::system_clock::now() + 24h;
  one.was_read(std::move(certificate), kStart, 1, 0.5);
  EXPECT_EQ(one.act(kStart + 12h, 1), Topic::Act::nothing);
  EXPECT_EQ(one.act(kStart + 24h, 1), Topic::Act::read);
  EXPECT_LT(one.due, kStart + 23h);
  EXPECT_FALSE(one.may_be_asked()) << "asking makes another one";
}

TEST(Topic, ReadsAStaticCredentialWhenItsStoreChangesIt) {
  Topic one = topic(1h);
  Reading credential = reading("");
  credential.expires = std::chrono::system_clock::now() + 10min;
  one.was_read(std::move(credential), kStart, 1, 0);
  EXPECT_EQ(one.act(kStart + 9min, 1), Topic::Act::nothing);
  EXPECT_EQ(one.act(kStart + 10min + 2s, 1), Topic::Act::read);
}

TEST(Topic, AsksLessAndLessOfWhatFails) {
  for (const auto& [code, most] : {std::pair(Errc::away, 300), std::pair(Errc::denied, 30),
                                   std::pair(Errc::missing, 150), std::pair(Errc::config, 30)}) {
    Topic one = topic();
    auto now = kStart;
    int asked = 0;
    while (now < kStart + 1h) {
      ASSERT_NE(one.act(now, 1), Topic::Act::nothing);
      ++asked;
      one.failed(Error(code, "no"), now, 0.5);
      ASSERT_GT(one.due, now);
      now = one.due;
    }
    EXPECT_LE(asked, most);
  }
}

TEST(Topic, WaitsForItsStoresBackoffAndNotForOneOfItsOwnAfterIt) {
  Topic one = topic();
  for (int i = 0; i < 10; ++i) one.failed(Error(Errc::away, "no"), kStart, 0);
  one.failed(Error(Errc::away, "not asked again"), kStart, 0, kStart + 4s);
  EXPECT_GE(one.due, kStart + 4s);
  EXPECT_LE(one.due, kStart + 5s);
  one.failed(Error(Errc::denied, "no"), kStart, 0, kStart + 4s);
  EXPECT_GE(one.due, kStart + 30s);
}

TEST(Topic, IsFoundAgainWithinThirtySecondsOfTheWeather) {
  Topic one = topic();
  for (int i = 0; i < 50; ++i) one.failed(Error(Errc::away, "no"), kStart, 0);
  EXPECT_LE(one.due, kStart + 30s);
  one.was_read(reading("1"), kStart + 30s, 1, 0);
  EXPECT_TRUE(one.error.empty());
  EXPECT_EQ(one.due, kStart + 30s + 5min);
}

}  // namespace
}  // namespace injector::watch
