#include "injector/backend/vault/vault.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <list>

#include "injector/backend/vault/state.h"

namespace injector::backend::vault {
namespace {

namespace asio = boost::asio;
using net::Task;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Ok;
using scanner::base::Result;

bool loopback(std::string_view authority) {
  const auto host = authority.substr(0, authority.starts_with('[') ? authority.find(']') + 1 : authority.find(':'));
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

Ok check_address(const std::string& address) {
  std::string_view rest = address;
  const bool tls = rest.starts_with("https://");
  if (!tls && !rest.starts_with("http://"))
    return fail(Errc::config, "address " + address + ": it must begin with https://");
  rest.remove_prefix(tls ? 8 : 7);
  while (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.empty() || rest.find_first_of("/?#@\\ \t\r\n") != std::string_view::npos) {
    return fail(Errc::config, "an address is https://HOST:PORT and nothing more");
  }
  if (!tls && !loopback(rest)) {
    return fail(Errc::config, "address " + address + ": a token is not sent without TLS but to loopback");
  }
  return {};
}

Ok need(const std::string& value, const std::string& name) {
  if (value.empty()) return fail(Errc::config, "auth: " + name + " is missing");
  return {};
}

struct AuthCheck {
  Ok operator()(const KubernetesAuth& auth) const {
    if (auto done = need(auth.role, "kubernetes.role"); !done) return done;
    return need(auth.token_file, "kubernetes.token_file");
  }
  Ok operator()(const JwtAuth& auth) const { return need(auth.token_file, "jwt.token_file"); }
  Ok operator()(const AppRoleAuth& auth) const {
    if (auto done = need(auth.role_id_file, "approle.role_id_file"); !done) return done;
    if (auth.secret_id == AppRoleAuth::SecretId::none) return {};
    return need(auth.secret_id_file, "approle.secret_id_file");
  }
  Ok operator()(const CertAuth&) const { return {}; }
  Ok operator()(const AwsAuth& auth) const { return need(auth.role, "aws.role"); }
  Ok operator()(const TokenFileAuth& auth) const { return need(auth.token_file, "token_file"); }
};

/// What is read for all queries of one path, whatever their keys.
Query whole(Query query) {
  query.key.clear();
  query.store.clear();
  return query;
}

Reading copy_of(const Reading& reading) {
  Reading copy;
  for (const auto& member : reading.members) copy.members.push_back({member.name, member.value.clone()});
  copy.document = reading.document.clone();
  copy.metadata = reading.metadata.clone();
  copy.version = reading.version;
  copy.lease = reading.lease;
  copy.advised = reading.advised;
  copy.expires = reading.expires;
  copy.request_id = reading.request_id;
  copy.warnings = reading.warnings;
  return copy;
}

/// A few workers that take one path after the other.
struct Batch {
  std::vector<Query> paths;
  std::vector<std::optional<Result<Reading>>> results;
  std::size_t next = 0;
  std::size_t working = 0;
  std::shared_ptr<Gate> done = std::make_shared<Gate>();
  std::list<asio::cancellation_signal> stops;

  [[nodiscard]] Result<Reading> answer(const Query& query) const {
    const auto place = std::find(paths.begin(), paths.end(), whole(query)) - paths.begin();
    const auto& result = results[static_cast<std::size_t>(place)];
    if (!result) return fail(Errc::away, naming(query) + ": cancelled");
    if (!*result) return fail(result->error());
    if (auto there = has_key(**result, query); !there) return fail(std::move(there).error());
    return copy_of(**result);
  }
};

}  // namespace

Result<std::unique_ptr<VaultBackend>> VaultBackend::create(Settings settings, std::shared_ptr<net::Http> http,
                                                           IdentitySigner signer, std::shared_ptr<Clock> clock) {
  if (settings.addresses.empty()) return fail(Errc::config, "a vault needs an address");
  for (const auto& address : settings.addresses) {
    if (auto done = check_address(address); !done) return fail(std::move(done).error());
  }
  if (auto done = std::visit(AuthCheck(), settings.auth); !done) return fail(std::move(done).error());
  return std::unique_ptr<VaultBackend>(new VaultBackend(
      std::make_shared<State>(std::move(settings), std::move(http), std::move(signer), std::move(clock))));
}

VaultBackend::VaultBackend(std::shared_ptr<State> state) : state_(std::move(state)) {}
VaultBackend::~VaultBackend() { state_->session->abandon(); }

// Each keeps the state for itself: what is under way may outlive the backend.

Task<Reading> VaultBackend::read(const Query& query) {
  const auto state = state_;
  co_await asio::this_coro::throw_if_cancelled(false);
  auto reading = co_await state->read(query);
  if (!reading) co_return reading;
  if (auto there = has_key(*reading, query); !there) co_return fail(std::move(there).error());
  co_return reading;
}

Task<bool> VaultBackend::changed(const Query& query, const std::string& version) {
  const auto state = state_;
  co_await asio::this_coro::throw_if_cancelled(false);
  auto answer = co_await state->changed(query, version);
  co_return answer;
}

Task<Lease> VaultBackend::renew(const Lease& lease) {
  const auto state = state_;
  co_await asio::this_coro::throw_if_cancelled(false);
  auto renewed = co_await state->renew(lease);
  co_return renewed;
}

asio::awaitable<std::vector<Result<Reading>>> VaultBackend::read_all(const std::vector<Query>& queries) {
  const auto state = state_;
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto batch = std::make_shared<Batch>();
  for (const auto& query : queries) {
    auto path = whole(query);
    if (std::find(batch->paths.begin(), batch->paths.end(), path) == batch->paths.end()) {
      batch->paths.push_back(std::move(path));
    }
  }
  batch->results.resize(batch->paths.size());
  batch->working = std::min(batch->paths.size(), kAtOnce);
  if (batch->working == 0) co_return std::vector<Result<Reading>>();
  const auto worker = [](std::shared_ptr<State> from, std::shared_ptr<Batch> of) -> asio::awaitable<void> {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (of->next < of->paths.size()) {
      const auto place = of->next++;
      auto reading = co_await from->read(of->paths[place]);
      of->results[place].emplace(std::move(reading));
    }
    if (--of->working == 0) of->done->open();
  };
  const auto executor = co_await asio::this_coro::executor;
  for (std::size_t left = batch->working; left > 0; --left) {
    auto& stop = batch->stops.emplace_back();
    asio::co_spawn(executor, worker(state, batch),
                   asio::bind_cancellation_slot(stop.slot(), [batch](const std::exception_ptr&) {}));
  }
  const bool done = co_await Gate::wait(batch->done);
  if (!done) {
    batch->next = batch->paths.size();
    for (auto& stop : batch->stops) stop.emit(asio::cancellation_type::terminal);
  }
  std::vector<Result<Reading>> results;
  results.reserve(queries.size());
  for (const auto& query : queries) results.push_back(batch->answer(query));
  co_return results;
}

std::uint64_t VaultBackend::session() const { return state_->session->number(); }

memory::Secret VaultBackend::hand_over() { return state_->session->hand_over(); }

void VaultBackend::take_over(memory::Document::Value kept, const asio::any_io_executor& executor) {
  state_->session->take_over(kept, executor);
}

asio::awaitable<std::vector<Check>> VaultBackend::check(const std::vector<Query>& queries) {
  const auto state = state_;
  co_await asio::this_coro::throw_if_cancelled(false);
  auto checks = co_await state->check(queries);
  co_return checks;
}

asio::awaitable<void> VaultBackend::close() {
  const auto state = state_;
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await state->session->close(kClosing);
}

std::optional<BootClock::time_point> VaultBackend::held_until(const Query& query) const {
  auto path = encoded(query.path);
  if (!path) return std::nullopt;
  const auto held = state_->cluster->held_until(state_->space_of(query), *path);
  const auto login = state_->session->held_until();
  return std::max(held, login);
}

const Term& VaultBackend::token_term() const { return state_->session->term(); }

VaultBackend::Counts VaultBackend::counts() const {
  const auto& cluster = state_->cluster->counts();
  const auto& session = state_->session->counts();
  Counts counts;
  counts.requests = cluster.requests;
  counts.outages = cluster.outages;
  counts.logins = session.logins;
  counts.refused_logins = session.refused_logins;
  counts.renewals = session.renewals;
  counts.failed_renewals = session.failed_renewals;
  return counts;
}

}  // namespace injector::backend::vault
