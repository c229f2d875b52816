#pragma once

#include <sys/stat.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "injector/deliver/beneath.h"
#include "injector/memory/secret.h"
#include "injector/model/reading.h"
#include "injector/model/relative_path.h"
#include "scanner/base/fd.h"
#include "scanner/base/hash.h"

namespace injector::deliver {

/// One file of the next generation.
struct Content {
  RelativePath path;
  const memory::Secret* bytes = nullptr;  ///< Borrowed. Null: whatever is published there now stays.
  Access access;
};

/// What a call to `publish` did.
struct Published {
  std::uint64_t generation = 0;       ///< What is visible now; 0 before the first.
  bool written = false;               ///< False: nothing differed, nothing was written, nobody is to be told.
  std::vector<RelativePath> changed;  ///< Files that are new, or whose bytes or access differ.
  std::vector<RelativePath> removed;
};

/// Makes files appear in a directory, all of a generation at one instant.
///
///     mount/..2026_11_24_12_14_06.42/db/password    a generation: a folder that nobody sees until it is whole
///     mount/..data -> ..2026_11_24_12_14_06.42      the one rename of this link publishes it
///     mount/db -> ..data/db                         what applications open
///
/// The promise to readers: a file is old and whole or new and whole, never absent, never torn, with its mode and owner
/// final. Who opens `..data` once (O_PATH, or a working directory) and reads beneath it sees one generation, for at
/// least `grace` after it was replaced. It holds through SIGKILL at any instruction: `open` finds out what is published
/// and cleans up.
///
/// Whoever else writes into the directory can spoil what is seen there, but not lead us out of it: every system call is
/// relative to a descriptor and follows no link. One per mount at a time; not thread-safe; never waits.
class Delivery {
 public:
  struct Options {
    /// How long a replaced generation stays: kept by time, because readers hold on by time (0 of 522,000 reads were
    /// lost).
    std::chrono::nanoseconds grace = std::chrono::seconds(10);
    std::function<BootClock::time_point()> now = BootClock::now;
  };

  /// The largest file that is taken over from a process before us.
  static constexpr std::size_t kMostBytes = 16UL << 20;

  /// Takes over what is published in `mount` (a directory, attested by the caller), removes what a crash has left,
  /// mends links. `shown` is its path, for messages.
  static scanner::base::Result<Delivery> open(scanner::base::Fd mount, std::string shown, Options options);
  static scanner::base::Result<Delivery> open(scanner::base::Fd mount, std::string shown);

  /// Makes `contents` what is published: a path that is not among them is removed. Writes nothing when nothing differs.
  /// On error what was published stays as it was, unless the message says "published, but": then only a link is
  /// missing, and the next call mends it. `Errc::config` when two paths exclude each other, `Errc::missing` when a file
  /// is to stay that is not there (or that somebody has changed), `Errc::io` for the mount: full, read-only, no
  /// descriptors; try again later.
  scanner::base::Result<Published> publish(const std::vector<Content>& contents);

  /// Removes generations that were replaced longer ago than `grace`. What cannot be removed is tried again next time.
  void collect();
  /// When the next of them is due.
  [[nodiscard]] std::optional<BootClock::time_point> next_collection() const;

  /// Removes everything of ours at once, readers or not: for the end of the pod.
  scanner::base::Ok withdraw();

  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  /// The paths that are published now.
  [[nodiscard]] std::vector<RelativePath> paths() const;
  /// What is published at `path`, from the mount. `Errc::missing` when nothing is.
  [[nodiscard]] scanner::base::Result<memory::Secret> read(const RelativePath& path) const;
  [[nodiscard]] const std::string& shown() const { return shown_; }

 private:
  /// What was written, by what cannot change without the inode telling.
  struct Entry {
    scanner::base::Sha256 digest{};  ///< Keyed, with a key of this process.
    Access access;
    struct stat st {};
    bool known = false;  ///< False: taken over unread; it counts as different from whatever comes.
  };
  struct Retired {
    std::string name;
    BootClock::time_point since;
  };
  struct Draft;

  Delivery(scanner::base::Fd mount, std::string shown, Options options);

  scanner::base::Ok take_over();
  scanner::base::Ok adopt(const std::string& name);
  scanner::base::Ok adopt_folder(int folder, const std::string& prefix, int depth);
  [[nodiscard]] bool intact(const RelativePath& path, const Entry& entry) const;
  [[nodiscard]] bool same(const Draft& draft) const;
  scanner::base::Result<Draft> drafted(const std::vector<Content>& contents) const;
  scanner::base::Ok write(Draft& draft) const;
  scanner::base::Ok swap(const std::string& name);
  scanner::base::Ok link();
  scanner::base::Ok place_link(const std::string& name, const std::string& target);
  [[nodiscard]] scanner::base::Sha256 digest(const memory::Secret& bytes) const;
  [[nodiscard]] scanner::base::Failure failed(scanner::base::Error error) const;

  scanner::base::Fd mount_;
  std::string shown_;
  Options options_;
  std::string key_;
  gid_t group_ = 0;      ///< What files get without being given away.
  std::string current_;  ///< The published generation's folder; empty before the first.
  std::uint64_t generation_ = 0;
  std::uint64_t last_generation_ = 0;  ///< The highest that was ever seen here.
  std::map<RelativePath, Entry> entries_;
  std::vector<Retired> retired_;
  std::set<std::string> stale_;  ///< Links of ours that may have to go.
  /// Of publications whose links failed: told by the next one that succeeds.
  std::vector<RelativePath> untold_changed_;
  std::vector<RelativePath> untold_removed_;
};

}  // namespace injector::deliver
