#pragma once

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

#include "scanner/base/result.h"

namespace injector::backend::file {

/// Waits for changes in a directory and the directories in it, by inotify.
///
/// Says "something changed", never what: whoever waits looks again. It may say so without need; it misses nothing that
/// happens between two waits. When the directory itself is replaced or not there, it says so as soon as it is back
/// (seen within `kLook`).
class Watcher {
 public:
  explicit Watcher(std::string directory);
  ~Watcher();

  /// Ends when something has changed since the last wait, and 20 ms were quiet or 200 ms have passed: a file replaced
  /// by several steps is one change. `Errc::away` when cancelled, or when the kernel gives no watch.
  boost::asio::awaitable<scanner::base::Ok> wait();

 private:
  struct State;
  std::string directory_;
  std::unique_ptr<State> state_;
};

}  // namespace injector::backend::file
