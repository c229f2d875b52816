#pragma once

#include <cstdint>
#include <memory>

#include "injector/backend/backend.h"
#include "injector/backend/vault/clock.h"
#include "injector/backend/vault/settings.h"
#include "injector/model/term.h"

namespace injector::backend::vault {

/// HashiCorp Vault and OpenBao: one cluster, one login, one token for as long as the pod lives.
///
/// A query's path is the logical one, as the command line tools take it: "kv/shop/db" in KV 1 and KV 2 alike; for KV 2
/// the API's own "kv/data/shop/db" is understood, too. Every other engine is read or written at the path as it is:
/// "database/creds/app", "pki/issue/web", "transit/decrypt/key", "cubbyhole/x".
///
/// `changed` can tell for KV 2 alone, from its metadata, and says true for all the rest: a leased secret or a
/// certificate is made anew by every read, so ask by its lease and `expires` instead. A wrapped answer is opened when
/// its creation_path is the one that was asked.
class VaultBackend final : public Backend {
 public:
  struct Counts {
    std::uint64_t requests = 0;
    std::uint64_t outages = 0;
    std::uint64_t logins = 0;
    std::uint64_t refused_logins = 0;
    std::uint64_t renewals = 0;  ///< Of the token.
    std::uint64_t failed_renewals = 0;
  };

  /// `Errc::config` when the settings cannot work: no address, one that is no https URL (http only for loopback), a
  /// role or file that its auth needs and that is not named. Touches neither network nor files. `signer` is for
  /// AwsAuth.
  static scanner::base::Result<std::unique_ptr<VaultBackend>> create(
      Settings settings, std::shared_ptr<net::Http> http, IdentitySigner signer = nullptr,
      std::shared_ptr<Clock> clock = std::make_shared<LoopClock>());
  VaultBackend(const VaultBackend&) = delete;
  VaultBackend& operator=(const VaultBackend&) = delete;
  /// Ends renewal and what else is under way; revokes nothing (close() does).
  ~VaultBackend() override;

  net::Task<Reading> read(const Query& query) override;
  /// As many as kAtOnce at a time; queries of one path that differ by their keys are one request, and share its lease.
  boost::asio::awaitable<std::vector<scanner::base::Result<Reading>>> read_all(
      const std::vector<Query>& queries) override;
  net::Task<bool> changed(const Query& query, const std::string& version) override;
  /// `Errc::missing` for a lease that is gone: read again.
  net::Task<Lease> renew(const Lease& lease) override;
  [[nodiscard]] std::uint64_t session() const override;
  memory::Secret hand_over() override;
  void take_over(memory::Document::Value kept, const boost::asio::any_io_executor& executor) override;
  boost::asio::awaitable<std::vector<Check>> check(const std::vector<Query>& queries) override;
  boost::asio::awaitable<void> close() override;

  /// Until when `query` is answered `away` without asking the store (after a refused login, an outage, a quota).
  [[nodiscard]] std::optional<BootClock::time_point> held_until(const Query& query) const override;
  /// How long the token is good, for metrics; rests for ever before the first login.
  [[nodiscard]] const Term& token_term() const;
  [[nodiscard]] Counts counts() const;

  static constexpr std::size_t kAtOnce = 32;
  static constexpr std::chrono::milliseconds kClosing{1'000};

 private:
  class State;
  explicit VaultBackend(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace injector::backend::vault
