#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "injector/memory/document.h"
#include "injector/model/reading.h"
#include "injector/net/http.h"

namespace injector::backend {

/// One line of a preflight: what was tried, whether it is well, what to do if not. Never a value.
struct Check {
  enum class State : std::uint8_t { passed, warned, failed, skipped };
  std::string what;  ///< "TLS chain of bao-0.example:8200"
  State state = State::passed;
  std::string detail;
};

/// A store of secrets, logged in as the pod. Lives on the one loop; not thread-safe. Each call has a deadline of its
/// own and gives up with an error that says who may mend it: `Errc::away` the store cannot be had now, ask again later;
/// `Errc::denied` it refuses us; `Errc::missing` there is nothing at that path (or no such key or version);
/// `Errc::config` the question itself is wrong. A backend that must wait (Retry-After, a backoff after failed logins)
/// answers `away` at once until then, so that however often it is asked, the store sees no more requests than its
/// budget.
class Backend {
 public:
  virtual ~Backend() = default;

  /// Reads the path of `query`. Logs in first where needed, once for any number of reads at the same time.
  virtual net::Task<Reading> read(const Query& query) = 0;

  /// Many at once; the answers stand in the order of the queries. What a store can give in one request, it does.
  virtual boost::asio::awaitable<std::vector<scanner::base::Result<Reading>>> read_all(
      const std::vector<Query>& queries) = 0;

  /// A cheap look whether the path has another version than `version` now, without fetching values where the store can
  /// tell. True when it cannot tell.
  virtual net::Task<bool> changed(const Query& query, const std::string& version) = 0;

  /// Ends when something in the store may have changed since it last ended (or since the store was made): then ask
  /// changed(). `Errc::unsupported` at once from a store that does not tell, which is to be asked from time to time;
  /// `Errc::away` when it cannot tell now, or is cancelled. One call at a time.
  virtual net::Task<void> changes() {
    co_return scanner::base::fail(scanner::base::Errc::unsupported, "this store does not tell of changes");
  }

  /// Extends a lease. An answer with less than was asked for means that the lease nears its largest age.
  virtual net::Task<Lease> renew(const Lease& lease) = 0;

  /// Until when whoever asks this is answered `away` without the store being asked; nothing when it may be asked now.
  /// Who asks again then does not wait twice, for the store's backoff and for one of his own.
  [[nodiscard]] virtual std::optional<BootClock::time_point> held_until(const Query&) const { return std::nullopt; }

  /// Whether leases of this session are still good: false after the token that they hang on was lost.
  [[nodiscard]] virtual std::uint64_t session() const = 0;

  /// What another process of this pod needs to go on with our session, as a JSON object. It is no longer ours then:
  /// close() gives nothing back, and nothing may be asked. Empty from a store without a session worth keeping.
  virtual memory::Secret hand_over() { return {}; }
  /// Goes on with what hand_over() gave, before the first question; of something else nothing happens. What the session
  /// needs to be kept alive runs on `executor`.
  virtual void take_over(memory::Document::Value, const boost::asio::any_io_executor&) {}

  /// Preflight, without reading a value.
  virtual boost::asio::awaitable<std::vector<Check>> check(const std::vector<Query>& queries) = 0;

  /// The last thing: gives back what it holds (revoke-self), within one second whatever the network does.
  virtual boost::asio::awaitable<void> close() = 0;
};

}  // namespace injector::backend
