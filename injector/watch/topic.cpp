#include "injector/watch/topic.h"

#include <algorithm>
#include <utility>

#include "injector/net/retry.h"

namespace injector::watch {

using namespace std::chrono_literals;
using scanner::base::Errc;

namespace {

/// A store that is back is found again within one cap. What it refuses needs a person first, who is slower than that.
net::Backoff backoff_after(Errc code) {
  switch (code) {
    case Errc::denied:
      return {.first = 30s, .cap = 5min};
    case Errc::missing:
      return {.first = 5s, .cap = 1min};
    case Errc::config:
    case Errc::unsupported:
      return {.first = 1min, .cap = 5min};
    default:
      return {.first = 1s, .cap = 30s};
  }
}

/// How far pods that started together drift apart at each refresh.
constexpr double kSpread = 0.1;

}  // namespace

BootClock::time_point Topic::when(std::uint64_t current) const {
  // What hung on a token that is lost ends with it. Not at once, for a token that is good for one use is lost each
  // time.
  return lost(current) ? std::min(due, confirmed + 5s) : due;
}

Topic::Act Topic::act(BootClock::time_point now, std::uint64_t current) const {
  if (!wanted || now < when(current)) return Act::nothing;
  if (!known || look || lost(current)) return Act::read;
  if (term) return term->next.act == Term::Act::renew ? Act::renew : Act::read;
  return query.write || version.empty() ? Act::read : Act::probe;
}

void Topic::confirm(BootClock::time_point now) {
  confirmed = now;
  confirmed_at = std::chrono::system_clock::now();
  failures = 0;
  look = false;
  weather = false;
  error.clear();
}

void Topic::plan(BootClock::time_point now, double random) {
  if (term) {
    due = term->next.at;
    return;
  }
  due = now + net::jittered(refresh, kSpread, random);
  if (ends) {
    // A static credential: its store says when it changes next.
    const auto left = std::max(*ends - std::chrono::system_clock::now(), std::chrono::system_clock::duration::zero());
    due = std::min(due, now + left + 1s);
  }
}

void Topic::was_read(Reading fresh, BootClock::time_point now, std::uint64_t current, double random) {
  confirm(now);
  known = true;
  version = fresh.version;
  request_id = fresh.request_id;
  lease = fresh.lease.value_or(Lease{});
  session = current;
  ends = fresh.expires;
  term.reset();
  if (leased()) {
    term = granted(now, lease.duration, lease.renewable, random);
    ends = std::chrono::system_clock::now() + lease.duration;
  } else if (query.write && fresh.expires) {
    const auto left = *fresh.expires - std::chrono::system_clock::now();
    term = granted(now, std::max(std::chrono::duration_cast<std::chrono::seconds>(left), 1s), false, random);
  }
  reading = std::move(fresh);
  unseen = true;
  ++reads;
  plan(now, random);
}

void Topic::was_unchanged(BootClock::time_point now, double random) {
  confirm(now);
  plan(now, random);
}

void Topic::was_renewed(const Lease& renewed_lease, BootClock::time_point now, double random) {
  confirm(now);
  lease.duration = renewed_lease.duration;
  term = renewed(*term, now, renewed_lease.duration, renewed_lease.renewable, random);
  ends = std::chrono::system_clock::now() + renewed_lease.duration;
  plan(now, random);
}

void Topic::renewal_failed(const scanner::base::Error& why, BootClock::time_point now, double random) {
  error = why.message();
  weather = why.code() == Errc::away;
  // A lease that its store does not know, or will not extend, is replaced; the value in use stays until then.
  term = weather ? injector::renewal_failed(*term, now, random) : injector::lost(*term, now);
  plan(now, random);
}

void Topic::failed(const scanner::base::Error& why, BootClock::time_point now, double random,
                   std::optional<BootClock::time_point> held_until) {
  ++failures;
  error = why.message();
  weather = why.code() == Errc::away;
  look = true;
  due = now + backoff_after(why.code()).after(failures, random);
  // The store's own backoff is the one that counts: a question before its end is lost, and after it every second
  // counts.
  if (weather && held_until && *held_until > now) due = *held_until + net::jittered(1s, 1.0, random);
}

}  // namespace injector::watch
