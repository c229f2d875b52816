#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "injector/model/reading.h"
#include "injector/net/http.h"

/// Waiting on the one loop, a boost::asio::io_context that main owns and runs on one thread.
///
/// Coroutines of this project are cancelled by signals (asio's cancellation slots) and answer with an error: whoever
/// starts one with co_spawn says `co_await boost::asio::this_coro::throw_if_cancelled(false)` first.
///
/// No co_await in the condition of an if or a while: GCC 12 miscompiles that (the parameters are lost) where the
/// function's outermost block declares no variable. A test looks for it; name the result first.
namespace injector::net {

/// Why a wait ended.
enum class Woken : std::uint8_t { in_time, cancelled };

namespace detail {
boost::asio::awaitable<Woken> sleep(std::int64_t nanoseconds);
boost::asio::awaitable<Woken> sleep_by_boot_clock(std::int64_t nanoseconds);
}  // namespace detail

template <typename Rep, typename Period>
boost::asio::awaitable<Woken> sleep_for(const std::chrono::duration<Rep, Period>& time) {
  return detail::sleep(std::chrono::duration_cast<std::chrono::nanoseconds>(time).count());
}
/// By the clock that goes on in suspension: wakes at once after a machine that slept past `time` is awake again.
inline boost::asio::awaitable<Woken> sleep_until(const BootClock::time_point& time) {
  return detail::sleep_by_boot_clock(time.time_since_epoch().count());
}

namespace detail {
/// Runs `work`, cancels it after `time`, and ends when it has ended.
boost::asio::awaitable<void> run_within(std::chrono::milliseconds time, boost::asio::awaitable<void> work);
}  // namespace detail

/// The task's result, or `Errc::away` ("WHAT took longer than N ms") when it has none by then: it is cancelled, and
/// ended before this ends. A result that came together with the deadline counts.
template <typename T>
Task<T> with_deadline(std::chrono::milliseconds time, std::string what, Task<T> task) {
  std::optional<scanner::base::Result<T>> result;
  const auto keep = [](Task<T> inner, auto& out) -> boost::asio::awaitable<void> {
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    out.emplace(co_await std::move(inner));
  };
  co_await detail::run_within(time, keep(std::move(task), result));
  if (result) co_return *std::move(result);
  co_return scanner::base::fail(scanner::base::Errc::away,
                                what + " took longer than " + std::to_string(time.count()) + " ms");
}

}  // namespace injector::net
