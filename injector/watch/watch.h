#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "injector/backend/backend.h"
#include "injector/config/config.h"
#include "injector/deliver/delivery.h"
#include "injector/telemetry/log.h"
#include "injector/watch/notices.h"
#include "injector/watch/status.h"

namespace injector::watch {

/// A store under its name of the configuration.
struct NamedBackend {
  std::string name;
  std::string kind;
  backend::Backend* backend = nullptr;
};

/// Keeps the files of a mount right: fetches, delivers, renews leases, looks for changes, bears with stores that are
/// away.
///
/// Lives on the one loop. Borrows everything it is given, which must outlive it. What it may wait for has a deadline;
/// no failure ends it.
class Watch {
 public:
  struct Parts {
    boost::asio::any_io_executor executor;
    const config::Config* config = nullptr;
    std::vector<NamedBackend> stores;  ///< One for each of the configuration's, in its order.
    deliver::Delivery* delivery = nullptr;
    Notify notify;  ///< Tells somebody that files have changed; its result is for logs and metrics.
    telemetry::Log* log = nullptr;
    std::function<double()> random;  ///< From [0, 1).
  };
  explicit Watch(Parts parts);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch();

  /// Fetches and delivers everything once, trying again until `limit` has passed. Fails with one line for each file
  /// that could not be delivered. For `init`.
  net::Task<void> once(std::chrono::milliseconds limit);

  /// Goes on until it is cancelled. Starts where `once` ended, when that was called.
  boost::asio::awaitable<void> run();

  /// What another process of this pod, with the same configuration, needs to go on from here without a question to any
  /// store: sessions, leases, versions. Nothing may be asked of this watch or its stores then. Holds tokens.
  memory::Secret hand_over();
  /// Goes on with what hand_over() gave, before run(). False, and nothing happens, when it does not fit the
  /// configuration, or a file is not published any more.
  bool take_over(const memory::Secret& kept);

  /// Looks at everything now, as soon as backoffs allow. For SIGHUP.
  void refresh();

  [[nodiscard]] const Status& status();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace injector::watch
