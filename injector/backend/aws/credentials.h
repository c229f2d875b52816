#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "injector/memory/secret.h"

namespace injector::backend::aws {

using Time = std::chrono::system_clock::time_point;

/// A key pair that AWS knows. The id is a name, which AWS writes into its own logs; the rest is secret.
struct Credentials {
  std::string access_key_id;
  memory::Secret secret_access_key;
  memory::Secret session_token;  ///< Empty for the keys of a user.
  std::optional<Time> expires;   ///< Nothing: they last until somebody deletes them.
  std::optional<Time> answered;  ///< By the clock of the server that gave them.
  /// Not 0: asked for again after that long, because where they came from (a file) may hold others by then.
  std::chrono::seconds reread{0};
};

}  // namespace injector::backend::aws
