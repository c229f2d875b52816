#include "injector/backend/vault/clock.h"

#include "injector/net/loop.h"
#include "injector/net/retry.h"

namespace injector::backend::vault {

boost::asio::awaitable<void> LoopClock::sleep(std::chrono::nanoseconds duration) {
  co_await net::sleep_until(BootClock::now() + duration);
}

double LoopClock::random() { return net::random_number(); }

}  // namespace injector::backend::vault
