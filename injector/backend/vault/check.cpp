#include <algorithm>
#include <charconv>
#include <map>

#include "injector/backend/vault/json_text.h"
#include "injector/backend/vault/state.h"
#include "injector/memory/text.h"
#include "injector/net/reach.h"

namespace injector::backend::vault {
namespace {

namespace asio = boost::asio;
using std::chrono::seconds;

/// JWTs and signatures bear less than a minute of error.
constexpr seconds kSkew{30};

struct Authority {
  std::string host;  ///< Without brackets.
  std::uint16_t port = 443;
};

Authority authority_of(const std::string& address) {
  Authority authority;
  authority.host = address.substr(address.find("://") + 3);
  const auto colon = authority.host.rfind(':');
  if (colon != std::string::npos && authority.host.find(']', colon) == std::string::npos) {
    std::from_chars(authority.host.data() + colon + 1, authority.host.data() + authority.host.size(), authority.port);
    authority.host.resize(colon);
  }
  if (authority.host.starts_with('[')) authority.host = authority.host.substr(1, authority.host.size() - 2);
  return authority;
}

Check passed(std::string what, std::string detail = "") {
  return {std::move(what), Check::State::passed, std::move(detail)};
}
Check warned(std::string what, std::string detail) {
  return {std::move(what), Check::State::warned, std::move(detail)};
}
Check failed(std::string what, std::string detail) {
  return {std::move(what), Check::State::failed, std::move(detail)};
}
Check skipped(std::string what, std::string detail) {
  return {std::move(what), Check::State::skipped, std::move(detail)};
}

Check health(const std::string& host, int status) {
  const auto what = "state of " + host;
  switch (status) {
    case 200:
      return passed(what, "active");
    case 429:
      return passed(what, "standby");
    case 473:
      return passed(what, "performance standby");
    case 472:
      return warned(what, "disaster recovery secondary: it serves no secrets");
    case 501:
      return failed(what, "not initialised");
    case 503:
      return failed(what, "sealed");
    case 530:
      return failed(what, "removed from its cluster");
    default:
      return failed(what, "HTTP " + std::to_string(status) + " is no answer of a Vault's sys/health");
  }
}

Check clock_check(const std::string& host, const std::string& date, std::chrono::system_clock::time_point now) {
  const auto what = "clock, compared with " + host;
  const auto theirs = http_date(date);
  if (!theirs) return skipped(what, "the server does not say what time it is");
  const auto skew = std::chrono::duration_cast<seconds>(now - *theirs);
  const auto size = std::to_string(std::abs(skew.count())) + " s";
  if (std::chrono::abs(skew) <= kSkew) return passed(what, size);
  return warned(what, "ours is " + size + (skew > seconds(0) ? " ahead" : " behind") + ": logins may be refused");
}

std::string duration_text(const Term& term, BootClock::time_point now) {
  if (term.next.act == Term::Act::rest) return "a token that never ends";
  const auto left = std::chrono::round<seconds>(term.ends - now).count();
  return "a token for " + std::to_string(left) + " s" + (term.renewable ? ", renewable" : ", not renewable");
}

std::vector<std::string> capabilities_of(const Answer& answer, const std::string& path) {
  std::vector<std::string> names;
  auto list = answer.data()[path];
  if (!list.exists()) list = answer.root()[path];
  for (std::size_t i = 0; i < list.size(); ++i) names.emplace_back(list.at(i).string());
  return names;
}

bool allows(const std::vector<std::string>& names, std::initializer_list<std::string_view> any) {
  return std::any_of(names.begin(), names.end(), [&](const auto& name) {
    return name == "root" || std::find(any.begin(), any.end(), name) != any.end();
  });
}

}  // namespace

asio::awaitable<std::vector<Check>> VaultBackend::State::check(std::vector<Query> queries) {
  std::vector<Check> checks;
  for (const auto& address : cluster->addresses()) co_await check_address(address, checks);
  const bool logged_in = co_await check_login(checks);
  if (!logged_in) co_return checks;
  std::map<std::string, std::vector<Query>> spaces;
  for (const auto& query : queries) spaces[space_of(query)].push_back(query);
  for (const auto& [space, here] : spaces) co_await check_access(space, here, checks);
  co_return checks;
}

asio::awaitable<void> VaultBackend::State::check_address(const std::string& address, std::vector<Check>& checks) {
  const auto host = address.substr(address.find("://") + 3);
  Ask ask;
  ask.path = "sys/health";
  const auto response = co_await cluster->ask_only(address, ask, settings->timeout);
  if (response) {
    checks.push_back(passed("name, connection and TLS of " + host));
    checks.push_back(clock_check(host, response->header("date"), clock->wall()));
    checks.push_back(health(host, response->status));
    co_return;
  }
  const auto at = authority_of(address);
  const auto found = co_await net::resolve(at.host, settings->timeout);
  if (!found) {
    checks.push_back(failed("name " + at.host, found.error().message()));
    co_return;
  }
  checks.push_back(passed("name " + at.host, std::to_string(found->size()) + " addresses"));
  bool reached = false;
  for (const auto& ip : *found) {
    const auto connected = co_await net::connect(ip, at.port, settings->timeout);
    const auto what = "connection to " + ip + " port " + std::to_string(at.port);
    checks.push_back(connected ? passed(what) : failed(what, connected.error().message()));
    reached = reached || connected;
  }
  if (reached) checks.push_back(failed("TLS of " + host, response.error().message()));
}

asio::awaitable<bool> VaultBackend::State::check_login(std::vector<Check>& checks) {
  const auto token = co_await session->token(deadline());
  if (!token) {
    checks.push_back(failed("login", token.error().message()));
    co_return false;
  }
  checks.push_back(passed("login", duration_text(session->term(), clock->now())));
  co_return true;
}

asio::awaitable<void> VaultBackend::State::check_access(const std::string& space, const std::vector<Query>& queries,
                                                        std::vector<Check>& checks) {
  struct Found {
    Query query;
    Place place;
    std::string path;
  };
  std::vector<Found> found;
  memory::Text paths;
  for (const auto& query : queries) {
    const auto what = "access to " + query.path;
    auto place = co_await place_of(query, deadline());
    if (!place) {
      checks.push_back(failed(what, place.error().message()));
      continue;
    }
    auto path = query.path;
    if (place->engine == Engine::kv2) path = query.list ? place->below("metadata") : place->data();
    paths.append(found.empty() ? '[' : ',').append_json(path);
    found.push_back({query, std::move(*place), std::move(path)});
  }
  if (found.empty()) co_return;
  paths.append(']');
  Ask ask;
  ask.what = "asking for capabilities";
  ask.method = "POST";
  ask.path = "sys/capabilities-self";
  ask.space = space;
  ask.body = json_object(Field{"paths", paths.reveal(), Field::Kind::json});
  ask.deadline = deadline();
  const auto answer = co_await ask_as_pod(std::move(ask));
  const bool told = answer && answer->ok();
  if (!told) {
    const auto error = answer ? error_of(*answer, "sys/capabilities-self") : answer.error();
    checks.push_back(skipped("access to " + std::to_string(found.size()) + " paths", error.message()));
  }
  for (const auto& one : found) {
    const auto what = "access to " + one.query.path;
    if (told) {
      const auto names = capabilities_of(*answer, one.path);
      const bool may = one.query.write  ? allows(names, {"update", "create"})
                       : one.query.list ? allows(names, {"list"})
                                        : allows(names, {"read"});
      const auto wanted = std::string(one.query.write  ? "update"
                                      : one.query.list ? "list"
                                                       : "read") +
                          " on " + one.path;
      checks.push_back(may ? passed(what, wanted) : failed(what, "no policy of the token gives " + wanted));
      if (!may) continue;
    }
    if (one.place.engine == Engine::kv2 && !one.query.list) co_await check_subkeys(one.query, one.place, checks);
  }
}

/// KV 2 tells the names of keys without their values.
asio::awaitable<void> VaultBackend::State::check_subkeys(Query query, Place place, std::vector<Check>& checks) {
  const auto what = "content of " + query.path;
  Ask ask;
  ask.what = "asking for the keys of " + query.path;
  ask.space = space_of(query);
  ask.path = place.below("subkeys");
  if (!query.version.empty()) ask.path += "?version=" + query.version;
  ask.deadline = deadline();
  const auto answer = co_await ask_as_pod(std::move(ask));
  if (!answer) {
    checks.push_back(failed(what, answer.error().message()));
    co_return;
  }
  if (answer->status() == 403) {
    checks.push_back(skipped(what, "no policy of the token gives read on " + place.below("subkeys")));
    co_return;
  }
  if (answer->status() == 404) {
    checks.push_back(failed(what, absence_of(*answer, query, Engine::kv2).message()));
    co_return;
  }
  const auto keys = answer->data()["subkeys"];
  if (!answer->ok() || !keys.is_object()) {
    checks.push_back(skipped(what, error_of(*answer, "asking for its keys").message()));
    co_return;
  }
  if (!query.key.empty() && !keys[query.key].exists()) {
    checks.push_back(failed(what, "it has no key " + query.key));
    co_return;
  }
  checks.push_back(passed(what, std::to_string(keys.size()) + " keys"));
}

}  // namespace injector::backend::vault
