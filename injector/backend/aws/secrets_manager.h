#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "injector/backend/aws/client.h"
#include "injector/backend/aws/environment.h"
#include "injector/backend/aws/settings.h"
#include "injector/backend/backend.h"

namespace injector::backend::aws {

/// AWS Secrets Manager as a store. A query's path is a secret's name or ARN, `version` a VersionId, `stage` a staging
/// label (AWSCURRENT unless a version is asked for); `write`, `data` and `space` are `Errc::config`.
///
/// Reads of several secrets go as BatchGetSecretValue, twenty at a time, those that it cannot give (other stages,
/// versions) and those that it refuses one by one; when the batch as a whole is not allowed, all go one by one for an
/// hour. changed() asks DescribeSecret; where that is denied it says true, for an hour without asking.
class SecretsManager final : public Backend {
 public:
  /// Reads the profile's region where nothing else names one. `Errc::config` says what is wrong with the settings. The
  /// `http` outlives this; it must allow `plain_hosts()` without TLS.
  static scanner::base::Result<std::unique_ptr<SecretsManager>> create(const Settings& settings,
                                                                       const Environment& environment, net::Http& http);
  ~SecretsManager() override;

  net::Task<Reading> read(const Query& query) override;
  boost::asio::awaitable<std::vector<scanner::base::Result<Reading>>> read_all(
      const std::vector<Query>& queries) override;
  net::Task<bool> changed(const Query& query, const std::string& version) override;
  /// There are no leases here: `Errc::config`.
  net::Task<Lease> renew(const Lease& lease) override;
  [[nodiscard]] std::uint64_t session() const override { return 1; }
  /// Credentials and where they come from, who we are (GetCallerIdentity), the endpoint, each secret (DescribeSecret),
  /// and the clock against AWS'.
  boost::asio::awaitable<std::vector<Check>> check(const std::vector<Query>& queries) override;
  boost::asio::awaitable<void> close() override;

  struct Counts {
    std::uint64_t requests = 0;  ///< To Secrets Manager, retries included.
    std::uint64_t credential_fetches = 0;
  };
  [[nodiscard]] Counts counts() const;

 private:
  struct State;
  struct Job;
  explicit SecretsManager(std::unique_ptr<State> state);
  net::Task<Reading> fetch(const Query& query);
  using Jobs = std::vector<Job*>;
  boost::asio::awaitable<void> fetch_batch(const Jobs& jobs);
  boost::asio::awaitable<void> work(const std::vector<Jobs>& parts, std::size_t& next);
  boost::asio::awaitable<void> work_side_by_side(const std::vector<Jobs>& parts);
  boost::asio::awaitable<void> fetch_all(std::vector<Job>& jobs);
  net::Task<bool> probe(const Query& query, const std::string& version);
  boost::asio::awaitable<void> preflight(const std::vector<Query>& queries, std::vector<Check>& checks);
  boost::asio::awaitable<void> check_identity(std::vector<Check>& checks);
  boost::asio::awaitable<void> check_endpoint(std::vector<Check>& checks);
  boost::asio::awaitable<void> check_secret(const Query& query, std::vector<Check>& checks);

  std::unique_ptr<State> state_;
};

/// The hosts that may be asked without TLS under these settings: those of the container endpoint and of EC2's metadata
/// service, and a loopback host of an endpoint of one's own. For net::ClientSettings.
std::vector<std::string> plain_hosts(const Settings& settings, const Environment& environment);

}  // namespace injector::backend::aws
