#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "injector/pod/policy.h"
#include "scanner/base/result.h"

namespace injector::webhook {

/// A file's state, as far as it tells that the content may be another: also when a Secret's or ConfigMap's `..data` was
/// renamed.
struct FileStamp {
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
  std::int64_t size = -1;  ///< -1: there is no such file.
  std::uint64_t inode = 0;

  static FileStamp of(const std::string& path);
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// The operator's policy, read again when its file changes.
class PolicyFile {
 public:
  /// Empty: the policy without a file.
  explicit PolicyFile(std::string path) : path_(std::move(path)) {}

  enum class Change : std::uint8_t { none, taken };
  /// Reads the file when it has changed since it was last read. On an error (`Errc::config`, `Errc::io`) the policy in
  /// use stays; the same broken file is told once, and not read again before it changes.
  scanner::base::Result<Change> look();

  /// Before the first good look(), the policy without a file.
  [[nodiscard]] const pod::Policy& policy() const { return *policy_; }
  [[nodiscard]] bool good() const { return good_; }  ///< Whether the file, as it is now, is what is in use.

 private:
  std::string path_;
  FileStamp stamp_;
  bool looked_ = false;
  bool good_ = false;
  std::shared_ptr<const pod::Policy> policy_ = std::make_shared<const pod::Policy>(pod::default_policy());
};

}  // namespace injector::webhook
