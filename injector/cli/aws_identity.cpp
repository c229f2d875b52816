#include "injector/cli/aws_identity.h"

#include <utility>

#include "injector/backend/aws/credential_source.h"
#include "injector/backend/aws/secrets_manager.h"
#include "injector/backend/aws/settings.h"
#include "injector/net/https_client.h"

namespace injector::cli {

namespace aws = backend::aws;
using backend::vault::SignedIdentity;
using memory::Secret;
using scanner::base::fail;
using scanner::base::Result;

struct AwsIdentity::State {
  State(aws::Resolved settings_in, const aws::Environment& environment, std::unique_ptr<net::HttpsClient> http_in)
      : settings(std::move(settings_in)),
        http(std::move(http_in)),
        credentials(aws::providers(settings, environment, *http), clock) {}

  aws::Resolved settings;
  std::unique_ptr<net::HttpsClient> http;
  aws::ServerClock clock;
  aws::CredentialSource credentials;
};

AwsIdentity::AwsIdentity(std::unique_ptr<State> state) : state_(std::move(state)) {}
AwsIdentity::~AwsIdentity() = default;

Result<std::unique_ptr<AwsIdentity>> AwsIdentity::create(boost::asio::any_io_executor executor,
                                                         const std::string& region,
                                                         const aws::Environment& environment) {
  aws::Settings settings;
  settings.name = "aws";
  if (!region.empty()) settings.regions.push_back(region);
  auto resolved = aws::resolve(settings, environment, "");
  if (!resolved) return fail(std::move(resolved).error());
  net::ClientSettings tls;
  tls.plain_hosts = aws::plain_hosts(settings, environment);
  auto http = net::HttpsClient::create(std::move(executor), std::move(tls));
  if (!http) return fail(std::move(http).error());
  auto state = std::make_unique<State>(std::move(*resolved), environment, std::move(*http));
  return std::unique_ptr<AwsIdentity>(new AwsIdentity(std::move(state)));
}

net::Task<SignedIdentity> AwsIdentity::sign(std::string server_id) {
  auto signer = co_await state_->credentials.signer();
  if (!signer) co_return fail(std::move(signer).error());
  const aws::Resolved::Region& region = state_->settings.regions.front();
  net::Request request;
  request.method = "POST";
  request.url = region.sts_url;
  request.headers.push_back({"Content-Type", Secret::copy_of("application/x-www-form-urlencoded; charset=utf-8")});
  if (!server_id.empty()) request.headers.push_back({"X-Vault-AWS-IAM-Server-ID", Secret::copy_of(server_id)});
  const std::string body = "Action=GetCallerIdentity&Version=2011-06-15";
  request.body = Secret::copy_of(body);
  (*signer)->sign(request, {region.name, "sts"}, state_->clock.now());
  SignedIdentity out;
  out.url = request.url;
  out.body = body;
  out.headers = std::move(request.headers);
  co_return out;
}

}  // namespace injector::cli
