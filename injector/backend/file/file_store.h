#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "injector/backend/backend.h"
#include "injector/backend/file/settings.h"
#include "injector/backend/file/watcher.h"

namespace injector::backend::file {

/// A directory of values as a store, for development, the quick start and tests: a file for each path. A file that
/// holds a JSON object has its members as keys (`path#key`).
///
/// Files are read again at each question; replace them by rename, as one that is written in place is `away` while its
/// size changes. A version is the HMAC of the content under a key of this process: it tells two contents apart, and
/// nothing about them, but another process has another. `write`, `data`, `space`, `stage` and pinned versions are
/// `Errc::config`. What others could read is refused (directory.h).
class FileStore final : public Backend {
 public:
  /// `Errc::config` for a path that is not absolute. Whether the directory is there, each read finds out.
  static scanner::base::Result<std::unique_ptr<FileStore>> create(const Settings& settings);

  net::Task<Reading> read(const Query& query) override;
  boost::asio::awaitable<std::vector<scanner::base::Result<Reading>>> read_all(
      const std::vector<Query>& queries) override;
  net::Task<bool> changed(const Query& query, const std::string& version) override;
  /// Within a fraction of a second of the change.
  net::Task<void> changes() override;
  /// There are no leases here: `Errc::config`.
  net::Task<Lease> renew(const Lease& lease) override;
  [[nodiscard]] std::uint64_t session() const override { return 1; }
  boost::asio::awaitable<std::vector<Check>> check(const std::vector<Query>& queries) override;
  boost::asio::awaitable<void> close() override;

 private:
  explicit FileStore(const Settings& settings);
  [[nodiscard]] scanner::base::Result<memory::Secret> content(const Query& query) const;
  [[nodiscard]] scanner::base::Result<Reading> look(const Query& query) const;
  [[nodiscard]] std::string version_of(const memory::Secret& content) const;

  Settings settings_;
  memory::Secret key_;
  Watcher watcher_;
};

}  // namespace injector::backend::file
