#include "injector/backend/vault/cluster.h"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>

#include "injector/memory/text.h"
#include "injector/net/retry.h"

namespace injector::backend::vault {
namespace {

using net::Response;
using net::Task;
using scanner::base::Errc;
using scanner::base::Error;
using scanner::base::fail;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// From 1 s to 30 s, each times 0.5 to 1.
constexpr net::Backoff kBackoff;

/// Statuses that say that this node is not the one to ask.
std::string_view other_node(int status) {
  switch (status) {
    case 472:
      return "it is a disaster recovery secondary";
    case 473:
      return "it is a performance standby";
    case 474:
      return "it is a standby that cannot reach the active node";
    case 501:
      return "it is not initialised";
    case 502:
      return "a gateway cannot reach it";
    case 503:
      return "it is sealed or in maintenance";
    case 504:
      return "a gateway waited for it too long";
    case 530:
      return "it was removed from the cluster";
    default:
      return {};
  }
}

std::string host_of(const std::string& address) {
  const auto at = address.find("://");
  return at == std::string::npos ? address : address.substr(at + 3);
}

/// The scheme and authority of a URL; the host alone is fit for a message.
std::string origin_of(const std::string& url) {
  const auto scheme = url.find("://");
  if (scheme == std::string::npos) return "";
  return url.substr(0, url.find_first_of("/?#\\", scheme + 3));
}

std::string printable_host(const std::string& origin) {
  auto host = host_of(origin);
  if (const auto at = host.rfind('@'); at != std::string::npos) host.erase(0, at + 1);
  host.resize(std::min<std::size_t>(host.size(), 100));
  std::replace_if(
      host.begin(), host.end(), [](char c) { return c <= 0x20 || c >= 0x7f; }, '?');
  return host;
}

/// A quota may be on one mount only: each is left alone by itself.
std::string mount_key(const std::string& space, const std::string& path) {
  return space + "\n" + path.substr(0, path.find_first_of("/?"));
}

net::Header header(std::string name, std::string_view value) {
  return {std::move(name), memory::Secret::copy_of(value)};
}

std::optional<seconds> pause_of(const Response& response, std::chrono::system_clock::time_point now) {
  return net::retry_after(response.header("retry-after"), now);
}

std::string without_slash(std::string address) {
  while (!address.empty() && address.back() == '/') address.pop_back();
  return address;
}

}  // namespace

Cluster::Cluster(std::shared_ptr<net::Http> http, std::vector<std::string> addresses, milliseconds timeout,
                 std::shared_ptr<Clock> clock)
    : http_(std::move(http)), addresses_(std::move(addresses)), timeout_(timeout), clock_(std::move(clock)) {
  for (auto& address : addresses_) address = without_slash(std::move(address));
}

Task<Answer> Cluster::ask(Ask ask) {
  const auto now = clock_->now();
  if (const auto held = held_until(ask.space, ask.path)) {
    const auto left = std::chrono::ceil<seconds>(*held - now).count();
    co_return fail(Errc::away, ask.what + ": not asked again before " + std::to_string(left) + " s have passed");
  }
  if (failures_ == 0) {
    auto answer = co_await ask_someone(ask);
    co_return answer;
  }
  if (const auto probe = probe_) {
    const bool done = co_await Gate::wait(probe);
    if (!done || failures_ > 0) co_return fail(Errc::away, ask.what + ": the store cannot be had now");
    auto answer = co_await ask_someone(ask);
    co_return answer;
  }
  probe_ = std::make_shared<Gate>();
  // Also when this is destroyed half-way.
  struct Opened {
    Cluster& cluster;
    ~Opened() { std::exchange(cluster.probe_, nullptr)->open(); }
  } const opened{*this};
  auto answer = co_await ask_someone(ask);
  co_return answer;
}

Task<Answer> Cluster::ask_someone(Ask& ask) {
  Error last(Errc::away, "no address");
  std::optional<seconds> pause;
  bool followed = false;
  const auto first = current_;
  for (std::size_t i = 0; i < addresses_.size(); ++i) {
    auto place = (first + i) % addresses_.size();
    auto response = co_await ask_patiently(addresses_[place], ask);
    if (response && response->status == 307 && !followed) {
      if (const auto target = redirect_target(*response)) {
        followed = true;
        place = *target;
        response = co_await ask_patiently(addresses_[place], ask);
      }
    }
    const auto host = host_of(addresses_[place]);
    if (!response) {
      const auto state = co_await boost::asio::this_coro::cancellation_state;
      if (state.cancelled() != boost::asio::cancellation_type::none)
        co_return fail(Errc::away, ask.what + ": cancelled");
      if (response.error().code() != Errc::away) {
        answered_by(place);
        co_return fail(Errc::config, std::move(response).error().during(ask.what).message());
      }
      last = std::move(response).error().during(host);
      if (clock_->now() >= ask.deadline) break;
      continue;
    }
    if (const auto why = other_node(response->status); !why.empty()) {
      // One namespace may be sealed while the rest of the store is open.
      if (response->status == 503 && Answer::of(503, response->body).complains("namespace")) {
        co_return fail(Errc::away, ask.what + ": HTTP 503, the namespace is sealed");
      }
      pause = pause_of(*response, clock_->wall());
      last = Error(Errc::away, host + ": HTTP " + std::to_string(response->status) + ", " + std::string(why));
      continue;
    }
    if (response->status >= 300 && response->status < 400) {
      const auto target = printable_host(origin_of(response->header("location")));
      last = Error(Errc::away,
                   host + ": sends us on to " + (target.empty() ? "nowhere" : target) + ", which is not followed");
      continue;
    }
    answered_by(place);
    if (response->status == 429) co_return fail(quota(ask, *response));
    // One that was sent before a hold says nothing about it.
    const auto hold = holds_.find(mount_key(ask.space, ask.path));
    if (hold != holds_.end() && clock_->now() >= hold->second.until) holds_.erase(hold);
    if (auto index = response->header("x-vault-index"); !index.empty() && index.size() < 4096) index_ = index;
    auto answer = Answer::of(response->status, response->body);
    if (answer.status() >= 500 || (answer.ok() && !answer.known())) co_return fail(error_of(answer, ask.what));
    co_return answer;
  }
  all_failed(pause);
  co_return fail(std::move(last).during(ask.what));
}

/// 412: the node has not yet seen what another told us of. Waits for it a little, then has it ask the active node.
Task<Response> Cluster::ask_patiently(const std::string& address, Ask& ask) {
  for (int round = 0; round < 4; ++round) {
    auto response = co_await ask_one(address, ask, round == 3);
    if (!response || response->status != 412 || round == 3) co_return response;
    co_await clock_->sleep(milliseconds(50 << (2 * round)));
  }
  co_return fail(Errc::away, "unreachable");
}

Task<Response> Cluster::ask_one(const std::string& address, const Ask& ask, bool forward) {
  const auto left = std::chrono::duration_cast<milliseconds>(ask.deadline - clock_->now());
  if (left <= milliseconds(0)) co_return fail(Errc::away, "took longer than the call may");
  net::Request request;
  request.method = ask.method;
  request.url = address + "/v1/" + ask.path;
  request.timeout = std::min(timeout_, left);
  request.headers.push_back(header("X-Vault-Request", "true"));
  if (ask.token != nullptr) {
    // Not X-Vault-Token: HTTP/2 libraries keep headers in a table to send them shorter, all but Authorization.
    memory::Text bearer;
    bearer.append("Bearer ").append(*ask.token);
    request.headers.push_back({"Authorization", bearer.finish()});
  }
  if (!ask.space.empty()) request.headers.push_back(header("X-Vault-Namespace", ask.space));
  if (ask.wrap > seconds(0)) {
    request.headers.push_back(header("X-Vault-Wrap-TTL", std::to_string(ask.wrap.count()) + "s"));
  }
  if (ask.token != nullptr && !index_.empty()) request.headers.push_back(header("X-Vault-Index", index_));
  if (forward) request.headers.push_back(header("X-Vault-Inconsistent", "forward-active-node"));
  if (!ask.body.empty()) {
    request.headers.push_back(header("Content-Type", "application/json"));
    request.body = ask.body.clone();
  }
  ++counts_.requests;
  auto response = co_await http_->send(std::move(request));
  co_return response;
}

Task<Response> Cluster::ask_only(const std::string& address, const Ask& ask, milliseconds timeout) {
  Ask bounded;
  bounded.method = ask.method;
  bounded.path = ask.path;
  bounded.space = ask.space;
  bounded.token = ask.token;
  bounded.body = ask.body.clone();
  bounded.deadline = clock_->now() + timeout;
  auto response = co_await ask_one(address, bounded, false);
  co_return response;
}

std::optional<BootClock::time_point> Cluster::held_until(const std::string& space, const std::string& path) const {
  const auto now = clock_->now();
  if (failures_ > 0 && now < not_before_) return not_before_;
  const auto hold = holds_.find(mount_key(space, path));
  if (hold != holds_.end() && now < hold->second.until) return hold->second.until;
  return std::nullopt;
}

std::optional<std::size_t> Cluster::redirect_target(const Response& response) const {
  const auto found = std::find(addresses_.begin(), addresses_.end(), origin_of(response.header("location")));
  if (found == addresses_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - addresses_.begin());
}

void Cluster::answered_by(std::size_t place) {
  current_ = place;
  failures_ = 0;
}

Error Cluster::quota(const Ask& ask, const Response& response) {
  auto& hold = holds_[mount_key(ask.space, ask.path)];
  const auto now = clock_->now();
  // Those that were on their way together count as one.
  if (now >= hold.until) ++hold.times;
  std::chrono::nanoseconds wait = kBackoff.after(hold.times, clock_->random());
  // Nobody is asked again at once, whatever a server says.
  if (const auto asked = pause_of(response, clock_->wall())) wait = std::max(*asked, seconds(1));
  hold.until = std::max(hold.until, now + wait);
  return {Errc::away, ask.what + ": HTTP 429, a quota is used up"};
}

void Cluster::all_failed(std::optional<seconds> pause) {
  ++counts_.outages;
  const auto now = clock_->now();
  if (failures_ > 0 && now < not_before_) return;
  ++failures_;
  const std::chrono::nanoseconds wait = kBackoff.after(failures_, clock_->random());
  not_before_ = now + std::max<std::chrono::nanoseconds>(wait, pause.value_or(seconds(0)));
}

scanner::base::Result<std::string> encoded(const std::string& path) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string text;
  for (std::size_t at = 0; at <= path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    const auto segment = path.substr(at, end - at);
    if (segment.empty() || segment == "." || segment == "..") {
      return fail(Errc::config, "a path of a store has no empty, \".\" or \"..\" segments and no slash at its ends");
    }
    if (!text.empty()) text += '/';
    for (const char c : segment) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x20 || byte == 0x7f) return fail(Errc::config, "a path of a store has no control characters");
      if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
          c == '.' || c == '~') {
        text += c;
      } else {
        text += '%';
        text += kHex[byte >> 4];
        text += kHex[byte & 15];
      }
    }
    at = end + 1;
  }
  return text;
}

}  // namespace injector::backend::vault
