#include <cstdlib>
#include <string>
#include <utility>

#include "injector/backend/aws/answer.h"
#include "injector/backend/aws/pause.h"
#include "injector/backend/aws/state.h"
#include "injector/backend/aws/times.h"
#include "injector/backend/aws/xml.h"

namespace injector::backend::aws {

namespace asio = boost::asio;
using memory::Secret;

namespace {

using Verdict = Check::State;

std::string until(const Credentials& credentials) {
  return credentials.expires ? ", until " + iso8601(*credentials.expires) : "";
}

}  // namespace

asio::awaitable<void> SecretsManager::check_identity(std::vector<Check>& checks) {
  auto signer = co_await state_->credentials.signer();
  if (!signer) {
    checks.push_back({"AWS credentials", Verdict::failed, signer.error().message()});
    co_return;
  }
  checks.push_back({"AWS credentials", Verdict::passed,
                    "from " + state_->credentials.place() + ", key " + (*signer)->credentials().access_key_id +
                        until((*signer)->credentials())});

  const Resolved::Region& region = state_->settings.regions.front();
  net::Request request;
  request.method = "POST";
  request.url = region.sts_url;
  request.timeout = state_->settings.timeout;
  request.headers.push_back({"Content-Type", Secret::copy_of("application/x-www-form-urlencoded; charset=utf-8")});
  request.body = Secret::copy_of("Action=GetCallerIdentity&Version=2011-06-15");
  (*signer)->sign(request, {region.name, "sts"}, state_->clock.now());
  auto response = co_await state_->http->send(std::move(request));
  const std::string what = "identity (GetCallerIdentity)";
  if (!response) {
    // In a network that reaches Secrets Manager alone, this is as it should be.
    checks.push_back({what, Verdict::warned, response.error().message()});
  } else if (response->status != 200) {
    checks.push_back({what, Verdict::warned, fault_of(*response).error("STS").message()});
  } else {
    const auto xml = XmlLeaves::parse(response->body);
    const std::string arn = xml ? std::string(xml->at("GetCallerIdentityResult/Arn")) : std::string();
    const bool known = !arn.empty();
    checks.push_back({what, known ? Verdict::passed : Verdict::warned, known ? arn : "an answer that is not STS'"});
  }
}

/// Unsigned, so that it tells of the way there alone: any answer means that name, route and certificate are well.
asio::awaitable<void> SecretsManager::check_endpoint(std::vector<Check>& checks) {
  for (const Resolved::Region& region : state_->settings.regions) {
    net::Request request;
    request.url = region.secrets_url;
    request.timeout = state_->settings.timeout;
    auto response = co_await state_->http->send(std::move(request));
    const std::string what = "name, route and TLS of " + region.secrets_url;
    if (!response) {
      checks.push_back({what, Verdict::failed, response.error().message()});
      continue;
    }
    checks.push_back({what, Verdict::passed, "answered with " + std::to_string(response->status)});
    const auto date = parse_http_date(response->header("date"));
    if (!date) continue;
    const auto off = std::chrono::duration_cast<std::chrono::seconds>(*date - std::chrono::system_clock::now()).count();
    const long long distance = std::llabs(off);
    const Verdict state = distance <= 60 ? Verdict::passed : distance <= 240 ? Verdict::warned : Verdict::failed;
    checks.push_back({"clock against " + region.name, state,
                      "AWS' clock is " + std::to_string(distance) + " s " + (off < 0 ? "behind" : "ahead of") +
                          " ours" +
                          (state == Verdict::passed ? "" : "; requests are signed by AWS' time after a refusal")});
  }
}

asio::awaitable<void> SecretsManager::check_secret(const Query& query, std::vector<Check>& checks) {
  const std::string what = "DescribeSecret of " + query.path;
  if (const auto well = askable(query); !well) {
    checks.push_back({what, Verdict::failed, well.error().message()});
    co_return;
  }
  Call call{"DescribeSecret", {query.path}, {}, {}};
  auto outcome = co_await state_->client.call(std::move(call));
  if (const Fault* fault = std::get_if<Fault>(&outcome)) {
    const bool denied = fault->errc == scanner::base::Errc::denied && !fault->code.empty();
    // It may be read all the same: that is another permission.
    checks.push_back({what, denied ? Verdict::warned : Verdict::failed,
                      fault->error(what).message() + (denied ? "; without it, each refresh reads the value" : "")});
    co_return;
  }
  const auto description = read_description(std::get<Answer>(outcome).json.root());
  if (!description) {
    checks.push_back({what, Verdict::failed, description.error().message()});
  } else if (description->deleted) {
    checks.push_back({what, Verdict::failed, "scheduled for deletion"});
  } else if (!query.version.empty() && !description->has(query.version)) {
    checks.push_back({what, Verdict::failed, "has no version " + query.version});
  } else if (query.version.empty() && description->holder(stage_of(query)).empty()) {
    checks.push_back({what, Verdict::failed, "no version is " + stage_of(query)});
  } else {
    checks.push_back({what, Verdict::passed, "in " + std::get<Answer>(outcome).region});
  }
}

asio::awaitable<void> SecretsManager::preflight(const std::vector<Query>& queries, std::vector<Check>& checks) {
  co_await check_endpoint(checks);
  co_await check_identity(checks);
  const bool no_credentials = checks.back().what == "AWS credentials" && checks.back().state == Verdict::failed;
  for (const Query& query : queries) {
    if (no_credentials) {
      checks.push_back({"DescribeSecret of " + query.path, Verdict::skipped, "without credentials"});
    } else {
      co_await check_secret(query, checks);
    }
  }
}

asio::awaitable<std::vector<Check>> SecretsManager::check(const std::vector<Query>& queries) {
  std::vector<Check> checks;
  co_await answer_cancellation();
  co_await preflight(queries, checks);
  co_return checks;
}

}  // namespace injector::backend::aws
