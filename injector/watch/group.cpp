#include "injector/watch/group.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <utility>

#include "scanner/base/check.h"

namespace injector::watch {

namespace asio = boost::asio;

namespace {

asio::awaitable<void> uncancelled_by_throwing(asio::awaitable<void> work) {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await std::move(work);
}

}  // namespace

Group::~Group() { SCANNER_CHECK(running_ == 0); }

void Group::start(asio::awaitable<void> work) {
  if (running_ == 0) signals_.clear();
  ++running_;
  auto& signal = signals_.emplace_back();
  asio::co_spawn(executor_, uncancelled_by_throwing(std::move(work)),
                 asio::bind_cancellation_slot(signal.slot(), [this](const std::exception_ptr& thrown) {
                   if (--running_ == 0) all_done_.cancel();
                   if (thrown) std::rethrow_exception(thrown);  // A bug: nothing of ours throws.
                 }));
}

void Group::cancel() {
  for (auto& signal : signals_) signal.emit(asio::cancellation_type::all);
}

asio::awaitable<void> Group::join() {
  co_await asio::this_coro::throw_if_cancelled(false);
  bool told = false;
  while (running_ > 0) {
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    if (!told && cancellation.cancelled() != asio::cancellation_type::none) {
      told = true;
      cancel();
      continue;
    }
    all_done_.expires_at(asio::steady_timer::time_point::max());
    co_await all_done_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

}  // namespace injector::watch
