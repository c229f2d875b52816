#include "injector/watch/watch.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "injector/watch/watch.h"
#include "tests/injector/watch/fake_store.h"

namespace injector::watch {
namespace {

using namespace std::chrono_literals;
using scanner::base::Errc;
using scanner::base::Error;
using ::testing::HasSubstr;
using Of = FileStatus::State;

/// A sidecar without its shell: a directory, stores in memory, and the loop to run by hand.
class WatchTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/watch_test_XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder_ = name;
    a_.put("db", {{"user", "app"}, {"password", "one"}});
    a_.put("key", {{"value", "k1"}});
    b_.put("db", {{"password", "fallback"}});
  }
  void TearDown() override {
    if (HasFailure()) std::fprintf(stderr, "%s", log().c_str());
    stop();
    watch_.reset();
    delivery_.reset();
    std::filesystem::remove_all(folder_);
  }

  void configure(const std::string& files, const std::string& more = "refresh: 50ms") {
    const std::string text =
        "mount: " + folder_ + "\n" + more +
        "\nstores:\n  a: { file: { directory: /nowhere } }\n  b: { file: { directory: /nowhere } }\n"
        "files:\n" +
        files;
    auto config = config::parse(text, "test.yaml");
    ASSERT_TRUE(config) << config.error().message();
    config_ = std::move(*config);
    const int fd = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    auto delivery = deliver::Delivery::open(scanner::base::Fd(fd), folder_);
    ASSERT_TRUE(delivery) << delivery.error().message();
    watch_.reset();
    delivery_.emplace(std::move(*delivery));
    log_fd_ = ::open((folder_ + ".log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    log_.emplace(log_fd_, telemetry::Log::Format::json, telemetry::Level::debug);
    watch_.emplace(Watch::Parts{.executor = loop_.get_executor(),
                                .config = &config_,
                                .stores = {{"a", "fake", &a_}, {"b", "fake", &b_}},
                                .delivery = &*delivery_,
                                .notify = [this](const OnChange& how) -> net::Task<void> {
                                  told_.push_back(to_string(how));
                                  co_return scanner::base::Ok();
                                },
                                .log = &*log_,
                                .random = [] { return 0.5; }});
  }

  void start() {
    running_ = true;
    boost::asio::co_spawn(loop_, watch_->run(),
                          boost::asio::bind_cancellation_slot(stop_.slot(), [this](const std::exception_ptr& thrown) {
                            running_ = false;
                            EXPECT_FALSE(thrown);
                          }));
  }
  void run_for(std::chrono::milliseconds time) {
    loop_.restart();
    loop_.run_for(time);
  }
  void stop() {
    if (!running_) return;
    stop_.emit(boost::asio::cancellation_type::all);
    run_for(2s);
    EXPECT_FALSE(running_);
  }
  scanner::base::Result<void> once(std::chrono::milliseconds limit) {
    std::optional<scanner::base::Result<void>> result;
    boost::asio::co_spawn(loop_, watch_->once(limit),
                          [&](const std::exception_ptr&, scanner::base::Result<void> got) { result = std::move(got); });
    run_for(limit + 2s);
    EXPECT_TRUE(result);
    return *std::move(result);
  }

  [[nodiscard]] std::string content(const std::string& path) const {
    std::ifstream file(folder_ + "/" + path, std::ios::binary);
    std::stringstream text;
    text << (file ? "" : "(absent)") << file.rdbuf();
    return text.str();
  }
  [[nodiscard]] std::string log() const {
    std::ifstream file(folder_ + ".log");
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  FileStatus file(std::size_t index) { return watch_->status().files.at(index); }

  std::string folder_;
  FakeStore a_;
  FakeStore b_;
  boost::asio::io_context loop_;
  boost::asio::cancellation_signal stop_;
  config::Config config_;
  std::optional<deliver::Delivery> delivery_;
  std::optional<telemetry::Log> log_;
  std::optional<Watch> watch_;
  std::vector<std::string> told_;
  int log_fd_ = -1;
  bool running_ = false;
};

const std::string kPassword = "  - { path: db/password, from: 'a:db#password' }\n";
const std::string kKey = "  - { path: key, from: 'a:key#value' }\n";

TEST_F(WatchTest, DeliversEveryFileAndHasStartedThen) {
  configure(kPassword + kKey + "  - { path: db.json, from: 'a:db' }\n");
  EXPECT_FALSE(watch_->status().started);
  start();
  run_for(200ms);
  EXPECT_TRUE(watch_->status().started);
  EXPECT_TRUE(watch_->status().ready);
  EXPECT_EQ(content("db/password"), "one");
  EXPECT_EQ(content("key"), "k1");
  EXPECT_THAT(content("db.json"), HasSubstr("\"user\":\"app\""));
  EXPECT_EQ(file(0).state, Of::fresh);
  EXPECT_EQ(file(0).source, "a:db#password");
  EXPECT_EQ(file(0).version, "1");
}

TEST_F(WatchTest, ReadsAPathOnceForAllItsFiles) {
  configure(kPassword + "  - { path: user, from: 'a:db#user' }\n  - { path: db.json, from: 'a:db' }\n", "refresh: 1h");
  start();
  run_for(200ms);
  EXPECT_EQ(a_.requests, 1);
}

TEST_F(WatchTest, BringsAChangeAndWritesNothingWithoutOne) {
  configure(kPassword + kKey);
  start();
  run_for(300ms);
  EXPECT_EQ(watch_->status().publications, 1U);
  a_.put("db", {{"password", "two"}});
  run_for(300ms);
  EXPECT_EQ(content("db/password"), "two");
  EXPECT_EQ(watch_->status().publications, 2U);
  EXPECT_EQ(watch_->status().changes, 3U);
}

TEST_F(WatchTest, LetsNoBadSecretHoldUpTheOthers) {
  a_.refused.emplace("db", Error(Errc::denied, "permission denied"));
  configure(kPassword + kKey);
  start();
  run_for(200ms);
  EXPECT_EQ(content("key"), "k1");
  EXPECT_EQ(content("db/password"), "(absent)");
  EXPECT_FALSE(watch_->status().started);
  EXPECT_EQ(file(0).error, "permission denied");
  a_.put("key", {{"value", "k2"}});
  run_for(200ms);
  EXPECT_EQ(content("key"), "k2");
}

TEST_F(WatchTest, TakesTheFallbackWhereTheFirstCannotBeHadAndComesBack) {
  a_.refused.emplace("db", Error(Errc::away, "connection refused"));
  configure("  - { path: pw, from: ['a:db#password', 'b:db#password'] }\n");
  start();
  run_for(200ms);
  EXPECT_EQ(content("pw"), "fallback");
  EXPECT_EQ(file(0).source, "b:db#password");
  EXPECT_TRUE(watch_->status().ready);
  a_.refused.clear();
  run_for(1500ms);
  EXPECT_EQ(content("pw"), "one");
  EXPECT_EQ(file(0).source, "a:db#password");
  const int asked = b_.requests;
  run_for(300ms);
  EXPECT_EQ(b_.requests, asked) << "the fallback is left alone while it is not needed";
}

TEST_F(WatchTest, TakesTheFallbackForAKeyThatIsNotThere) {
  configure("  - { path: pw, from: ['a:key#password', 'b:db#password'] }\n");
  start();
  run_for(200ms);
  EXPECT_EQ(content("pw"), "fallback");
}

TEST_F(WatchTest, DoesNotTakeTheFallbackWhileTheLastGoodFileIsNotTooOld) {
  configure("  - { path: pw, from: ['a:db#password', 'b:db#password'], max_stale: { after: 1s, then: warn } }\n");
  start();
  run_for(200ms);
  a_.trouble = Error(Errc::away, "connection refused");
  run_for(300ms);
  EXPECT_EQ(content("pw"), "one");
  EXPECT_EQ(b_.requests, 0);
  run_for(1700ms);
  EXPECT_EQ(content("pw"), "fallback");
}

TEST_F(WatchTest, KeepsTheLastGoodFilesAndAsksLittleWhileAStoreIsAway) {
  std::string files;
  for (int i = 0; i < 100; ++i) {
    a_.put("p" + std::to_string(i), {{"v", std::to_string(i)}});
    files += "  - { path: f" + std::to_string(i) + ", from: 'a:p" + std::to_string(i) + "#v' }\n";
  }
  configure(files);
  start();
  run_for(300ms);
  a_.trouble = Error(Errc::away, "connection refused");
  run_for(200ms);  // The round that finds out.
  a_.requests = 0;
  run_for(4s);
  EXPECT_LE(a_.requests, 4);
  EXPECT_EQ(content("f99"), "99");
  EXPECT_TRUE(watch_->status().stores.at(0).away);
  a_.trouble.reset();
  a_.put("p99", {{"v", "new"}});
  run_for(8s);
  EXPECT_EQ(content("f99"), "new");
  EXPECT_FALSE(watch_->status().stores.at(0).away);
}

TEST_F(WatchTest, IsUnreadyWhenAFileIsOlderThanItsPolicyAllows) {
  configure("  - { path: pw, from: 'a:db#password', max_stale: { after: 1s, then: unready } }\n" + kKey);
  start();
  run_for(200ms);
  EXPECT_TRUE(watch_->status().ready);
  a_.trouble = Error(Errc::away, "connection refused");
  run_for(1700ms);
  EXPECT_FALSE(watch_->status().ready);
  EXPECT_TRUE(watch_->status().started);
  EXPECT_EQ(file(0).state, Of::stale);
  EXPECT_EQ(content("pw"), "one");
  a_.trouble.reset();
  run_for(4s);
  EXPECT_TRUE(watch_->status().ready);
}

TEST_F(WatchTest, RemovesAFileThatIsTooOldAndBringsItBack) {
  configure("  - { path: pw, from: 'a:db#password', max_stale: { after: 1s, then: remove } }\n" + kKey);
  start();
  run_for(200ms);
  a_.trouble = Error(Errc::away, "connection refused");
  run_for(1700ms);
  EXPECT_EQ(content("pw"), "(absent)");
  EXPECT_EQ(content("key"), "k1");
  EXPECT_FALSE(watch_->status().ready);
  a_.trouble.reset();
  run_for(3s);
  EXPECT_EQ(content("pw"), "one");
  EXPECT_TRUE(watch_->status().ready);
}

TEST_F(WatchTest, RenewsALeaseInsteadOfReadingAgain) {
  a_.values["db"].lease = Lease{.id = "lease-1", .duration = 3s, .renewable = true, .space = ""};
  configure(kPassword);
  start();
  run_for(2800ms);
  EXPECT_EQ(a_.reads, 1);
  EXPECT_GE(a_.renewals, 1);
  EXPECT_TRUE(file(0).ends);
}

TEST_F(WatchTest, TellsOnceForChangesThatComeTogetherAndNotOfTheFirstDelivery) {
  const std::string post = "on_change: { post: 'http://127.0.0.1:1/reload', debounce: 300ms }";
  configure("  - { path: pw, from: 'a:db#password', " + post + " }\n  - { path: key, from: 'a:key#value', " + post +
            " }\n");
  start();
  run_for(500ms);
  EXPECT_THAT(told_, testing::IsEmpty());
  a_.put("db", {{"password", "two"}});
  run_for(100ms);
  a_.put("key", {{"value", "k2"}});
  run_for(700ms);
  EXPECT_THAT(told_, testing::ElementsAre("POST http://127.0.0.1:1/reload"));
  EXPECT_EQ(watch_->status().notified, 1U);
}

TEST_F(WatchTest, TellsAtItsEndWhatStillWaited) {
  configure(
      "  - { path: pw, from: 'a:db#password', on_change: { post: 'http://127.0.0.1:1/reload', debounce: 10s } }\n");
  start();
  run_for(300ms);
  a_.put("db", {{"password", "two"}});
  run_for(300ms);
  EXPECT_THAT(told_, testing::IsEmpty());
  stop();
  EXPECT_EQ(told_.size(), 1U);
}

TEST_F(WatchTest, OnceAsksForWhatAProcessBeforeItDelivered) {
  configure(kPassword);
  ASSERT_TRUE(once(2s));
  a_.put("db", {{"password", "two"}});
  configure(kPassword);
  ASSERT_TRUE(once(2s));
  EXPECT_EQ(content("db/password"), "two");
  a_.trouble = Error(Errc::away, "connection refused");
  configure(kPassword);
  EXPECT_TRUE(once(10s)) << "what is there serves while its store is away";
}

TEST_F(WatchTest, TakesOverWhatAProcessBeforeItDelivered) {
  configure(kPassword);
  start();
  run_for(200ms);
  stop();
  a_.trouble = Error(Errc::away, "connection refused");
  configure(kPassword);
  EXPECT_TRUE(watch_->status().started);
  EXPECT_EQ(file(0).state, Of::adopted);
  EXPECT_EQ(content("db/password"), "one");
  a_.trouble.reset();
  start();
  run_for(300ms);
  EXPECT_EQ(file(0).state, Of::fresh);
}

TEST_F(WatchTest, RemovesWhatTheConfigurationDoesNotAskForAnyMore) {
  configure(kPassword + kKey);
  ASSERT_TRUE(once(2s));
  configure(kKey);
  ASSERT_TRUE(once(2s));
  start();
  run_for(300ms);
  EXPECT_EQ(content("db/password"), "(absent)");
  EXPECT_EQ(content("key"), "k1");
}

TEST_F(WatchTest, OnceEndsWhenEverythingIsThere) {
  configure(kPassword + kKey);
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_TRUE(once(10s));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
  EXPECT_EQ(content("key"), "k1");
}

TEST_F(WatchTest, OnceSaysWhatIsMissingAndDoesNotWaitForWhatIsRefused) {
  configure(kPassword + "  - { path: other, from: 'a:nothing#x' }\n  - { path: third, from: 'a:key#absent' }\n");
  const auto result = once(30s);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message(), HasSubstr("other: nothing at nothing"));
  EXPECT_THAT(result.error().message(), HasSubstr("third: "));
  EXPECT_THAT(result.error().message(), testing::Not(HasSubstr("db/password")));
}

TEST_F(WatchTest, OnceWaitsForTheWeatherAsLongAsItMay) {
  a_.trouble = Error(Errc::away, "connection refused");
  configure(kPassword);
  const auto result = once(1500ms);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message(), HasSubstr("db/password: connection refused"));
  EXPECT_LE(a_.requests, 3);
}

TEST_F(WatchTest, LooksAtOnceWhenItIsAskedTo) {
  configure(kPassword, "refresh: 1h");
  start();
  run_for(200ms);
  a_.put("db", {{"password", "two"}});
  run_for(200ms);
  EXPECT_EQ(content("db/password"), "one");
  watch_->refresh();
  run_for(200ms);
  EXPECT_EQ(content("db/password"), "two");
}

TEST_F(WatchTest, WritesAnAuditLineForEachDeliveryAndNeverAValue) {
  a_.put("db", {{"password", "canary-value-5309"}});
  configure(kPassword);
  start();
  run_for(300ms);
  EXPECT_THAT(log(), HasSubstr("\"event.action\":\"deliver\""));
  EXPECT_THAT(log(), HasSubstr("\"file.path\":\"db/password\""));
  EXPECT_THAT(log(), HasSubstr("\"secret.version\":\"2\""));
  EXPECT_THAT(log(), HasSubstr("\"file.mode\":\"0400\""));
  EXPECT_THAT(log(), testing::Not(HasSubstr("canary-value")));
}

TEST_F(WatchTest, MendsAFileThatSomebodyElseHasChanged) {
  configure(kPassword + kKey, "refresh: 200ms");
  start();
  run_for(300ms);
  std::filesystem::remove(folder_ + "/..data/key");
  a_.put("db", {{"password", "two"}});
  run_for(3s);
  EXPECT_EQ(content("db/password"), "two");
  EXPECT_EQ(content("key"), "k1");
}

TEST_F(WatchTest, FollowsTwoHundredRotationsOneByOne) {
  configure(kPassword, "refresh: 10ms");
  start();
  run_for(100ms);
  for (int i = 0; i < 200; ++i) {
    a_.put("db", {{"password", "rotation-" + std::to_string(i)}});
    run_for(25ms);
    ASSERT_EQ(content("db/password"), "rotation-" + std::to_string(i));
  }
}

}  // namespace
}  // namespace injector::watch
