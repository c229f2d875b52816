#include "injector/backend/aws/client.h"

#include <algorithm>
#include <utility>

#include "injector/backend/aws/pause.h"
#include "injector/backend/aws/times.h"
#include "scanner/base/json.h"

namespace injector::backend::aws {

using memory::Document;
using memory::Secret;
using scanner::base::Errc;
using scanner::base::Json;

namespace {

/// "arn:aws:secretsmanager:eu-central-1:1234:secret:name-AbCdEf" with another region.
std::string in_region(const std::string& id, const std::string& region) {
  constexpr int kColonsBefore = 3;
  if (!id.starts_with("arn:")) return id;
  std::size_t start = 0;
  for (int i = 0; i < kColonsBefore; ++i) {
    start = id.find(':', start);
    if (start == id.npos) return id;
    ++start;
  }
  const std::size_t end = id.find(':', start);
  if (end == id.npos) return id;
  return id.substr(0, start) + region + id.substr(end);
}

/// What the network did, or what our settings keep us from doing. An answer that is too large would be so again: no
/// retry, but no verdict on the secret either.
Fault without_answer(const scanner::base::Error& error) {
  Fault fault;
  if (error.code() == Errc::config) fault.errc = Errc::config;
  fault.transport = error.message();
  if (error.code() == Errc::away) fault.remedy = Remedy::retry;
  return fault;
}

/// No word on the region: it was not asked to the end.
Fault not_asked(const char* why) {
  Fault fault;
  fault.transport = why;
  return fault;
}

bool says_clock(const std::string& code) {
  return code == "RequestTimeTooSkewed" || code == "RequestExpired" || code == "RequestInTheFuture";
}

}  // namespace

std::string Call::body(const std::string& region) const {
  Json json = Json::object();
  if (operation == "BatchGetSecretValue") {
    Json& list = json["SecretIdList"] = Json::array();
    for (const std::string& id : ids) list.push_back(in_region(id, region));
  } else {
    json["SecretId"] = in_region(ids.front(), region);
  }
  if (!version.empty()) json["VersionId"] = version;
  if (!stage.empty()) json["VersionStage"] = stage;
  return scanner::base::dump_json(json);
}

Client::Client(const Resolved& settings, net::Http& http, CredentialSource& credentials, ServerClock& clock)
    : timeout_(settings.timeout), http_(&http), credentials_(&credentials), clock_(&clock) {
  for (const Resolved::Region& place : settings.regions) regions_.push_back({place, {}, false, {}});
}

boost::asio::awaitable<std::variant<Answer, Fault>> Client::call(Call call) {
  const BootClock::time_point deadline = BootClock::now() + kDeadline;
  std::optional<Fault> last;
  for (Region& region : regions_) {
    if (!region.hold.claim()) {
      // Who is throttled in one region is not to burden the next.
      if (region.throttled) break;
      continue;
    }
    struct Release {
      Hold& hold;
      ~Release() { hold.release(); }
    };
    const Release release{region.hold};
    Outcome outcome = co_await exchange(region, call, deadline);
    Fault* fault = std::get_if<Fault>(&outcome);
    const bool from_region = fault == nullptr || fault->status != 0 || fault->remedy == Remedy::retry;
    if (fault == nullptr || fault->errc != Errc::away) {
      if (from_region) region.hold.well();
      co_return outcome;
    }
    if (!from_region) co_return outcome;
    region.hold.failed(fault->wait);
    region.throttled = fault->remedy == Remedy::throttle;
    region.reason = fault->error(region.place.name).message();
    last = std::move(*fault);
    if (region.throttled) break;
  }
  if (last) co_return std::move(*last);
  co_return nobody();
}

Fault Client::nobody() const {
  Fault fault;
  Milliseconds wait = Milliseconds::max();
  for (const Region& region : regions_) {
    if (region.reason.empty()) continue;
    fault.transport += (fault.transport.empty() ? "" : "; ") + region.reason;
    wait = std::min(wait, region.hold.left());
  }
  fault.transport +=
      " (asked again in " + std::to_string(std::chrono::ceil<std::chrono::seconds>(wait).count()) + " s)";
  return fault;
}

net::Request Client::request_for(const Region& region, const Call& call, Signer& signer) const {
  net::Request request;
  request.method = "POST";
  request.url = region.place.secrets_url;
  request.headers.push_back({"Content-Type", Secret::copy_of("application/x-amz-json-1.1")});
  request.headers.push_back({"X-Amz-Target", Secret::copy_of("secretsmanager." + call.operation)});
  request.body = Secret::copy_of(call.body(region.place.name));
  signer.sign(request, {region.place.name, "secretsmanager"}, clock_->now());
  return request;
}

/// Whether one more attempt may go better, because the clock or the credentials are others now.
bool Client::mend(Fault& fault, const std::string& date, const std::shared_ptr<Signer>& signer) {
  if (fault.remedy == Remedy::clock) {
    const auto server = parse_http_date(date);
    const auto tolerated = says_clock(fault.code) ? std::chrono::seconds(1) : ServerClock::kTolerated;
    if (server && clock_->correct(*server, tolerated)) return true;
  }
  return (fault.remedy == Remedy::clock || fault.remedy == Remedy::credentials) && credentials_->refused(signer);
}

boost::asio::awaitable<Client::Outcome> Client::exchange(Region& region, const Call& call,
                                                         BootClock::time_point deadline) {
  // A region that was away gets one attempt a call: the waits between those are long enough.
  const int attempts = region.hold.failing() ? 1 : RetryQuota::kAttempts;
  bool mended = false;
  int taken = 0;
  for (int attempt = 0;;) {
    auto signer = co_await credentials_->signer();
    if (!signer) {
      Fault fault;
      fault.errc = signer.error().code();
      fault.transport = signer.error().message();
      co_return fault;
    }
    net::Request request = request_for(region, call, **signer);
    request.timeout = std::min(timeout_, std::chrono::floor<Milliseconds>(deadline - BootClock::now()));
    if (request.timeout < Milliseconds(1)) {
      co_return not_asked("no time left");
    }
    const BootClock::time_point sent = BootClock::now();
    const Milliseconds allowed = request.timeout;
    ++requests_;
    auto response = co_await http_->send(std::move(request));
    const bool stopped = co_await cancelled();
    if (stopped && !response) co_return not_asked(kCancelled);
    Fault fault;
    if (!response) {
      fault = without_answer(response.error());
      fault.timed_out = BootClock::now() - sent >= allowed;
    } else if (response->status == 200) {
      auto json = Document::parse(response->body);
      if (json) {
        quota_.give_back(taken);
        co_return Answer{std::move(*json), plain_code(response->header("x-amzn-requestid")), region.place.name};
      }
      fault.status = 200;
      fault.code = "an answer that is no JSON";
      fault.remedy = Remedy::retry;
    } else {
      fault = fault_of(*response);
      if (!mended && mend(fault, response->header("date"), *signer)) {
        mended = true;
        continue;
      }
    }
    const bool again = fault.remedy == Remedy::retry || fault.remedy == Remedy::throttle;
    if (!again || ++attempt >= attempts || !quota_.take(fault.timed_out)) co_return fault;
    taken = RetryQuota::price(fault.timed_out);
    const Milliseconds wait = retry_wait(attempt - 1, fault.remedy == Remedy::throttle, fault.wait);
    if (BootClock::now() + wait >= deadline) co_return fault;
    const bool waited = co_await pause(wait);
    if (!waited) co_return not_asked(kCancelled);
    // Meanwhile others may have found out that it is away.
    if (region.hold.failing() && attempts > 1) co_return fault;
  }
}

}  // namespace injector::backend::aws
