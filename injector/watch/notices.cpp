#include "injector/watch/notices.h"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <iterator>
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
  const bool waits = std::ranges::any_of(waiting_, [&](const Waiting& other) { return *other.how == how; });
  if (waits) return;
  waiting_.push_back({&how, Alarm(executor_)});
  group_.start(tell(std::prev(waiting_.end())));
}

asio::awaitable<void> Notices::end() {
  ending_ = true;
  for (Waiting& one : waiting_) one.debounce.ring();
  Group limit(executor_);
  limit.start([](Group& group) -> asio::awaitable<void> {
    const net::Woken woken = co_await net::sleep_for(std::chrono::seconds(1));
    if (woken == net::Woken::in_time) group.cancel();
  }(group_));
  co_await group_.join();
  limit.cancel();
  co_await limit.join();
}

asio::awaitable<void> Notices::tell(std::list<Waiting>::iterator waiting) {
  const OnChange& how = *waiting->how;
  const auto due = BootClock::now() + how.debounce;
  co_await waiting->debounce.wait(due);
  waiting_.erase(waiting);
  for (unsigned attempt = 1; attempt <= kAttempts; ++attempt) {
    scanner::base::Result<void> result = co_await notify_(how);
    if (result) {
      ++told_;
      log_->info("told of a change",
                 {{"event.action", "notify"}, {"event.outcome", "success"}, {"notify.target", to_string(how)}});
      co_return;
    }
    ++failed_;
    log_->warn("could not tell of a change", {{"event.action", "notify"},
                                              {"event.outcome", "failure"},
                                              {"notify.target", to_string(how)},
                                              {"error.message", result.error().message()}});
    if (ending_) co_return;
    const auto pause = std::chrono::seconds(1U << attempt);
    const net::Woken slept = co_await net::sleep_for(pause);
    if (slept == net::Woken::cancelled) co_return;
  }
}

}  // namespace injector::watch
