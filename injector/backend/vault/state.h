#pragma once

#include <memory>
#include <string>
#include <vector>

#include "injector/backend/vault/cluster.h"
#include "injector/backend/vault/mounts.h"
#include "injector/backend/vault/session.h"
#include "injector/backend/vault/vault.h"

namespace injector::backend::vault {

/// What a VaultBackend is made of, shared by what it has under way.
class VaultBackend::State : public std::enable_shared_from_this<State> {
 public:
  State(Settings settings, std::shared_ptr<net::Http> http, IdentitySigner signer, std::shared_ptr<Clock> clock);

  /// All that is at the query's path, whatever its key.
  net::Task<Reading> read(Query query);
  net::Task<bool> changed(Query query, std::string version);
  net::Task<Lease> renew(Lease lease);
  boost::asio::awaitable<std::vector<Check>> check(std::vector<Query> queries);

  [[nodiscard]] std::string space_of(const Query& query) const {
    return query.space.empty() ? settings->space : query.space;
  }

  const std::shared_ptr<const Settings> settings;
  const std::shared_ptr<Clock> clock;
  const std::shared_ptr<Cluster> cluster;
  const std::shared_ptr<Session> session;

 private:
  /// Where the API has what a query is after.
  struct Place {
    Engine engine = Engine::plain;
    std::string mount;  ///< "kv/", encoded; empty when it is not known or does not matter.
    std::string rest;   ///< Below it, encoded; for KV 2 without "data/".
    [[nodiscard]] std::string data() const { return engine == Engine::kv2 ? mount + "data/" + rest : mount + rest; }
    [[nodiscard]] std::string below(const std::string& view) const { return mount + view + "/" + rest; }
  };

  /// Sends it with the token; after a 403 that came from a lost token, once more with the next one.
  net::Task<Answer> ask_as_pod(Ask ask);
  net::Task<Answer> unwrapped(Answer answer, std::string path, std::string space, std::string what,
                              BootClock::time_point deadline);
  net::Task<Place> place_of(Query query, BootClock::time_point deadline);
  net::Task<Answer> probe(std::string space, std::string path);
  [[nodiscard]] BootClock::time_point deadline() const { return clock->now() + settings->deadline; }

  boost::asio::awaitable<void> check_address(const std::string& address, std::vector<Check>& checks);
  boost::asio::awaitable<bool> check_login(std::vector<Check>& checks);
  boost::asio::awaitable<void> check_access(const std::string& space, const std::vector<Query>& queries,
                                            std::vector<Check>& checks);
  boost::asio::awaitable<void> check_subkeys(Query query, Place place, std::vector<Check>& checks);

  MountTable mounts_;
};

}  // namespace injector::backend::vault
