#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <list>

#include "injector/model/file_spec.h"
#include "injector/net/http.h"
#include "injector/telemetry/log.h"
#include "injector/watch/group.h"

namespace injector::watch {

using Notify = std::function<net::Task<void>(const OnChange& how)>;

/// Tells applications of changes: once for all that change within `debounce`, and again a few times when it fails.
class Notices {
 public:
  Notices(const boost::asio::any_io_executor& executor, Notify notify, telemetry::Log& log)
      : group_(executor), notify_(std::move(notify)), log_(&log) {}

  /// Something that `how` is for has changed. `how` must outlive this.
  void changed(const OnChange& how);
  /// Forgets what was not told yet and waits for what is under way.
  boost::asio::awaitable<void> end();

  [[nodiscard]] std::uint64_t told() const { return told_; }
  [[nodiscard]] std::uint64_t failed() const { return failed_; }

 private:
  boost::asio::awaitable<void> tell(const OnChange& how);

  Group group_;
  Notify notify_;
  telemetry::Log* log_;
  std::list<const OnChange*> waiting_;  ///< Whose debounce runs.
  std::uint64_t told_ = 0;
  std::uint64_t failed_ = 0;
};

/// "HUP to nginx", "POST http://127.0.0.1:8080/-/reload", "/usr/bin/reload": for logs.
std::string to_string(const OnChange& how);

}  // namespace injector::watch
