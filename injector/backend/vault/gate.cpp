#include "injector/backend/vault/gate.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace injector::backend::vault {

namespace asio = boost::asio;

struct Gate::Waiter {
  asio::steady_timer timer;
};

Gate::Gate() = default;
Gate::~Gate() = default;

void Gate::open() {
  open_ = true;
  for (auto* waiter : waiters_) waiter->timer.cancel();
}

asio::awaitable<bool> Gate::wait(std::shared_ptr<Gate> gate) {
  if (gate->open_) co_return true;
  const auto executor = co_await asio::this_coro::executor;
  Waiter waiter{asio::steady_timer(executor, asio::steady_timer::time_point::max())};
  const auto place = gate->waiters_.insert(gate->waiters_.end(), &waiter);
  // Also when this frame is destroyed while it waits.
  struct Leave {
    Gate& gate;
    std::list<Waiter*>::iterator place;
    ~Leave() { gate.waiters_.erase(place); }
  } const leave{*gate, place};
  boost::system::error_code ignored;
  co_await waiter.timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  co_return gate->open_;
}

}  // namespace injector::backend::vault
