#pragma once

#include <string>

#include "injector/deliver/delivery.h"
#include "tests/support/temporary.h"

namespace tests {

/// Why there is no tmpfs to be had here; empty when there is. Moves this process into a mount namespace of its own, the
/// first time it is asked.
const std::string& no_tmpfs();
/// Whether that namespace belongs to real root: several users, noswap.
bool real_root();

/// A tmpfs of its own, unmounted at the end.
class Tmpfs {
 public:
  explicit Tmpfs(const std::string& options = "size=64m,mode=0755,nodev,nosuid,noexec");
  Tmpfs(const Tmpfs&) = delete;
  Tmpfs& operator=(const Tmpfs&) = delete;
  ~Tmpfs();

  [[nodiscard]] const std::string& path() const { return folder_.path(); }
  [[nodiscard]] std::string operator/(const std::string& name) const { return folder_ / name; }
  [[nodiscard]] bool mounted() const { return mounted_; }
  /// With other options, the files left in place.
  [[nodiscard]] bool remount(const std::string& options) const;
  [[nodiscard]] injector::deliver::Delivery delivery(
      injector::deliver::Delivery::Options options = injector::deliver::Delivery::Options()) const;

 private:
  TemporaryDirectory folder_;
  bool mounted_ = false;
};

/// Contents of a generation: two files that both say `version`, `a/user` and `b`, large enough to be torn.
struct Pair {
  explicit Pair(int version);
  [[nodiscard]] std::vector<injector::deliver::Content> contents() const;
  injector::memory::Secret user;
  injector::memory::Secret password;
  injector::deliver::Access access{0440, {}, {}};
};

/// What a whole file says: its version, or -1 when it is torn.
int version_in(const std::string& bytes);
constexpr int kAbsent = -2;
/// The version of a file opened at `path` beneath `directory` (AT_FDCWD for a whole path): -1 torn, kAbsent not there.
int version_at(int directory, const std::string& path);

/// Names in a folder that look like generations.
std::vector<std::string> generations(const std::string& mount);

}  // namespace tests
