#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <list>

#include "injector/model/file_spec.h"
#include "injector/net/http.h"
#include "injector/telemetry/log.h"
#include "injector/watch/alarm.h"
#include "injector/watch/group.h"

namespace injector::watch {

using Notify = std::function<net::Task<void>(const OnChange& how)>;

/// Tells applications of changes: once for all that change within `debounce`, and again a few times when it fails.
class Notices {
 public:
  Notices(const boost::asio::any_io_executor& executor, Notify notify, telemetry::Log& log)
      : executor_(executor), group_(executor), notify_(std::move(notify)), log_(&log) {}

  /// Something that `how` is for has changed. `how` must outlive this.
  void changed(const OnChange& how);
  /// Tells at once what still waits for its debounce, and waits for that and for what is under way: a second at most.
  boost::asio::awaitable<void> end();

  [[nodiscard]] std::uint64_t told() const { return told_; }
  [[nodiscard]] std::uint64_t failed() const { return failed_; }

 private:
  struct Waiting {
    const OnChange* how;
    Alarm debounce;
  };
  boost::asio::awaitable<void> tell(std::list<Waiting>::iterator waiting);

  boost::asio::any_io_executor executor_;
  Group group_;
  Notify notify_;
  telemetry::Log* log_;
  std::list<Waiting> waiting_;
  bool ending_ = false;
  std::uint64_t told_ = 0;
  std::uint64_t failed_ = 0;
};

/// "HUP to nginx", "POST http://127.0.0.1:8080/-/reload", "/usr/bin/reload": for logs.
std::string to_string(const OnChange& how);

}  // namespace injector::watch
