#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "scanner/base/fd.h"
#include "scanner/base/result.h"
#include "scanner/base/stream.h"
#include "scanner/model/limits.h"
#include "scanner/model/skipped.h"

namespace scanner::source {

/// Named blobs that can be read in any order and several at once: an archive file, or a directory.
class BlobStore {
 public:
  virtual ~BlobStore() = default;

  /// Name and size of everything in it. Names are clean relative paths.
  [[nodiscard]] virtual const std::map<std::string, std::uint64_t>& blobs() const = 0;

  /// `name` with links followed; empty when it leads nowhere.
  [[nodiscard]] virtual std::string resolve(const std::string& name) const = 0;

  /// The bytes of a blob; `name` is one of blobs().
  virtual base::Result<std::unique_ptr<base::Stream>> open(const std::string& name) = 0;

  /// What of the container itself could not be read.
  [[nodiscard]] virtual const std::vector<Skipped>& skipped() const = 0;
};

/// Follows links of an archive, symbolic ones relative to their place, at most eight.
std::string follow_links(const std::map<std::string, std::string>& links, const std::string& name);

/// A tar archive in a regular file, read by its headers alone. Owns the descriptor.
base::Result<std::unique_ptr<BlobStore>> open_archive_file(base::Fd fd, const std::string& name, const Limits& limits);

/// A directory; nothing outside of it is opened, whatever its links say. Owns the descriptor.
base::Result<std::unique_ptr<BlobStore>> open_directory_store(base::Fd directory, const std::string& name,
                                                              const Limits& limits);

}  // namespace scanner::source
