#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "injector/backend/aws/host.h"
#include "injector/backend/aws/settings.h"

namespace injector::backend::aws {
namespace {

using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Result;

struct Partition {
  std::string_view prefix;  ///< Of its regions' names.
  std::string_view suffix;
  std::string_view dual_suffix;  ///< Empty: it has no dual-stack endpoints.
};

// From botocore's partitions; regions of no other prefix are of the first partition, as in its rule.
constexpr std::array<Partition, 8> kPartitions = {{
    {"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
    {"us-gov-", "amazonaws.com", "api.aws"},
    {"us-isob-", "sc2s.sgov.gov", "api.aws.scloud"},
    {"us-isof-", "csp.hci.ic.gov", ""},
    {"us-iso-", "c2s.ic.gov", "api.aws.ic.gov"},
    {"eu-isoe-", "cloud.adc-e.uk", ""},
    {"eusc-", "amazonaws.eu", "api.amazonwebservices.eu"},
    {"", "amazonaws.com", "api.aws"},
}};

const Partition& partition_of(std::string_view region) {
  return *std::find_if(kPartitions.begin(), kPartitions.end(),
                       [&](const Partition& partition) { return region.starts_with(partition.prefix); });
}

bool region_name(std::string_view region) {
  return !region.empty() && region.size() <= 40 && region.front() >= 'a' && region.front() <= 'z' &&
         region.back() != '-' && region.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == region.npos;
}

/// Secrets Manager answers over IPv6 on its ordinary names in three partitions; its dual-stack names are for the rest.
bool ordinary_name_is_dual(std::string_view service, std::string_view region, bool fips) {
  if (service != "secretsmanager") return false;
  const std::string_view prefix = partition_of(region).prefix;
  return prefix.empty() || prefix == "us-gov-" || (prefix == "cn-" && !fips);
}

Result<std::string> checked_url(std::string url, const std::string& from) {
  const bool known = url.starts_with("https://") || url.starts_with("http://");
  if (!known || url.find_first_of(" \t\r\n@?#") != url.npos || url.size() < 10 || url.size() > 2048) {
    return fail(Errc::config, from + " is no URL of a server");
  }
  if (url.starts_with("http://") && !is_loopback(host_of(url))) {
    return fail(Errc::config, from + ": plain http is for loopback only");
  }
  while (url.back() == '/') url.pop_back();
  return url + "/";
}

std::string first_of(const std::string& setting, const Environment& environment,
                     std::initializer_list<const char*> names) {
  if (!setting.empty()) return setting;
  for (const char* name : names) {
    if (std::string value = text_of(environment, name); !value.empty()) return value;
  }
  return {};
}

bool switched_on(const Environment& environment, std::string_view name) {
  const std::string_view value = value_of(environment, name);
  return value == "true" || value == "True" || value == "TRUE" || value == "1";
}

Result<std::string> service_url(const std::string& service, const std::string& override_url, const std::string& region,
                                bool fips, bool dual_stack) {
  auto host = endpoint_host(service, region, fips, dual_stack);
  if (!host) return fail(std::move(host).error());
  if (!override_url.empty()) return checked_url(override_url, "the endpoint of " + service);
  return "https://" + *host + "/";
}

}  // namespace

Result<std::string> endpoint_host(const std::string& service, const std::string& region, bool fips, bool dual_stack) {
  if (!region_name(region)) return fail(Errc::config, "an AWS region looks like eu-central-1");
  const Partition& partition = partition_of(region);
  if (dual_stack && partition.dual_suffix.empty()) {
    return fail(Errc::config, "region " + region + " has no dual-stack endpoints");
  }
  const bool dual_name = dual_stack && !ordinary_name_is_dual(service, region, fips);
  // In us-gov, STS' ordinary hosts are its FIPS hosts.
  const bool fips_name = fips && !(service == "sts" && !dual_stack && partition.prefix == "us-gov-");
  return service + (fips_name ? "-fips." : ".") + region + "." +
         std::string(dual_name ? partition.dual_suffix : partition.suffix);
}

ProfilePlace profile_place(const Settings& settings, const Environment& environment) {
  const std::string home = text_of(environment, "HOME");
  const auto in_home = [&](const char* name) { return home.empty() ? std::string() : home + "/.aws/" + name; };
  ProfilePlace place;
  place.profile = first_of(settings.profile, environment, {"AWS_PROFILE"});
  if (place.profile.empty()) place.profile = "default";
  place.credentials_file = first_of(settings.credentials_file, environment, {"AWS_SHARED_CREDENTIALS_FILE"});
  if (place.credentials_file.empty()) place.credentials_file = in_home("credentials");
  place.config_file = first_of(settings.config_file, environment, {"AWS_CONFIG_FILE"});
  if (place.config_file.empty()) place.config_file = in_home("config");
  return place;
}

Result<Resolved> resolve(const Settings& settings, const Environment& environment, const std::string& profile_region) {
  Resolved out;
  out.name = settings.name;
  std::vector<std::string> regions = settings.regions;
  if (regions.empty()) {
    std::string region = first_of("", environment, {"AWS_REGION", "AWS_DEFAULT_REGION"});
    if (region.empty()) region = profile_region;
    if (region.empty()) return fail(Errc::config, "no region: set `region`, or AWS_REGION");
    regions.push_back(std::move(region));
  }
  const std::string secrets =
      first_of(settings.endpoint, environment, {"AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL"});
  const std::string sts = first_of(settings.sts_endpoint, environment, {"AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"});
  if (!secrets.empty() && regions.size() > 1) {
    return fail(Errc::config, "an endpoint of one's own can serve one region only");
  }
  const bool fips = settings.fips || switched_on(environment, "AWS_USE_FIPS_ENDPOINT");
  const bool dual_stack = settings.dual_stack || switched_on(environment, "AWS_USE_DUALSTACK_ENDPOINT");
  for (std::string& region : regions) {
    auto secrets_url = service_url("secretsmanager", secrets, region, fips, dual_stack);
    if (!secrets_url) return fail(std::move(secrets_url).error());
    auto sts_url = service_url("sts", sts, region, fips, dual_stack);
    if (!sts_url) return fail(std::move(sts_url).error());
    out.regions.push_back({std::move(region), std::move(*secrets_url), std::move(*sts_url)});
  }

  const ProfilePlace place = profile_place(settings, environment);
  out.profile = place.profile;
  out.credentials_file = place.credentials_file;
  out.config_file = place.config_file;
  out.role_arn = first_of(settings.role_arn, environment, {"AWS_ROLE_ARN"});
  out.web_identity_token_file =
      first_of(settings.web_identity_token_file, environment, {"AWS_WEB_IDENTITY_TOKEN_FILE"});
  out.role_session_name = first_of(settings.role_session_name, environment, {"AWS_ROLE_SESSION_NAME"});
  out.sources = settings.sources;
  if (out.sources.empty()) {
    out.sources = {Source::environment, Source::web_identity, Source::profile, Source::container, Source::instance};
  }
  out.timeout = settings.timeout;
  return out;
}

}  // namespace injector::backend::aws
