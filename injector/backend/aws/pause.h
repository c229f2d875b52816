#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>

namespace injector::backend::aws {

/// What an error says that came of a cancelled coroutine.
inline constexpr const char* kCancelled = "cancelled";

/// Waits on the loop; false when it was cancelled.
boost::asio::awaitable<bool> pause(std::chrono::milliseconds duration);

/// Whether the coroutine that asks was cancelled: then what the network did to it is nobody's fault.
boost::asio::awaitable<bool> cancelled();

/// From here on, cancellation is an answer and no exception.
boost::asio::awaitable<void> answer_cancellation();

}  // namespace injector::backend::aws
