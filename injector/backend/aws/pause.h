#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>

namespace injector::backend::aws {

/// Waits on the loop. Cancelled, it ends by the exception that Asio cancels coroutines with.
boost::asio::awaitable<void> pause(std::chrono::milliseconds duration);

}  // namespace injector::backend::aws
