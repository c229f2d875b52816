#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>
#include <vector>

#include "injector/backend/aws/environment.h"
#include "injector/backend/backend.h"
#include "injector/config/config.h"
#include "injector/net/https_client.h"
#include "injector/watch/watch.h"
#include "scanner/base/result.h"

namespace injector::cli {

/// A store of the configuration, and what it takes to speak to it.
struct Store {
  config::Store settings;
  std::string kind;                             ///< "vault", "aws", "file"
  std::shared_ptr<net::HttpsClient> transport;  ///< Null for a store without a network. Outlives the backend.
  std::unique_ptr<backend::Backend> backend;
};

/// The stores of a configuration, opened: a kind of store is a row in stores.cpp. No network is touched before the
/// first question. Borrows the executor and the environment, which outlive it.
class Stores {
 public:
  /// Stores whose settings are the same as in `before` are taken from there, with their logins: so a configuration that
  /// is read again costs none of them a token. `Errc::config` names
  /// every store that cannot be opened, and what is wrong.
  static scanner::base::Result<Stores> open(boost::asio::any_io_executor executor, const config::Config& config,
                                            const backend::aws::Environment& environment,
                                            const Stores* before = nullptr);

  [[nodiscard]] std::vector<watch::NamedBackend> named() const;
  [[nodiscard]] const std::vector<std::shared_ptr<Store>>& all() const { return stores_; }

  /// Closes connections that nothing has used for a while: their buffers hold what was last said on them.
  void close_idle();

  /// Gives back what the stores hold (tokens), all at the same time, but for those that are in `kept`, too. Each store
  /// takes a second at most.
  boost::asio::awaitable<void> close(const Stores* kept = nullptr);

 private:
  std::vector<std::shared_ptr<Store>> stores_;
};

}  // namespace injector::cli
