#pragma once

#include <chrono>
#include <limits>

#include "injector/model/reading.h"

namespace injector {

/// Something granted for a time, a token or a lease, and the one thing to do about it next. A value: whoever holds it
/// asks at `next.at` and puts the outcome in, by the functions below. `random` is from [0, 1), and spreads the pods of
/// one Deployment.
///
/// After the granted length L: grace = L/10 to L/5. With R left, a renewal is due after 2/3 R + grace/3; once that
/// would reach into the grace, or what is left cannot be renewed, the thing is replaced when the grace begins. An
/// answer shorter than what was asked for nears the largest age a server allows: then it is replaced after 2/3 of what
/// is left, while there is time to fail. No plan is sooner than kLeast after the last, whatever a server says.
struct Term {
  enum class Act : std::uint8_t {
    rest,     ///< It never ends.
    renew,    ///< Ask for `asked` more.
    replace,  ///< Get another: log in, or read again.
  };
  struct Step {
    Act act = Act::rest;
    BootClock::time_point at = BootClock::time_point::max();
  };

  Step next;
  BootClock::time_point ends = BootClock::time_point::max();
  std::chrono::seconds asked{0};  ///< The longest that was ever granted: what a renewal asks for.
  std::chrono::nanoseconds grace{0};
  bool renewable = false;
  int failures = 0;  ///< Renewals that failed since the last that did not.

  static constexpr std::chrono::seconds kLeast{1};

  [[nodiscard]] bool over(BootClock::time_point now) const { return now >= ends; }
};

/// Granted just now. A duration of zero never ends.
Term granted(BootClock::time_point now, std::chrono::seconds duration, bool renewable, double random);

/// A renewal was answered with `duration`.
Term renewed(Term term, BootClock::time_point now, std::chrono::seconds duration, bool renewable, double random);

/// A renewal failed for now: again after 10 s, doubling to 5 min, each times 0.5 to 1.5; replaced when the grace
/// begins.
Term renewal_failed(Term term, BootClock::time_point now, double random);

/// It is known to be lost, or of no use any more: to be replaced at once.
Term lost(Term term, BootClock::time_point now);

/// `first`, doubled with every failure after the first, at most `most`.
std::chrono::nanoseconds backoff(int failures, std::chrono::nanoseconds first, std::chrono::nanoseconds most);

}  // namespace injector
