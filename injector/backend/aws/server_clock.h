#pragma once

#include <chrono>

#include "injector/backend/aws/credentials.h"

namespace injector::backend::aws {

/// The time as AWS has it: ours, corrected after a server refused a signature for its date. A pod may not set its
/// machine's clock, and the machine's may be wrong.
class ServerClock {
 public:
  [[nodiscard]] Time now() const { return std::chrono::system_clock::now() + skew_; }

  /// AWS takes signatures that are up to five minutes off.
  static constexpr std::chrono::minutes kTolerated{4};

  /// Follows the `Date` of a server's answer when that differs by more than `tolerated` from now(); says whether.
  bool correct(Time server, std::chrono::seconds tolerated) {
    const auto off = server - now();
    if (off < tolerated && -off < tolerated) return false;
    skew_ += std::chrono::duration_cast<std::chrono::seconds>(off);
    return true;
  }

  /// What is added to our clock.
  [[nodiscard]] std::chrono::seconds skew() const { return skew_; }

 private:
  std::chrono::seconds skew_{0};
};

}  // namespace injector::backend::aws
