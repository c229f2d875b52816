#pragma once

#include <string>

#include "injector/cli/environment.h"
#include "scanner/base/result.h"

namespace injector::cli {

/// Where the demo takes place: a directory of its own with a store and a mount in it, on a tmpfs of its own in a mount
/// namespace of our own, where the kernel lets us. Removed at the end.
class DemoGround {
 public:
  /// Enters the namespace, so before there is a second thread. `Errc::io` when no directory can be made.
  static scanner::base::Result<DemoGround> make(const Environment& environment);
  DemoGround(DemoGround&& other) noexcept;
  DemoGround& operator=(DemoGround&&) = delete;
  ~DemoGround();

  [[nodiscard]] std::string store() const { return path_ + "/store"; }
  [[nodiscard]] std::string mount() const { return path_ + "/app"; }
  /// Empty: the mount is a tmpfs. Otherwise why there is none.
  [[nodiscard]] const std::string& plain_because() const { return plain_because_; }

 private:
  explicit DemoGround(std::string path) : path_(std::move(path)) {}
  void try_to_mount();

  std::string path_;
  std::string plain_because_;
  bool outer_ = false;  ///< A tmpfs over the whole of it.
  bool inner_ = false;  ///< And one at mount().
};

}  // namespace injector::cli
