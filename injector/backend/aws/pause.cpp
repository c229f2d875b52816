#include "injector/backend/aws/pause.h"

#include <boost/asio/this_coro.hpp>

#include "injector/net/loop.h"

namespace injector::backend::aws {

namespace asio = boost::asio;

asio::awaitable<bool> pause(std::chrono::milliseconds duration) {
  const net::Woken woken = co_await net::sleep_for(duration);
  co_return woken == net::Woken::in_time;
}

asio::awaitable<bool> cancelled() {
  const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
  co_return state.cancelled() != asio::cancellation_type::none;
}

asio::awaitable<void> answer_cancellation() { co_await asio::this_coro::throw_if_cancelled(false); }

}  // namespace injector::backend::aws
