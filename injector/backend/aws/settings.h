#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "injector/backend/aws/environment.h"
#include "scanner/base/result.h"

namespace injector::backend::aws {

/// Where credentials may come from, in the order in which they are tried.
enum class Source : std::uint8_t { environment, web_identity, profile, container, instance };

/// One `aws:` store of the configuration, as it stands there: what is empty comes from the environment.
struct Settings {
  std::string name = "aws";  ///< The store's, for messages.
  /// The first is where secrets live, the others hold replicas and are asked while it cannot be had. Empty: AWS_REGION,
  /// AWS_DEFAULT_REGION, or the profile's.
  std::vector<std::string> regions;
  bool fips = false;
  bool dual_stack = false;
  std::string endpoint;      ///< Of Secrets Manager; then there may be one region only.
  std::string sts_endpoint;  ///< Of STS.
  std::string profile;
  std::string credentials_file;
  std::string config_file;
  std::string role_arn;
  std::string web_identity_token_file;
  std::string role_session_name;
  std::vector<Source> sources;  ///< Empty: all of them. A pod that names its one source is not surprised by another.
  std::chrono::milliseconds timeout{10'000};  ///< Of one request. A read with its retries takes three of them at most.
};

/// Settings after environment and defaults have had their say.
struct Resolved {
  std::string name;
  struct Region {
    std::string name;
    std::string secrets_url;
    std::string sts_url;
  };
  std::vector<Region> regions;  ///< At least one.
  std::string profile;
  std::string credentials_file;
  std::string config_file;
  std::string role_arn;
  std::string web_identity_token_file;
  std::string role_session_name;
  std::vector<Source> sources;
  std::chrono::milliseconds timeout{10'000};
};

/// `Errc::config` names the setting that is wrong or missing. `profile_region` is what the profile in use says, if
/// anything: the last resort before "no region".
///
/// Endpoints: a setting, then AWS_ENDPOINT_URL_SECRETS_MANAGER (…_STS), then AWS_ENDPOINT_URL, then the region's own
/// host, in the flavour of `fips` and `dual_stack` (AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT). Requests are
/// signed for the true region whatever the host.
scanner::base::Result<Resolved> resolve(const Settings& settings, const Environment& environment,
                                        const std::string& profile_region);

/// What resolve() looks at the profile with: the setting, else AWS_PROFILE, else "default"; files likewise.
struct ProfilePlace {
  std::string profile;
  std::string credentials_file;
  std::string config_file;
};
ProfilePlace profile_place(const Settings& settings, const Environment& environment);

/// "secretsmanager-fips.us-gov-west-1.amazonaws.com". `service` is "secretsmanager" or "sts".
/// `Errc::config` when `region` is no region's name: it becomes part of a host, so it is checked first.
scanner::base::Result<std::string> endpoint_host(const std::string& service, const std::string& region, bool fips,
                                                 bool dual_stack);

}  // namespace injector::backend::aws
