#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "injector/telemetry/log.h"
#include "injector/webhook/authority.h"
#include "injector/webhook/kubernetes.h"
#include "injector/webhook/lease.h"

namespace injector::webhook {

/// What the self-managed certificates hang on.
struct SelfManagedNames {
  std::string service;
  std::string own_namespace;  ///< Of the service, the Secret and the Lease.
  std::string secret;
  std::string webhook_configuration;  ///< A MutatingWebhookConfiguration; all its webhooks get the bundle.
  std::string lease;
  std::string holder;  ///< This replica, unlike all others.
};

struct SelfManagedTimes {
  std::chrono::milliseconds look{10'000};       ///< Between two looks at the Secret.
  std::chrono::milliseconds look_early{1'000};  ///< While there is no leaf yet.
  std::chrono::seconds lease{40};
  Lifetimes lifetimes;
};

/// Keeps the webhook's own certificates: every replica reads the Secret and serves its leaf; the leader makes what is
/// missing, renews what is due, and sees to it that the API server trusts the bundle. The order is what keeps
/// handshakes whole: an authority is in the bundle before a leaf of it is served, and until none is.
class SelfManaged {
 public:
  /// Called with each new leaf; on an error the one before stays in use.
  using Use = std::function<scanner::base::Ok(const Pair& leaf)>;

  /// All borrowed must outlive it.
  SelfManaged(Kubernetes& kubernetes, SelfManagedNames names, SelfManagedTimes times, telemetry::Log& log, Use use);

  /// Until it is cancelled.
  boost::asio::awaitable<void> run();
  /// One look, and what follows from it.
  net::Task<void> look();
  /// At the end: gives the leadership away.
  boost::asio::awaitable<void> leave();

  [[nodiscard]] bool leads() const { return lease_.held(); }
  [[nodiscard]] Time authority_expires() const { return authority_expires_; }  ///< The epoch: not known.
  [[nodiscard]] std::uint64_t failures() const { return failures_; }           ///< Looks that ended with an error.

 private:
  /// The Secret as it is.
  struct Found {
    std::string version;  ///< Empty: there is none yet.
    Keeping keeping;
  };
  net::Task<Found> read();
  net::Task<void> write(const Found& found, const Keeping& keeping);
  /// Makes the next step of the plan until there is none; the Secret as it is then.
  net::Task<Found> keep(Found found);
  enum class Write : std::uint8_t { no, yes };
  /// Whether the API server trusts exactly this bundle, after having told it so where asked to.
  net::Task<Published> publish(const std::string& bundle, Write write);
  scanner::base::Ok take(const Keeping& keeping);

  Kubernetes* kubernetes_;
  SelfManagedNames names_;
  SelfManagedTimes times_;
  telemetry::Log* log_;
  Use use_;
  Lease lease_;
  std::vector<std::string> dns_names_;
  std::string served_;  ///< The leaf in use.
  Time authority_expires_{};
  std::uint64_t failures_ = 0;
  unsigned failures_in_a_row_ = 0;
};

}  // namespace injector::webhook
