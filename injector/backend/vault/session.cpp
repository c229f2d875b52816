#include "injector/backend/vault/session.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>

#include "injector/backend/vault/json_text.h"
#include "injector/memory/text.h"
#include "injector/model/term_text.h"
#include "injector/net/retry.h"

namespace injector::backend::vault {
namespace {

namespace asio = boost::asio;
using net::Task;
using scanner::base::Errc;
using scanner::base::Error;
using scanner::base::fail;
using scanner::base::Ok;
using std::chrono::nanoseconds;
using std::chrono::seconds;

nanoseconds times(nanoseconds whole, double factor) {
  return nanoseconds(static_cast<std::int64_t>(static_cast<double>(whole.count()) * factor));
}

/// Whatever becomes of a coroutine; its cancellation slot lies in `what`, which must outlive it.
auto holding(std::shared_ptr<void> what) {
  return [what = std::move(what)](const std::exception_ptr&) {};
}

}  // namespace

Session::Session(std::shared_ptr<const Settings> settings, std::shared_ptr<Cluster> cluster,
                 std::shared_ptr<Clock> clock, IdentitySigner signer)
    : settings_(std::move(settings)),
      cluster_(std::move(cluster)),
      clock_(std::move(clock)),
      login_(settings_, cluster_, std::move(signer)) {}

Task<std::shared_ptr<const Session::Token>> Session::token(BootClock::time_point deadline) {
  // Others may use up a counted token while this one waits for its turn.
  while (!closed_ && !usable()) {
    if (clock_->now() >= deadline) co_return fail(Errc::away, "logging in took longer than the call may");
    const auto done = co_await log_in();
    if (!done) co_return fail(done.error());
  }
  if (closed_) co_return fail(Errc::away, "the session is closed");
  spend();
  co_return std::shared_ptr<const Token>(token_);
}

Task<bool> Session::was_lost(std::shared_ptr<const Token> token, BootClock::time_point sent,
                             BootClock::time_point deadline) {
  while (true) {
    if (token != token_) co_return true;
    if (cannot_look_ || known_good_ >= sent) co_return false;
    const auto other = lookup_;
    if (other == nullptr) break;
    const bool done = co_await Gate::wait(other);
    if (!done) co_return fail(Errc::away, "cancelled");
  }
  const auto started = clock_->now();
  lookup_ = std::make_shared<Gate>();
  struct Opened {
    Session& session;
    ~Opened() { std::exchange(session.lookup_, nullptr)->open(); }
  } const opened{*this};
  const auto known = co_await this->known(token, deadline);
  if (!known) co_return fail(known.error());
  if (*known) {
    known_good_ = started;
    co_return false;
  }
  doubtful_ = true;
  if (token == token_) token_ = nullptr;
  co_return true;
}

asio::awaitable<BootClock::time_point> Session::step() {
  const auto nap = [this] { return clock_->now() + kLongestNap; };
  if (closed_ || token_ == nullptr || term_.next.act == Term::Act::rest) co_return nap();
  if (clock_->now() >= term_.next.at) {
    if (term_.next.act == Term::Act::renew) {
      co_await renew();
    } else {
      co_await replace();
    }
  }
  co_return std::min(term_.next.at, nap());
}

asio::awaitable<void> Session::renew() {
  const auto token = token_;
  const auto asked = std::to_string(term_.asked.count()) + "s";
  auto ask = self_ask("renewing the token", "POST", "auth/token/renew-self", clock_->now() + settings_->deadline);
  ask.token = &token->value;
  ask.body = json_object(Field{"increment", asked});
  spend();
  const auto sent = clock_->now();
  const auto answer = co_await cluster_->ask(std::move(ask));
  if (token != token_) co_return;
  const auto now = clock_->now();
  const auto grant = answer && answer->ok() ? answer->grant() : std::nullopt;
  if (grant) {
    ++counts_.renewals;
    token->renewed = true;
    term_ = renewed(term_, now, grant->duration, grant->renewable, clock_->random());
    co_return;
  }
  ++counts_.failed_renewals;
  if (!answer || answer->ok()) {
    term_ = renewal_failed(term_, now, clock_->random());
    co_return;
  }
  // Refused: either there is no such token any more, or this one must not be renewed. What was allowed once tells.
  if (cannot_look_ && token->renewed) token_ = nullptr;
  const auto lost = co_await was_lost(token, sent, clock_->now() + settings_->deadline);
  if (token_ == nullptr) {
    co_await replace();
  } else if (token != token_) {
    co_return;
  } else if (!lost) {
    term_ = renewal_failed(term_, clock_->now(), clock_->random());
  } else {
    term_.renewable = false;
    term_.next = {Term::Act::replace, std::max(term_.ends - term_.grace, clock_->now() + Term::kLeast)};
  }
}

asio::awaitable<void> Session::replace() {
  const auto done = co_await log_in();
  if (done || token_ == nullptr) co_return;
  // The old one serves to its end.
  const auto now = clock_->now();
  const auto held = cluster_->held_until(settings_->auth_space, "auth").value_or(now);
  term_.next = {Term::Act::replace, std::max({now + Term::kLeast, not_before_, held})};
}

asio::awaitable<void> Session::keep(std::shared_ptr<Session> self) {
  while (!self->closed_) {
    const auto next = co_await self->step();
    const auto now = self->clock_->now();
    co_await self->clock_->sleep(std::max<nanoseconds>(next - now, std::chrono::milliseconds(1)));
  }
}

bool Session::usable() const {
  return token_ != nullptr && !term_.over(clock_->now()) && (!token_->counted || token_->uses_left > 0);
}

std::optional<BootClock::time_point> Session::held_until() const {
  if (usable()) return std::nullopt;
  if (clock_->now() < not_before_) return not_before_;
  return cluster_->held_until(settings_->auth_space, "auth");
}

Task<void> Session::log_in() {
  auto flight = flight_;
  if (flight == nullptr) {
    const auto now = clock_->now();
    if (now < not_before_ && login_.stamp() == stamp_) {
      const auto left = std::chrono::ceil<seconds>(not_before_ - now).count();
      const auto last = refusal_ ? ", for " + refusal_->message() : std::string();
      co_return fail(Errc::away, "no login before " + std::to_string(left) + " s have passed" + last);
    }
    if (cluster_->held_until(settings_->auth_space, "auth")) co_return fail(Errc::away, "the store cannot be had now");
    flight = flight_ = std::make_shared<Flight>();
    executor_ = co_await asio::this_coro::executor;
    asio::co_spawn(*executor_, fly(shared_from_this(), flight),
                   asio::bind_cancellation_slot(stop_login_.slot(), holding(shared_from_this())));
  }
  const bool done = co_await Gate::wait(flight->gate);
  if (!done) co_return fail(Errc::away, "cancelled");
  if (flight->error) co_return fail(*flight->error);
  co_return Ok();
}

asio::awaitable<void> Session::fly(std::shared_ptr<Session> self, std::shared_ptr<Flight> flight) {
  struct Landed {
    Session& session;
    Flight& flight;
    ~Landed() {
      session.flight_ = nullptr;
      flight.gate->open();
    }
  } const landed{*self, *flight};
  flight->error = Error(Errc::away, "the login was given up");
  co_await asio::this_coro::throw_if_cancelled(false);
  auto done = co_await self->try_login();
  if (!done) {
    flight->error = std::move(done).error();
    co_return;
  }
  flight->error.reset();
  if (!self->keeping_) {
    self->keeping_ = true;
    asio::co_spawn(*self->executor_, keep(self),
                   asio::bind_cancellation_slot(self->stop_keeping_.slot(), holding(self)));
  }
}

Task<void> Session::try_login() {
  if (last_login_) {
    const auto wait = *last_login_ + seconds(1) - clock_->now();
    if (wait > nanoseconds(0)) co_await clock_->sleep(wait);
  }
  if (closed_) co_return fail(Errc::away, "the session is closed");
  last_login_ = clock_->now();
  stamp_ = login_.stamp();
  auto grant = co_await login_.grant(clock_->now() + settings_->deadline);
  const auto now = clock_->now();
  if (!grant) {
    if (grant.error().code() == Errc::away) {
      ++storms_;
      not_before_ = now + net::Backoff().after(storms_, clock_->random());
    } else {
      ++refusals_;
      ++counts_.refused_logins;
      not_before_ =
          now + times(backoff(refusals_, settings_->login_first, settings_->login_most), 1 - 0.25 * clock_->random());
    }
    refusal_ = grant.error();
    co_return fail(std::move(grant).error());
  }
  adopt(std::move(*grant));
  if (!std::exchange(doubtful_, false)) co_return Ok();
  const auto known = co_await this->known(token_, now + settings_->deadline);
  cannot_look_ = known && !*known;
  if (known && *known) known_good_ = now;
  co_return Ok();
}

void Session::adopt(Grant grant) {
  ++counts_.logins;
  refusals_ = 0;
  storms_ = 0;
  not_before_ = {};
  refusal_.reset();
  // A counted token that is used up lives on with its leases; and one that was read from its file again is the same.
  const bool succeeds = token_ != nullptr && (grant.token.equals(token_->value) ||
                                              (token_->counted && !usable() && !term_.over(clock_->now())));
  if (!succeeds) ++number_;
  auto token = std::make_shared<Token>();
  token->value = std::move(grant.token);
  token->counted = grant.uses > 0;
  token->uses_left = std::max<std::int64_t>(1, grant.uses - 1);
  token->batch = grant.batch;
  token_ = std::move(token);
  term_ = granted(clock_->now(), grant.duration, grant.renewable && !grant.batch && grant.uses == 0, clock_->random());
}

void Session::spend() {
  if (token_ != nullptr && token_->counted && token_->uses_left > 0) --token_->uses_left;
}

Task<bool> Session::known(std::shared_ptr<const Token> token, BootClock::time_point deadline) {
  auto ask = self_ask("looking up the token", "GET", "auth/token/lookup-self", deadline);
  ask.token = &token->value;
  spend();
  const auto answer = co_await cluster_->ask(std::move(ask));
  if (!answer) co_return fail(answer.error());
  co_return answer->ok();
}

Ask Session::self_ask(std::string what, std::string method, std::string path, BootClock::time_point deadline) const {
  Ask ask;
  ask.what = std::move(what);
  ask.method = std::move(method);
  ask.path = std::move(path);
  ask.space = settings_->auth_space;
  ask.deadline = deadline;
  return ask;
}

void Session::abandon() {
  closed_ = true;
  if (!executor_) return;
  // On the loop, where a signal reaches its coroutine at once: elsewhere it would be queued as a bare pointer.
  asio::dispatch(*executor_, [self = shared_from_this()] {
    self->stop_keeping_.emit(asio::cancellation_type::terminal);
    self->stop_login_.emit(asio::cancellation_type::terminal);
  });
}

memory::Secret Session::hand_over() {
  if (closed_ || token_ == nullptr) return {};
  memory::Text text(token_->value.size() + 512);
  text.append("{\"token\":").append_json(token_->value);
  text.append(",\"uses\":").append(std::to_string(token_->counted ? token_->uses_left : -1));
  text.append(",\"batch\":").append(token_->batch ? "true" : "false").append(",\"term\":");
  write_term(text, term_);
  text.append('}');
  abandon();
  token_ = nullptr;
  return text.finish();
}

void Session::take_over(memory::Document::Value kept, const asio::any_io_executor& executor) {
  const std::string_view value = kept["token"].string();
  const Term term = read_term(kept["term"]);
  if (closed_ || token_ != nullptr || value.empty() || term.over(clock_->now())) return;
  auto token = std::make_shared<Token>();
  token->value = memory::Secret::copy_of(value);
  token->uses_left = kept["uses"].integer().value_or(-1);
  token->counted = token->uses_left >= 0;
  token->batch = kept["batch"].boolean().value_or(false);
  token_ = std::move(token);
  term_ = term;
  ++number_;
  if (std::exchange(keeping_, true)) return;
  executor_ = executor;
  asio::co_spawn(executor, keep(shared_from_this()),
                 asio::bind_cancellation_slot(stop_keeping_.slot(), holding(shared_from_this())));
}

asio::awaitable<void> Session::close(std::chrono::milliseconds limit) {
  if (closed_) co_return;
  const auto flight = flight_;
  abandon();
  // A login that is answered at this moment leaves a token, too.
  if (flight != nullptr) co_await Gate::wait(flight->gate);
  const bool revocable = token_ != nullptr && !token_->batch && !term_.over(clock_->now()) && login_.ours();
  if (!revocable || !settings_->revoke) co_return;
  // Whatever the client makes of its timeout, the end of the pod waits no longer.
  struct Race {
    std::shared_ptr<Gate> over = std::make_shared<Gate>();
    asio::cancellation_signal stop_revoking, stop_waiting;
  };
  const auto race = std::make_shared<Race>();
  const auto executor = co_await asio::this_coro::executor;
  asio::co_spawn(executor, revoke(shared_from_this(), limit, race->over),
                 asio::bind_cancellation_slot(race->stop_revoking.slot(), holding(race)));
  asio::co_spawn(executor, open_after(clock_, limit, race->over),
                 asio::bind_cancellation_slot(race->stop_waiting.slot(), holding(race)));
  co_await Gate::wait(race->over);
  race->stop_revoking.emit(asio::cancellation_type::terminal);
  race->stop_waiting.emit(asio::cancellation_type::terminal);
  token_ = nullptr;
}

asio::awaitable<void> Session::revoke(std::shared_ptr<Session> self, std::chrono::milliseconds limit,
                                      std::shared_ptr<Gate> done) {
  const auto token = self->token_;
  auto ask = self->self_ask("revoking the token", "POST", "auth/token/revoke-self", {});
  ask.token = &token->value;
  const auto ignored = co_await self->cluster_->ask_only(self->cluster_->current(), ask, limit);
  static_cast<void>(ignored);
  done->open();
}

asio::awaitable<void> Session::open_after(std::shared_ptr<Clock> clock, std::chrono::milliseconds wait,
                                          std::shared_ptr<Gate> gate) {
  co_await clock->sleep(wait);
  gate->open();
}

}  // namespace injector::backend::vault
