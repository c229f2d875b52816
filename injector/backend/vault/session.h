#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <cstdint>
#include <memory>
#include <optional>

#include "injector/backend/vault/cluster.h"
#include "injector/backend/vault/login.h"
#include "injector/memory/document.h"
#include "injector/model/term.h"

namespace injector::backend::vault {

/// The pod's token: one for all who ask, got when it is first asked for, renewed while that can be done, and exchanged
/// before it ends. Always held by a shared_ptr: what it starts on the loop keeps it alive.
///
/// A login runs once for all who wait for it. One that is refused is not tried again for settings.login_first (1 s),
/// doubling to login_most (5 min), each less up to a quarter; an outage is the Cluster's matter and does not count
/// here. Two logins are a second apart at least.
class Session : public std::enable_shared_from_this<Session> {
 public:
  struct Token {
    memory::Secret value;
    std::int64_t uses_left = 0;  ///< Of those that the server counts, but for one that is kept for the end.
    bool counted = false;
    bool batch = false;
    bool renewed = false;
  };
  struct Counts {
    std::uint64_t logins = 0;
    std::uint64_t refused_logins = 0;
    std::uint64_t renewals = 0;
    std::uint64_t failed_renewals = 0;
  };

  Session(std::shared_ptr<const Settings> settings, std::shared_ptr<Cluster> cluster, std::shared_ptr<Clock> clock,
          IdentitySigner signer);

  /// A token that is good as far as is known, one use of it taken.
  net::Task<std::shared_ptr<const Token>> token(BootClock::time_point deadline);

  /// A request with `token`, sent at `sent`, was answered by 403. True when the token was lost, so that asking with
  /// another is worth it; false when the server knows the token, and means what it says. `away` when neither is known.
  net::Task<bool> was_lost(std::shared_ptr<const Token> token, BootClock::time_point sent,
                           BootClock::time_point deadline);

  /// Does what is due: renews, or logs in again. Gives when the next thing is due, at most `kLongestNap` from now: what
  /// the loop of `keep()` calls, and tests by themselves.
  boost::asio::awaitable<BootClock::time_point> step();

  /// Counts the tokens whose end took their leases along. 0 before the first login.
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] bool has_token() const { return token_ != nullptr; }
  /// Until when no login is tried; nothing when none is needed or one may be tried.
  [[nodiscard]] std::optional<BootClock::time_point> held_until() const;
  [[nodiscard]] const Term& term() const { return term_; }
  [[nodiscard]] const Counts& counts() const { return counts_; }

  /// Ends renewal and any login under way, revokes the token when it is ours and `settings.revoke`, and takes no more
  /// questions. Within `limit`, whatever the network does.
  boost::asio::awaitable<void> close(std::chrono::milliseconds limit);

  /// Ends what is under way and takes no more questions, without a word to the server.
  void abandon();

  /// The token, for another process: abandons the session, so that nobody revokes it here. Empty without one.
  memory::Secret hand_over();
  /// Goes on with such a token; without effect when there is one already, or when it has ended meanwhile.
  void take_over(memory::Document::Value kept, const boost::asio::any_io_executor& executor);

  static constexpr std::chrono::seconds kLongestNap{30};

 private:
  struct Flight {
    std::shared_ptr<Gate> gate = std::make_shared<Gate>();
    std::optional<scanner::base::Error> error;
  };

  [[nodiscard]] bool usable() const;
  net::Task<void> log_in();
  static boost::asio::awaitable<void> fly(std::shared_ptr<Session> self, std::shared_ptr<Flight> flight);
  net::Task<void> try_login();
  boost::asio::awaitable<void> renew();
  boost::asio::awaitable<void> replace();
  static boost::asio::awaitable<void> keep(std::shared_ptr<Session> self);
  static boost::asio::awaitable<void> revoke(std::shared_ptr<Session> self, std::chrono::milliseconds limit,
                                             std::shared_ptr<Gate> done);
  static boost::asio::awaitable<void> open_after(std::shared_ptr<Clock> clock, std::chrono::milliseconds wait,
                                                 std::shared_ptr<Gate> gate);
  /// Whether the server knows the token.
  net::Task<bool> known(std::shared_ptr<const Token> token, BootClock::time_point deadline);
  void adopt(Grant grant);
  void spend();
  [[nodiscard]] Ask self_ask(std::string what, std::string method, std::string path,
                             BootClock::time_point deadline) const;

  std::shared_ptr<const Settings> settings_;
  std::shared_ptr<Cluster> cluster_;
  std::shared_ptr<Clock> clock_;
  Login login_;

  std::shared_ptr<Token> token_;
  Term term_;
  std::uint64_t number_ = 0;
  std::shared_ptr<Flight> flight_;
  std::shared_ptr<Gate> lookup_;        ///< Of the one lookup that is under way.
  BootClock::time_point known_good_{};  ///< The server knew the token at this time or later.
  bool cannot_look_ = false;            ///< The policy keeps our tokens from looking themselves up.
  bool doubtful_ = false;               ///< The last token was unknown to the server: see whether the next one is, too.

  std::optional<BootClock::time_point> last_login_;
  int refusals_ = 0;
  unsigned storms_ = 0;  ///< Logins in a row that met weather.
  BootClock::time_point not_before_{};
  std::optional<scanner::base::Error> refusal_;
  std::string stamp_;  ///< Of the credential files at the last login.

  bool keeping_ = false;
  bool closed_ = false;
  std::optional<boost::asio::any_io_executor> executor_;
  boost::asio::cancellation_signal stop_keeping_;
  boost::asio::cancellation_signal stop_login_;
  Counts counts_;
};

}  // namespace injector::backend::vault
