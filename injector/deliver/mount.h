#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "injector/memory/arena.h"
#include "injector/model/file_spec.h"
#include "scanner/base/fd.h"

namespace injector::deliver {

/// What the kernel says of the mount that secrets are to be written to.
struct MountFacts {
  std::string path;
  std::string filesystem;  ///< "tmpfs", "ext2/ext3", "overlay"... or its magic number.
  bool tmpfs = false;
  bool mount_root = false;  ///< The path is where it is mounted, not a folder in it.
  bool read_only = false;
  bool nodev = false;
  bool nosuid = false;
  bool noexec = false;
  std::optional<bool> noswap;    ///< Unknown when /proc/self/mountinfo does not show the mount.
  std::optional<bool> own_size;  ///< It was mounted with a size of its own; likewise.
  std::uint64_t bytes = 0;       ///< 0: without bounds.
  std::uint64_t free_bytes = 0;
  std::uint64_t inodes = 0;
  std::uint64_t free_inodes = 0;
  std::optional<bool> swap_on;  ///< Of the whole machine; unknown when /proc/swaps cannot be read.
  std::string kernel;           ///< "6.18.44"
  memory::Tier memory = memory::Tier::plain;
};

/// The facts, judged. Nothing may be written while there is a refusal.
struct Attestation {
  MountFacts facts;
  std::vector<std::string> refusals;  ///< Each with its reason, and what would help.
  std::vector<std::string> warnings;
};

/// The tmpfs that an application and we share.
class Mount {
 public:
  /// Opens the directory. `Errc::missing` when there is none, `Errc::io` when it cannot be opened.
  static scanner::base::Result<Mount> open(const std::string& path);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// A second descriptor of it: what Delivery::open takes, so that what was attested is what is written to.
  [[nodiscard]] scanner::base::Result<scanner::base::Fd> another() const;

  /// Asks the kernel: fstatfs, statx, /proc/self/mountinfo, /proc/swaps, uname.
  [[nodiscard]] MountFacts facts() const;
  /// What the facts mean for `require`. Always refused: no tmpfs, read-only for us, no byte free.
  [[nodiscard]] Attestation attest(const Requirements& require) const;

 private:
  Mount(std::string path, scanner::base::Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  std::string path_;
  scanner::base::Fd fd_;
};

/// Judges facts that are known already. Pure.
Attestation judge(MountFacts facts, const Requirements& require);

/// The line of /proc/self/mountinfo with this mount id: its own options and the file system's, each between commas
/// (",rw,nosuid,"). Nothing when there is no such line. Pure.
struct MountLine {
  std::string filesystem;
  std::string options;
  std::string super_options;
};
std::optional<MountLine> find_mount(std::string_view mountinfo, std::uint64_t id);

}  // namespace injector::deliver
