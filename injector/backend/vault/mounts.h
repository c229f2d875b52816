#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "injector/backend/vault/clock.h"
#include "injector/backend/vault/gate.h"
#include "injector/backend/vault/reading_of.h"
#include "injector/net/http.h"

namespace injector::backend::vault {

/// A mounted engine, as far as a reader must know.
struct Mount {
  std::string path;  ///< "kv/", as the server writes it; empty when it would not say.
  std::string type;  ///< "kv", "database", ...
  Engine engine = Engine::plain;
  bool metadata_denied = false;  ///< The policy does not let us see metadata: no use in asking again.
};

/// Which engine is mounted at a path: asked of the server once for each mount, however many paths lie in it and however
/// many ask at the same time. What the server does not tell (403, 404) is taken for a plain engine, for five minutes.
class MountTable {
 public:
  /// Asks the server: an answer of 200, 403 or 404, or an error.
  using Probe = std::function<net::Task<Answer>(std::string space, std::string path)>;

  MountTable(std::shared_ptr<Clock> clock, Probe probe) : clock_(std::move(clock)), probe_(std::move(probe)) {}

  net::Task<Mount> find(std::string space, std::string path);

  /// Something at the path was not as the table has it: asked again next time, unless it was just asked.
  void doubt(const std::string& space, const std::string& path);
  void deny_metadata(const std::string& space, const std::string& path);

  static constexpr std::chrono::minutes kDoubt{5};

 private:
  struct Known {
    Mount mount;
    BootClock::time_point since;
    bool certain = true;
  };
  struct Flight {
    std::shared_ptr<Gate> gate = std::make_shared<Gate>();
    std::optional<scanner::base::Error> error;
  };
  using Key =
      std::pair<std::string, std::string>;  ///< Namespace, and a mount's path or, where that is not known, a secret's.

  std::map<Key, Known>::iterator lookup(const std::string& space, const std::string& path);

  std::shared_ptr<Clock> clock_;
  Probe probe_;
  std::map<Key, Known> known_;
  std::map<Key, std::shared_ptr<Flight>> flights_;  ///< By namespace and first segment.
};

}  // namespace injector::backend::vault
