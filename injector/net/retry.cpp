#include "injector/net/retry.h"

#include <curl/curl.h>
#include <sys/random.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>

namespace injector::net {

using std::chrono::milliseconds;

milliseconds Backoff::after(unsigned failures, double random) const {
  milliseconds whole = std::min(first, cap);
  for (unsigned i = 1; i < failures && whole < cap; ++i) whole = std::min(2 * whole, cap);
  return jittered(whole, 0.5, random);
}

milliseconds jittered(milliseconds time, double share, double random) {
  return time - milliseconds(static_cast<milliseconds::rep>(static_cast<double>(time.count()) * share * random));
}

double random_number() {
  std::uint64_t bits = 0;
  // Up to 256 bytes come whole; without them all pods would still differ by what they do.
  if (::getrandom(&bits, sizeof bits, 0) != sizeof bits) return 0.5;
  return static_cast<double>(bits >> 11U) * 0x1.0p-53;
}

double Budget::level(BootClock::time_point now) const {
  if (now <= counted_) return tokens_;
  const double gained = std::chrono::duration<double>(now - counted_) / std::chrono::duration<double>(interval_);
  return std::min(static_cast<double>(burst_), tokens_ + gained);
}

bool Budget::take(BootClock::time_point now) {
  tokens_ = level(now);
  counted_ = std::max(counted_, now);
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

BootClock::time_point Budget::next(BootClock::time_point now) const {
  const double missing = 1 - level(now);
  if (missing <= 0) return now;
  return now + std::chrono::ceil<milliseconds>(missing * std::chrono::duration<double>(interval_));
}

std::optional<std::chrono::seconds> retry_after(std::string_view value, std::chrono::system_clock::time_point now,
                                                std::chrono::seconds most) {
  const auto clamped = [&](std::int64_t seconds) {
    return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, most.count()));
  };
  std::int64_t seconds = 0;
  const char* const end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, seconds);
  if (error == std::errc() && stop == end) return clamped(seconds);
  if (error == std::errc::result_out_of_range && stop == end) return clamped(value.starts_with('-') ? 0 : most.count());
  const std::time_t date = ::curl_getdate(std::string(value).c_str(), nullptr);
  if (date < 0) return std::nullopt;
  return clamped(date - std::chrono::system_clock::to_time_t(now));
}

}  // namespace injector::net
