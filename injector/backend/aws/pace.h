#pragma once

#include <chrono>
#include <optional>

#include "injector/model/reading.h"

namespace injector::backend::aws {

using Milliseconds = std::chrono::milliseconds;

/// Tells how soon a failed request may be sent again, and whether at all: the numbers of botocore's standard mode.
/// Each retry costs tokens and each success gives some back: so in an outage, a hundred reads do not become three
/// hundred requests.
class RetryQuota {
 public:
  static constexpr int kAttempts = 3;

  /// Takes the price of one retry; false when there is not enough left.
  bool take(bool after_timeout);
  /// A request went well; `taken` is what its last retry had cost (0: it needed none).
  void give_back(int taken);
  [[nodiscard]] int left() const { return left_; }

  static int price(bool after_timeout) { return after_timeout ? 10 : 5; }

 private:
  static constexpr int kCapacity = 500;
  int left_ = kCapacity;
};

/// A random part of 50 ms (1 s when throttled), doubled with each attempt from 0, of 20 s at most. `asked`, what the
/// server wants, counts when it is longer.
Milliseconds retry_wait(int attempt, bool throttled, std::optional<Milliseconds> asked);

/// Leaves something alone that failed: for 1 s at first, twice as long each time, 30 s at most, less a random part of
/// up to a half. While it fails, one attempt at a time tries whether it is back.
class Hold {
 public:
  static constexpr Milliseconds kLongest{30'000};

  /// Whether it may be tried now. While failing, a true claims the one attempt, which ends by failed(), well() or
  /// release().
  bool claim();
  void failed(std::optional<Milliseconds> asked);
  void well();
  /// The attempt came to nothing either way (it was cancelled).
  void release() { tried_ = false; }

  [[nodiscard]] bool failing() const { return failures_ > 0; }
  /// Until the next attempt; 0 when there may be one.
  [[nodiscard]] Milliseconds left() const;

 private:
  int failures_ = 0;
  bool tried_ = false;
  BootClock::time_point until_{};
};

}  // namespace injector::backend::aws
