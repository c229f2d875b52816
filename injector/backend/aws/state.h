#pragma once

#include <map>
#include <string>

#include "injector/backend/aws/secrets_manager.h"

namespace injector::backend::aws {

/// What a store of AWS is made of; secrets_manager.cpp and preflight.cpp work on it.
struct SecretsManager::State {
  State(Resolved resolved, const Environment& environment, net::Http& transport)
      : settings(std::move(resolved)),
        http(&transport),
        credentials(providers(settings, environment, transport), clock),
        client(settings, transport, credentials, clock) {}

  Resolved settings;
  net::Http* http;
  ServerClock clock;
  CredentialSource credentials;
  Client client;
  BootClock::time_point batch_from{};                          ///< BatchGetSecretValue is not asked for before this.
  std::map<std::string, BootClock::time_point> describe_from;  ///< Likewise DescribeSecret, by path.
};

/// A query's stage, or the one that is meant when it names neither a stage nor a version.
std::string stage_of(const Query& query);

/// `Errc::config` when Secrets Manager cannot be asked such a thing.
scanner::base::Ok askable(const Query& query);

}  // namespace injector::backend::aws
