#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "injector/backend/vault/answer.h"
#include "injector/backend/vault/clock.h"
#include "injector/backend/vault/gate.h"
#include "injector/backend/vault/settings.h"
#include "injector/net/http.h"

namespace injector::backend::vault {

/// One request to the API.
struct Ask {
  std::string what;  ///< For errors: "reading kv/shop/db".
  std::string method = "GET";
  std::string path;                       ///< Below /v1/, percent-encoded (encoded()), with its query.
  std::string space;                      ///< The namespace; empty: the root namespace.
  const memory::Secret* token = nullptr;  ///< Outlives the request. None: without.
  memory::Secret body;                    ///< JSON, or empty.
  std::chrono::seconds wrap{0};
  BootClock::time_point deadline = BootClock::time_point::max();
};

/// The servers of one cluster, which are asked in turn until one can answer; it stays the one that is asked first.
///
/// Weather is `Errc::away`, and stays here: servers that cannot be reached or cannot serve (472, 473, 474, 501, 502,
/// 503, 504, 530, a redirect to nowhere) hand over to the next address; when all have failed nobody is asked again for
/// 1 s, doubling to 30 s (each times 0.5 to 1), whoever asks; then one request tries, and the others wait for what it
/// finds. After 429 the mount is left alone for as long as Retry-After says (1 s to 5 min), or as if it had failed.
/// A 307 is followed once, to an address of the list and to no other.
class Cluster {
 public:
  struct Counts {
    std::uint64_t requests = 0;
    std::uint64_t outages = 0;  ///< How often all addresses failed in a row.
  };

  Cluster(std::shared_ptr<net::Http> http, std::vector<std::string> addresses, std::chrono::milliseconds timeout,
          std::shared_ptr<Clock> clock);

  /// The answer of a server that could give one: 2xx and 4xx, never 429. `Errc::config` for one that is too large.
  net::Task<Answer> ask(Ask ask);

  /// One request to one address, whatever weather was before, and nothing made of its outcome: for preflight and the
  /// end. `path` as in Ask.
  net::Task<net::Response> ask_only(const std::string& address, const Ask& ask, std::chrono::milliseconds timeout);

  /// Until when requests below the mount are answered without asking; nothing when they are not.
  [[nodiscard]] std::optional<BootClock::time_point> held_until(const std::string& space,
                                                                const std::string& path) const;

  [[nodiscard]] const std::vector<std::string>& addresses() const { return addresses_; }
  [[nodiscard]] const std::string& current() const { return addresses_[current_]; }
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  struct Hold {
    BootClock::time_point until{};
    unsigned times = 0;
  };

  net::Task<Answer> ask_someone(Ask& ask);
  net::Task<net::Response> ask_patiently(const std::string& address, Ask& ask);
  net::Task<net::Response> ask_one(const std::string& address, const Ask& ask, bool forward);
  [[nodiscard]] std::optional<std::size_t> redirect_target(const net::Response& response) const;
  scanner::base::Error quota(const Ask& ask, const net::Response& response);
  void answered_by(std::size_t place);
  void all_failed(std::optional<std::chrono::seconds> pause);

  std::shared_ptr<net::Http> http_;
  std::vector<std::string> addresses_;
  std::chrono::milliseconds timeout_;
  std::shared_ptr<Clock> clock_;

  std::size_t current_ = 0;
  unsigned failures_ = 0;  ///< Times in a row that every address failed.
  BootClock::time_point not_before_{};
  std::shared_ptr<Gate> probe_;        ///< Of the one request that tries whether the outage is over.
  std::map<std::string, Hold> holds_;  ///< By namespace and mount.
  std::string index_;                  ///< The newest state that a server named; asked of the others, too.
  Counts counts_;
};

/// A path of segments, percent-encoded. `Errc::config` for one with empty, "." or ".." segments, control characters, or
/// none at all: what a server might read otherwise than its access rules (CVE-2026-3605).
scanner::base::Result<std::string> encoded(const std::string& path);

}  // namespace injector::backend::vault
