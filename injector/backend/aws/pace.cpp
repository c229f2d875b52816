#include "injector/backend/aws/pace.h"

#include <algorithm>
#include <random>

namespace injector::backend::aws {
namespace {

/// At random from `low` to `high`: what has many sidecars not ask in step.
Milliseconds between(Milliseconds low, Milliseconds high) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  return Milliseconds(std::uniform_int_distribution<Milliseconds::rep>(low.count(), high.count())(random));
}

}  // namespace

bool RetryQuota::take(bool after_timeout) {
  if (left_ < price(after_timeout)) return false;
  left_ -= price(after_timeout);
  return true;
}

void RetryQuota::give_back(int taken) { left_ = std::min(kCapacity, left_ + std::max(taken, 1)); }

Milliseconds retry_wait(int attempt, bool throttled, std::optional<Milliseconds> asked) {
  constexpr Milliseconds kCap{20'000};
  const Milliseconds base = throttled ? Milliseconds(1000) : Milliseconds(50);
  const Milliseconds wait = between(Milliseconds(0), std::min(kCap, base * (1 << std::clamp(attempt, 0, 10))));
  return std::max(wait, asked.value_or(Milliseconds(0)));
}

bool Hold::claim() {
  if (failures_ == 0) return true;
  if (tried_ || BootClock::now() < until_) return false;
  tried_ = true;
  return true;
}

void Hold::failed(std::optional<Milliseconds> asked) {
  tried_ = false;
  // Many requests that were under way when it went away are one failure.
  if (failures_ > 0 && BootClock::now() < until_) return;
  const Milliseconds longest = std::min(kLongest, Milliseconds(1000) * (1 << std::min(failures_, 5)));
  ++failures_;
  const Milliseconds wait = std::max(between(longest / 2, longest), asked.value_or(Milliseconds(0)));
  until_ = BootClock::now() + wait;
}

void Hold::well() {
  failures_ = 0;
  tried_ = false;
}

Milliseconds Hold::left() const {
  if (failures_ == 0) return Milliseconds(0);
  return std::max(Milliseconds(0), std::chrono::ceil<Milliseconds>(until_ - BootClock::now()));
}

}  // namespace injector::backend::aws
