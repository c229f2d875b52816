#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "injector/backend/aws/pace.h"
#include "injector/backend/aws/provider.h"
#include "injector/backend/aws/server_clock.h"
#include "injector/backend/aws/sigv4.h"

namespace injector::backend::aws {

/// How near their end credentials are.
enum class Age : std::uint8_t {
  fresh,
  advisory,   ///< Others should be had; until then these do.
  mandatory,  ///< Whoever asks waits for others; these do only where none can be had.
  expired,
};

/// Fifteen and ten minutes before they expire, but no more than a quarter and a sixth of the `lifetime` that was left
/// when they came: credentials that live for five minutes are not asked for at each request.
Age age_of(const Credentials& credentials, Time fetched, Time now);

/// The store's credentials: got when first asked for, got anew before they expire, once for all who wait.
///
/// The first place that has any stays the place. Where the server that gives them has another time than we have, its
/// time counts: with a wrong clock, they would have expired before they came. While others cannot be had, those at hand
/// are used until they expire, and the place is asked again by the pace of Hold. Lives on the one loop.
class CredentialSource {
 public:
  CredentialSource(std::vector<std::unique_ptr<Provider>> providers, ServerClock& clock)
      : providers_(std::move(providers)), clock_(&clock) {}
  CredentialSource(const CredentialSource&) = delete;
  CredentialSource& operator=(const CredentialSource&) = delete;

  /// Shared, because a request may be under way with the old ones while new ones arrive; never null.
  net::Task<std::shared_ptr<Signer>> signer();

  /// AWS does not take `signer` although it should be good. True when signer() will give another (or ask for one), so
  /// that one more attempt makes sense; false while the last such attempt is too recent: 5 s, doubling to 5 min.
  bool refused(const std::shared_ptr<Signer>& signer);

  /// "web identity"; empty before there are any.
  [[nodiscard]] std::string place() const { return current_ != nullptr ? providers_[place_]->name() : std::string(); }
  /// How often they were asked for, for metrics and tests.
  [[nodiscard]] std::uint64_t fetches() const { return fetches_; }
  /// Forgets them.
  void close() { current_.reset(); }

 private:
  struct Flight;
  net::Task<Credentials> fetch();
  void adopt(Credentials credentials);
  [[nodiscard]] Age age() const;

  std::vector<std::unique_ptr<Provider>> providers_;
  ServerClock* clock_;
  std::size_t place_ = 0;
  bool settled_ = false;  ///< `place_` had credentials once.
  std::shared_ptr<Signer> current_;
  Time fetched_{};
  bool refused_ = false;
  int refusals_ = 0;
  BootClock::time_point next_refusal_{};
  Hold hold_;
  std::optional<scanner::base::Error> last_error_;
  std::shared_ptr<Flight> flight_;
  std::uint64_t fetches_ = 0;
};

}  // namespace injector::backend::aws
