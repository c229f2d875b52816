#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "injector/model/reading.h"

namespace injector::watch {

/// A wait that ends at a time or when somebody rings, whichever is first. A ring while nobody waits ends the next wait.
/// One waits at a time.
class Alarm {
 public:
  explicit Alarm(const boost::asio::any_io_executor& executor) : timer_(executor) {}

  /// Ends early, too, when the coroutine is cancelled. After a machine that slept past `time` is awake, within 30 s.
  boost::asio::awaitable<void> wait(const BootClock::time_point& time);
  void ring();

 private:
  boost::asio::steady_timer timer_;
  bool rung_ = false;
};

}  // namespace injector::watch
