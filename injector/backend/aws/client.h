#pragma once

#include <string>
#include <variant>
#include <vector>

#include "injector/backend/aws/credential_source.h"
#include "injector/backend/aws/fault.h"
#include "injector/backend/aws/settings.h"
#include "injector/memory/document.h"

namespace injector::backend::aws {

/// One question to Secrets Manager.
struct Call {
  std::string operation;         ///< "GetSecretValue"
  std::vector<std::string> ids;  ///< Names or ARNs; one, but for BatchGetSecretValue.
  std::string version;
  std::string stage;

  /// Its JSON for one region: an ARN becomes the one of the replica there, which differs in nothing else.
  [[nodiscard]] std::string body(const std::string& region) const;
};

struct Answer {
  memory::Document json;
  std::string request_id;
  std::string region;
};

/// Asks Secrets Manager: signed, with the retries, the budget and the order of regions.
///
/// A region that cannot be had, or answers 5xx, is left alone by the pace of Hold, and the next region is asked; what
/// a region answers as 4xx is final. In the worst case one call takes `kDeadline`. With every region left alone, it
/// fails at once. Lives on the one loop.
class Client {
 public:
  Client(const Resolved& settings, net::Http& http, CredentialSource& credentials, ServerClock& clock);

  static constexpr Milliseconds kDeadline{30'000};

  boost::asio::awaitable<std::variant<Answer, Fault>> call(Call call);

  /// Requests that were sent, for metrics and tests.
  [[nodiscard]] std::uint64_t requests() const { return requests_; }

 private:
  struct Region {
    Resolved::Region place;
    Hold hold;
    bool throttled = false;
    std::string reason;
  };
  using Outcome = std::variant<Answer, Fault>;
  boost::asio::awaitable<Outcome> exchange(Region& region, const Call& call, BootClock::time_point deadline);
  [[nodiscard]] net::Request request_for(const Region& region, const Call& call, Signer& signer) const;
  [[nodiscard]] Fault nobody() const;
  bool mend(Fault& fault, const std::string& date, const std::shared_ptr<Signer>& signer);

  std::vector<Region> regions_;
  Milliseconds timeout_;
  net::Http* http_;
  CredentialSource* credentials_;
  ServerClock* clock_;
  RetryQuota quota_;
  std::uint64_t requests_ = 0;
};

}  // namespace injector::backend::aws
