#include "injector/watch/notices.h"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

#include "injector/net/loop.h"

namespace injector::watch {

namespace asio = boost::asio;

namespace {

constexpr unsigned kAttempts = 3;

std::string signal_name(int number) {
  const char* name = ::sigabbrev_np(number);
  return name != nullptr ? name : std::to_string(number);
}

}  // namespace

std::string to_string(const OnChange& how) {
  if (const auto* signal = std::get_if<SignalProcess>(&how.how)) {
    return signal_name(signal->number) + " to " + (signal->process.empty() ? signal->pid_file : signal->process);
  }
  if (const auto* post = std::get_if<PostLoopback>(&how.how)) return "POST " + post->url;
  return std::get<RunProgram>(how.how).argv.front();
}

void Notices::changed(const OnChange& how) {
  const bool waits = std::ranges::any_of(waiting_, [&](const OnChange* other) { return *other == how; });
  if (waits) return;
  waiting_.push_back(&how);
  group_.start(tell(how));
}

asio::awaitable<void> Notices::end() {
  group_.cancel();
  co_await group_.join();
}

asio::awaitable<void> Notices::tell(const OnChange& how) {
  const net::Woken woken = co_await net::sleep_for(how.debounce);
  waiting_.remove(&how);
  if (woken == net::Woken::cancelled) co_return;
  for (unsigned attempt = 1; attempt <= kAttempts; ++attempt) {
    scanner::base::Result<void> result = co_await notify_(how);
    if (result) {
      ++told_;
      log_->info("told of a change",
                 {{"event.action", "notify"}, {"event.outcome", "success"}, {"message.target", to_string(how)}});
      co_return;
    }
    ++failed_;
    log_->warn("could not tell of a change", {{"event.action", "notify"},
                                              {"event.outcome", "failure"},
                                              {"message.target", to_string(how)},
                                              {"error.message", result.error().message()}});
    const auto pause = std::chrono::seconds(1U << attempt);
    const net::Woken slept = co_await net::sleep_for(pause);
    if (slept == net::Woken::cancelled) co_return;
  }
}

}  // namespace injector::watch
