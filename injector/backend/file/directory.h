#pragma once

#include <optional>
#include <string>

#include "injector/memory/secret.h"
#include "scanner/base/fd.h"
#include "scanner/base/result.h"

namespace injector::backend::file {

/// A directory of values, of which nobody else can read anything.
///
/// "Others" are all but its owner: a directory or file that gives its group or the world any permission is refused, and
/// so is one that belongs neither to us nor to root (unless we are root). That is looked at on the open descriptor, so
/// that nobody can exchange the file after it was judged.
class Directory {
 public:
  /// `Errc::missing` when it is not there, `Errc::denied` when it may not be opened or others can read it,
  /// `Errc::config` when it is no directory or its path is not absolute. Links on the way to it are followed; it may be
  /// one itself.
  static scanner::base::Result<Directory> open(const std::string& path);

  /// The bytes of the file `path` ("db/password", plain relative names, at most 4,096 bytes), of at most `kLargest`.
  /// Links within the directory are followed (the kubelet's way of replacing files), those that lead out are not
  /// (openat2, RESOLVE_BENEATH). `Errc::missing`, `Errc::denied`, `Errc::limit`, `Errc::config` (a path that is none,
  /// or no regular file); `Errc::away` for what may pass, as a machine without free descriptors.
  [[nodiscard]] scanner::base::Result<memory::Secret> read(const std::string& path) const;

  /// Whether read() would read it, as far as that can be told without reading.
  [[nodiscard]] scanner::base::Ok judge(const std::string& path) const;

  static constexpr std::size_t kLargest = 1UL << 20;  // As much as a Kubernetes Secret holds.

 private:
  explicit Directory(scanner::base::Fd directory) : directory_(std::move(directory)) {}
  [[nodiscard]] scanner::base::Result<scanner::base::Fd> open_file(const std::string& path) const;
  scanner::base::Fd directory_;
};

}  // namespace injector::backend::file
