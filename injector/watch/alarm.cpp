#include "injector/watch/alarm.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>

namespace injector::watch {

namespace asio = boost::asio;

asio::awaitable<void> Alarm::wait(const BootClock::time_point& time) {
  constexpr BootClock::duration kStep = std::chrono::seconds(30);
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    const BootClock::time_point now = BootClock::now();
    if (rung_ || now >= time || cancellation.cancelled() != asio::cancellation_type::none) break;
    timer_.expires_after(std::min(kStep, time - now));
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  rung_ = false;
}

void Alarm::ring() {
  rung_ = true;
  timer_.cancel();
}

}  // namespace injector::watch
