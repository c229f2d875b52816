#include "injector/model/term.h"

#include <algorithm>

namespace injector {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

nanoseconds part(nanoseconds whole, double factor) {
  return nanoseconds(static_cast<std::int64_t>(static_cast<double>(whole.count()) * factor));
}

Term::Step at_least(BootClock::time_point now, Term::Step step) {
  step.at = std::max(step.at, now + Term::kLeast);
  return step;
}

/// What to do after an answer at `now`.
Term::Step plan(const Term& term, BootClock::time_point now) {
  const auto left = term.ends - now;
  const auto replace = at_least(now, {Term::Act::replace, term.ends - term.grace});
  if (!term.renewable || left <= term.grace) return replace;
  const auto sleep = part(left, 2.0 / 3) + term.grace / 3;
  return left - sleep <= term.grace ? replace : at_least(now, {Term::Act::renew, now + sleep});
}

nanoseconds grace_of(seconds duration, double random) { return part(duration, 0.1 + 0.1 * random); }

/// Nothing is granted for longer than a century, so that no sum overflows.
seconds bounded(seconds duration) { return std::clamp(duration, seconds(0), seconds(3'155'760'000)); }

}  // namespace

Term granted(BootClock::time_point now, seconds duration, bool renewable, double random) {
  Term term;
  duration = bounded(duration);
  if (duration == seconds(0)) return term;
  term.ends = now + duration;
  term.asked = duration;
  term.grace = grace_of(duration, random);
  term.renewable = renewable;
  term.next = plan(term, now);
  return term;
}

Term renewed(Term term, BootClock::time_point now, seconds duration, bool renewable, double random) {
  duration = bounded(duration);
  if (duration == seconds(0) || duration > term.asked) return granted(now, duration, renewable, random);
  term.failures = 0;
  term.renewable = renewable;
  term.ends = now + duration;
  // A second is what rounding takes.
  if (duration + seconds(1) < term.asked) {
    term.next = at_least(now, {Term::Act::replace, now + part(duration, 2.0 / 3)});
  } else {
    term.next = plan(term, now);
  }
  return term;
}

Term renewal_failed(Term term, BootClock::time_point now, double random) {
  ++term.failures;
  const auto again = now + part(backoff(term.failures, seconds(10), seconds(300)), 0.5 + random);
  const auto last = term.ends - term.grace;
  term.next = at_least(now, again < last ? Term::Step{Term::Act::renew, again} : Term::Step{Term::Act::replace, last});
  return term;
}

Term lost(Term term, BootClock::time_point now) {
  term.ends = std::min(term.ends, now);
  term.next = {Term::Act::replace, now};
  return term;
}

nanoseconds backoff(int failures, nanoseconds first, nanoseconds most) {
  auto delay = first;
  for (int i = 1; i < failures && delay < most; ++i) delay *= 2;
  return std::min(delay, most);
}

}  // namespace injector
