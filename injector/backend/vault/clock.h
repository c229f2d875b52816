#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>

#include "injector/model/reading.h"

namespace injector::backend::vault {

/// Time and chance. Tests tick their own.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual BootClock::time_point now() const = 0;
  [[nodiscard]] virtual std::chrono::system_clock::time_point wall() const = 0;
  /// By now(), so that a machine that was suspended wakes at once. Ends early when cancelled.
  virtual boost::asio::awaitable<void> sleep(std::chrono::nanoseconds duration) = 0;
  /// From [0, 1).
  virtual double random() = 0;
};

/// The machine's, and the loop's timers.
class LoopClock final : public Clock {
 public:
  [[nodiscard]] BootClock::time_point now() const override { return BootClock::now(); }
  [[nodiscard]] std::chrono::system_clock::time_point wall() const override { return std::chrono::system_clock::now(); }
  boost::asio::awaitable<void> sleep(std::chrono::nanoseconds duration) override;
  double random() override;
};

}  // namespace injector::backend::vault
