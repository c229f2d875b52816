#include "injector/net/loop.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <sys/timerfd.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace injector::net {

namespace asio = boost::asio;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr auto kStep = std::chrono::seconds(1);

asio::awaitable<bool> cancelled() {
  co_return (co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none;
}

int boot_timer(BootClock::time_point time) {
  const int fd = ::timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  // A time of zero would disarm it.
  const auto nanoseconds = std::max<BootClock::rep>(time.time_since_epoch().count(), 1);
  ::itimerspec when{};
  when.it_value.tv_sec = nanoseconds / 1'000'000'000;
  when.it_value.tv_nsec = nanoseconds % 1'000'000'000;
  if (fd >= 0) ::timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, nullptr);
  return fd;
}

}  // namespace

asio::awaitable<Woken> detail::sleep(std::int64_t nanoseconds) {
  co_await asio::this_coro::throw_if_cancelled(false);
  bool stopped = co_await cancelled();
  if (stopped) co_return Woken::cancelled;
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor);
  timer.expires_after(std::chrono::nanoseconds(nanoseconds));
  co_await timer.async_wait(kTuple);
  stopped = co_await cancelled();
  co_return stopped ? Woken::cancelled : Woken::in_time;
}

asio::awaitable<Woken> detail::sleep_by_boot_clock(std::int64_t nanoseconds) {
  const BootClock::time_point time{std::chrono::nanoseconds(nanoseconds)};
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto executor = co_await asio::this_coro::executor;
  asio::posix::stream_descriptor timer(executor);
  if (const int fd = boot_timer(time); fd >= 0) {
    boost::system::error_code ignored;
    timer.assign(fd, ignored);
  }
  bool stopped = co_await cancelled();
  while (!stopped && BootClock::now() < time) {
    if (timer.is_open()) {
      co_await timer.async_wait(asio::posix::descriptor_base::wait_read, kTuple);
    } else {
      // Without a descriptor to be had, in steps: the clock of other timers may stand still.
      const std::chrono::nanoseconds step = std::min<std::chrono::nanoseconds>(time - BootClock::now(), kStep);
      co_await sleep(step.count());
    }
    stopped = co_await cancelled();
  }
  co_return stopped ? Woken::cancelled : Woken::in_time;
}

asio::awaitable<void> detail::run_within(std::chrono::milliseconds time, asio::awaitable<void> work) {
  using namespace asio::experimental::awaitable_operators;
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, time);
  const auto run_out = [](asio::steady_timer& running) -> asio::awaitable<void> {
    co_await running.async_wait(kTuple);
  };
  co_await (std::move(work) || run_out(timer));
}

}  // namespace injector::net
