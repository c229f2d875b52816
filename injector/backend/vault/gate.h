#pragma once

#include <boost/asio/awaitable.hpp>

#include <list>
#include <memory>

namespace injector::backend::vault {

/// Closed until it is opened, once and for all; whoever came before waits. For what is done once on behalf of many.
class Gate {
 public:
  Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate();

  void open();
  [[nodiscard]] bool is_open() const { return open_; }
  /// Whether it was opened: false when the waiting was cancelled.
  static boost::asio::awaitable<bool> wait(std::shared_ptr<Gate> gate);

 private:
  struct Waiter;
  bool open_ = false;
  std::list<Waiter*> waiters_;
};

}  // namespace injector::backend::vault
