#include "tests/injector/backend/vault/fake.h"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

#include "scanner/base/check.h"

namespace injector::backend::vault::tests {

namespace asio = boost::asio;
using net::Response;
using scanner::base::Errc;
using scanner::base::fail;
using std::chrono::seconds;

asio::awaitable<void> FakeClock::sleep(std::chrono::nanoseconds duration) {
  const auto gate = std::make_shared<Gate>();
  sleepers_.emplace(now_ + std::max<std::chrono::nanoseconds>(duration, std::chrono::nanoseconds(0)), gate);
  co_await Gate::wait(gate);
}

bool FakeClock::wake_next(BootClock::time_point until) {
  if (sleepers_.empty() || sleepers_.begin()->first > until) return false;
  now_ = std::max(now_, sleepers_.begin()->first);
  const auto gate = sleepers_.begin()->second;
  sleepers_.erase(sleepers_.begin());
  gate->open();
  return true;
}

Response respond(int status, const Json& body, std::map<std::string, std::string> headers) {
  Response response;
  response.status = status;
  if (!body.is_null()) response.body = memory::Secret::copy_of(scanner::base::dump_json(body));
  for (const auto& [name, value] : headers) response.headers.push_back({name, memory::Secret::copy_of(value)});
  return response;
}

namespace {

Json error(const std::string& text) { return {{"errors", Json::array({text})}}; }

Json envelope(const Json& data) {
  return {{"request_id", "request-1"}, {"lease_id", ""},  {"lease_duration", 0}, {"renewable", false}, {"data", data},
          {"warnings", nullptr},       {"auth", nullptr}, {"wrap_info", nullptr}};
}

}  // namespace

net::Task<Response> FakeVault::send(net::Request request) {
  Seen now;
  now.method = request.method;
  const auto at = request.url.find("/v1/");
  now.address = request.url.substr(0, at);
  now.path = request.url.substr(at + 4);
  now.at = clock_->now();
  for (const auto& header : request.headers) now.headers[header.name] = std::string(header.value.reveal());
  now.body = std::string(request.body.reveal());
  seen.push_back(now);
  const auto executor = co_await asio::this_coro::executor;
  co_await asio::post(executor, asio::use_awaitable);
  const auto sky = weather.find(now.address);
  if (sky != weather.end() && sky->second == "refused") co_return fail(Errc::away, "connection refused");
  if (sky != weather.end() && sky->second == "slow") {
    co_await clock_->sleep(request.timeout);
    co_return fail(Errc::away, "no answer in time");
  }
  if (sky != weather.end()) co_return respond(std::stoi(sky->second), error("weather"));
  if (answer) {
    if (auto given = answer(now)) co_return std::move(*given);
  }
  co_return serve(now);
}

Response FakeVault::serve(const Seen& now) {
  if (now.path == "sys/health") return respond(200, {{"sealed", false}}, {{"date", "Tue, 24 Nov 2026 13:00:05 GMT"}});
  if (now.path.starts_with("auth/") && now.path.ends_with("/login")) {
    if (login_status) return respond(*login_status, error("invalid role or secret ID"));
    ++logins;
    Token token;
    if (ttl > seconds(0)) token.ends = clock_->now() + ttl;
    token.uses = uses;
    token.longest = longest;
    tokens[last_token()] = token;
    auto body = envelope(nullptr);
    body["auth"] = {{"client_token", last_token()},
                    {"lease_duration", ttl.count()},
                    {"renewable", renewable},
                    {"num_uses", uses},
                    {"token_type", type}};
    return respond(200, body);
  }
  const std::string bearer = "Bearer ";
  const auto header = now.headers.find("Authorization");
  const bool shown = header != now.headers.end() && header->second.starts_with(bearer);
  const std::string name = shown ? header->second.substr(bearer.size()) : "";
  const auto token = tokens.find(name);
  if (token == tokens.end() || token->second.ends <= clock_->now()) return respond(403, error("permission denied"));
  auto response = serve_known(now, token->second);
  // It may have revoked itself.
  const auto left = tokens.find(name);
  if (left != tokens.end() && left->second.uses > 0 && --left->second.uses == 0) tokens.erase(left);
  return response;
}

Response FakeVault::serve_known(const Seen& now, Token& token) {
  const auto path = now.path.substr(0, now.path.find('?'));
  if (denied.contains(path)) return respond(403, error("1 error occurred: permission denied"));
  if (path == "auth/token/lookup-self") return respond(200, envelope({{"ttl", 60}, {"renewable", true}}));
  if (path == "auth/token/revoke-self") {
    tokens.erase(now.headers.at("Authorization").substr(7));
    return respond(204, nullptr);
  }
  if (path == "auth/token/renew-self") {
    const auto asked = seconds(std::stoll(Json::parse(now.body)["increment"].get<std::string>()));
    const auto given = token.longest > seconds(0) ? std::min(asked, token.longest) : asked;
    token.ends = clock_->now() + given;
    auto body = envelope(nullptr);
    body["auth"] = {{"client_token", now.headers.at("Authorization").substr(7)},
                    {"lease_duration", given.count()},
                    {"renewable", true}};
    return respond(200, body);
  }
  if (const std::string probe = "sys/internal/ui/mounts/"; path.starts_with(probe)) {
    for (const auto& [mount, version] : mounts) {
      if (!(path.substr(probe.size()) + "/").starts_with(mount)) continue;
      const auto engine = version.empty() ? "other" : "kv";
      return respond(200, envelope({{"path", mount}, {"type", engine}, {"options", {{"version", version}}}}));
    }
    return respond(403, error("preflight capability check returned 403"));
  }
  const auto secret = secrets.find(now.path);
  if (secret == secrets.end()) return respond(404, Json{{"errors", Json::array()}});
  return respond(200, envelope(secret->second));
}

std::size_t FakeVault::count(const std::string& path) const {
  return static_cast<std::size_t>(
      std::count_if(seen.begin(), seen.end(), [&](const auto& one) { return one.path == path; }));
}

std::vector<std::string> FakeVault::paths() const {
  std::vector<std::string> paths;
  for (const auto& one : seen) paths.push_back(one.path);
  return paths;
}

void World::pass(std::chrono::nanoseconds duration) {
  const auto target = clock->now() + duration;
  do {
    loop.restart();
    while (loop.poll() > 0) loop.restart();
  } while (clock->wake_next(target));
  clock->set(target);
}

void World::until(const std::function<bool()>& done) {
  for (int idle = 0; !done();) {
    loop.restart();
    if (loop.poll() > 0) continue;
    SCANNER_CHECK(clock->wake_next(BootClock::time_point::max()) || ++idle < 1000);
  }
}

}  // namespace injector::backend::vault::tests
