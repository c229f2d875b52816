#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "injector/model/reading.h"

namespace injector::net {

/// How long to wait between attempts. The random number is handed in, from [0, 1): so all of this is arithmetic.
struct Backoff {
  std::chrono::milliseconds first{1'000};
  std::chrono::milliseconds cap{30'000};  ///< A store that is back is found again within one of these.

  /// The wait after so many failures in a row (1 and up): doubled each time up to the cap, and of that between a half
  /// and the whole, so that many that failed together do not ask again together. Asks 9 to 12 times in two minutes, 30
  /// to 46 times in ten. ("Decorrelated" jitter, which starts again near `first`, asks twice as often.)
  [[nodiscard]] std::chrono::milliseconds after(unsigned failures, double random) const;
};

/// A time spread by up to `share` of it, downwards: renewals and refreshes of many pods must not fall together, and
/// none may come late.
std::chrono::milliseconds jittered(std::chrono::milliseconds time, double share, double random);

/// A number from [0, 1) of the kernel's, for the above.
double random_number();

/// How much may be asked: a bucket that holds `burst` tokens and gains one each `interval`.
class Budget {
 public:
  Budget(std::chrono::milliseconds interval, int burst) : interval_(interval), burst_(burst), tokens_(burst) {}

  /// Takes a token; false when there is none.
  bool take(BootClock::time_point now);
  /// When there will be one: now, or later.
  [[nodiscard]] BootClock::time_point next(BootClock::time_point now) const;

 private:
  [[nodiscard]] double level(BootClock::time_point now) const;

  std::chrono::milliseconds interval_;
  int burst_;
  double tokens_;
  BootClock::time_point counted_{};
};

/// A Retry-After header, as seconds or as a date, from now on: at least zero, at most `most`. Nothing where it is
/// neither.
std::optional<std::chrono::seconds> retry_after(std::string_view value, std::chrono::system_clock::time_point now,
                                                std::chrono::seconds most = std::chrono::seconds(300));

}  // namespace injector::net
