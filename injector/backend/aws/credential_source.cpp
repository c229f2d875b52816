#include "injector/backend/aws/credential_source.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

#include "injector/backend/aws/pause.h"

namespace injector::backend::aws {

namespace asio = boost::asio;
using scanner::base::Errc;
using scanner::base::fail;
using std::chrono::seconds;

namespace {

/// A line for each place that was tried: what a person needs who expected one of them to work.
std::string none_message(const std::vector<std::string>& tried) {
  std::string text = "no AWS credentials:";
  for (const std::string& line : tried) text += (line == tried.front() ? " " : "; ") + line;
  return text;
}

}  // namespace

/// One fetch that is under way, and those who wait for it: its end cancels the timer.
struct CredentialSource::Flight {
  explicit Flight(const asio::any_io_executor& executor) : done(executor, asio::steady_timer::time_point::max()) {}
  asio::steady_timer done;
};

Age age_of(const Credentials& credentials, Time fetched, Time now) {
  if (!credentials.expires) {
    const bool reread = credentials.reread > seconds(0) && now >= fetched + credentials.reread;
    return reread ? Age::advisory : Age::fresh;
  }
  const Time end = *credentials.expires;
  const auto lifetime = std::max<Time::duration>(end - fetched, Time::duration(0));
  const auto advisory = std::min<Time::duration>(std::chrono::minutes(15), lifetime / 4);
  const auto mandatory = std::min<Time::duration>(std::chrono::minutes(10), lifetime / 6);
  if (now >= end) return Age::expired;
  if (now >= end - mandatory) return Age::mandatory;
  return now >= end - advisory ? Age::advisory : Age::fresh;
}

Age CredentialSource::age() const {
  if (current_ == nullptr || refused_) return Age::expired;
  return age_of(current_->credentials(), fetched_, clock_->now());
}

net::Task<std::shared_ptr<Signer>> CredentialSource::signer() {
  for (;;) {
    const Age now = age();
    if (now == Age::fresh) co_return current_;
    if (flight_ != nullptr) {
      if (now == Age::advisory) co_return current_;
      const std::shared_ptr<Flight> flight = flight_;
      boost::system::error_code ignored;
      co_await flight->done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      const bool stopped = co_await cancelled();
      if (stopped) co_return fail(Errc::away, kCancelled);
      continue;
    }
    if (!hold_.claim()) {
      if (now != Age::expired) co_return current_;
      const auto wait = std::chrono::ceil<seconds>(hold_.left());
      co_return fail(last_error_->code(),
                     last_error_->message() + " (asked again in " + std::to_string(wait.count()) + " s)");
    }

    const auto executor = co_await asio::this_coro::executor;
    flight_ = std::make_shared<Flight>(executor);
    // However this ends, cancelled in the middle of a wait too, the others go on; one of them tries next.
    struct Land {
      CredentialSource& source;
      ~Land() {  // NOLINT(bugprone-exception-escape): the cancel() of a timer that throws on no platform
        source.hold_.release();
        std::exchange(source.flight_, nullptr)->done.cancel();
      }
    };
    const Land land{*this};
    auto credentials = co_await fetch();
    if (credentials) {
      adopt(std::move(*credentials));
      co_return current_;
    }
    const bool stopped = co_await cancelled();
    if (stopped) co_return fail(Errc::away, kCancelled);
    hold_.failed(std::nullopt);
    last_error_ = credentials.error();
    if (age() != Age::expired) co_return current_;
    co_return fail(*last_error_);
  }
}

net::Task<Credentials> CredentialSource::fetch() {
  ++fetches_;
  std::vector<std::string> tried;
  for (std::size_t i = settled_ ? place_ : 0; i < providers_.size(); ++i) {
    auto credentials = co_await providers_[i]->fetch();
    if (credentials && credentials->answered) clock_->correct(*credentials->answered, ServerClock::kTolerated);
    if (credentials && credentials->expires && *credentials->expires <= clock_->now()) {
      co_return fail(Errc::away, providers_[i]->name() + ": gave credentials that have expired");
    }
    if (credentials) {
      place_ = i;
      settled_ = true;
      co_return credentials;
    }
    if (credentials.error().code() != Errc::missing || settled_) {
      // From a place that once had some, their absence is weather.
      const Errc code = credentials.error().code() == Errc::missing ? Errc::away : credentials.error().code();
      co_return fail(code, "credentials from " + providers_[i]->name() + ": " + credentials.error().message());
    }
    tried.push_back(credentials.error().message());
  }
  co_return fail(Errc::config, none_message(tried));
}

void CredentialSource::adopt(Credentials credentials) {
  const bool same = current_ != nullptr && current_->credentials().access_key_id == credentials.access_key_id;
  if (!same) refusals_ = 0;
  current_ = std::make_shared<Signer>(std::move(credentials));
  fetched_ = clock_->now();
  refused_ = false;
  hold_.well();
}

bool CredentialSource::refused(const std::shared_ptr<Signer>& signer) {
  if (signer != current_) return current_ != nullptr;
  if (refused_) return true;
  if (BootClock::now() < next_refusal_) return false;
  next_refusal_ = BootClock::now() + std::min(seconds(300), seconds(5) * (1 << std::min(refusals_++, 6)));
  refused_ = true;
  return true;
}

}  // namespace injector::backend::aws
