#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <list>

namespace injector::watch {

/// Coroutines that run side by side on the one loop, and end together. Must not end before they have: see join().
class Group {
 public:
  explicit Group(const boost::asio::any_io_executor& executor) : executor_(executor), all_done_(executor) {}
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group();

  void start(boost::asio::awaitable<void> work);
  void cancel();
  /// Waits for the end of all that were started; cancelled itself, it cancels them and goes on waiting.
  boost::asio::awaitable<void> join();

 private:
  boost::asio::any_io_executor executor_;
  std::list<boost::asio::cancellation_signal> signals_;
  std::size_t running_ = 0;
  boost::asio::steady_timer all_done_;
};

}  // namespace injector::watch
