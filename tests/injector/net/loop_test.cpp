#include "injector/net/loop.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/injector/net/loop.h"

namespace injector::net {
namespace {

using namespace std::chrono_literals;
using scanner::base::Errc;
using scanner::base::Result;

Task<int> after(std::chrono::milliseconds time, int value) {
  const Woken woken = co_await sleep_for(time);
  if (woken == Woken::cancelled) co_return scanner::base::fail(Errc::away, "cancelled");
  co_return value;
}

Task<int> until(std::chrono::milliseconds time, int value) {
  const Woken woken = co_await sleep_until(BootClock::now() + time);
  if (woken == Woken::cancelled) co_return scanner::base::fail(Errc::away, "cancelled");
  co_return value;
}

class LoopTest : public ::testing::Test {
 protected:
  /// The result, and how long it took in milliseconds.
  std::pair<Result<int>, long> timed(Task<int> task) {
    const auto before = std::chrono::steady_clock::now();
    auto result = tests::run(loop_, std::move(task));
    return {std::move(result),
            std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - before).count()};
  }

  boost::asio::io_context loop_;
};

TEST_F(LoopTest, SleepsByEitherClock) {
  EXPECT_GE(timed(after(50ms, 1)).second, 49);
  const auto [result, time] = timed(until(50ms, 2));
  EXPECT_EQ(*result, 2);
  EXPECT_GE(time, 49);
  EXPECT_LT(time, 1000);
  EXPECT_LT(timed(until(-10s, 3)).second, 20);
}

TEST_F(LoopTest, SleepsWithoutADescriptorToBeHad) {
  EXPECT_TRUE(tests::run(loop_, after(1ms, 1)));
  ::rlimit old{};
  ::getrlimit(RLIMIT_NOFILE, &old);
  const ::rlimit none{.rlim_cur = 3, .rlim_max = old.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  const auto [result, time] = timed(until(50ms, 2));
  ::setrlimit(RLIMIT_NOFILE, &old);
  EXPECT_EQ(*result, 2);
  EXPECT_GE(time, 49);
}

TEST_F(LoopTest, GivesAResultThatComesInTime) {
  const auto [result, time] = timed(with_deadline(5s, "the answer", after(20ms, 42)));
  EXPECT_EQ(*result, 42);
  EXPECT_LT(time, 1000);
}

TEST_F(LoopTest, CancelsAndEndsWhatIsLate) {
  const auto [result, time] = timed(with_deadline(50ms, "the answer", after(10s, 42)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Errc::away);
  EXPECT_LT(time, 1000);
}

TEST_F(LoopTest, PassesACancellationOn) {
  std::optional<Result<int>> result;
  boost::asio::cancellation_signal stop;
  boost::asio::co_spawn(
      loop_,
      [&]() -> boost::asio::awaitable<void> {
        co_await boost::asio::this_coro::throw_if_cancelled(false);
        result.emplace(co_await with_deadline(10s, "the answer", until(10s, 42)));
      },
      boost::asio::bind_cancellation_slot(stop.slot(), boost::asio::detached));
  boost::asio::steady_timer timer(loop_, 50ms);
  timer.async_wait([&](auto) { stop.emit(boost::asio::cancellation_type::all); });
  const auto before = std::chrono::steady_clock::now();
  loop_.run();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 1s);
  ASSERT_TRUE(result.has_value());
  EXPECT_FALSE(*result);
}

}  // namespace
}  // namespace injector::net
