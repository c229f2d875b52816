#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "injector/memory/secret.h"
#include "scanner/base/fd.h"

/// System calls that never leave the directory they are given: no "..", no absolute path, no symbolic link is followed,
/// whoever else writes there. All errors are `Errc::io` and name the step and the path, in words that tell an operator
/// what to do (a full mount, no descriptors left, a read-only mount).
namespace injector::deliver {

/// What went wrong by errno, in words.
scanner::base::Failure refused(const std::string& step, int error);

/// openat2 with RESOLVE_BENEATH, NO_SYMLINKS and NO_MAGICLINKS; where the kernel has none, part by part with
/// O_NOFOLLOW. Close-on-exec, and never waits for a pipe's other end. -1 and errno on failure.
scanner::base::Fd open_beneath(int directory, const std::string& path, int flags, mode_t mode = 0);

/// Makes the folders of `path` that are not there, mode 0700, and opens the last one.
scanner::base::Result<scanner::base::Fd> make_folders(int directory, const std::string& path);

struct Access {
  mode_t mode = 0400;
  std::optional<uid_t> owner;
  std::optional<gid_t> group;
};

/// Writes a file that is not there yet. It has no permissions at all until it is whole; then group, mode and owner, in
/// this order, so that never somebody may read it who must not. Gives its stat.
scanner::base::Result<struct stat> write_new(int folder, const std::string& name, std::string_view bytes,
                                             const Access& access, const std::string& shown);

/// The whole file, into the arena. `Errc::missing` when there is no regular file, `Errc::limit` above `limit` bytes.
scanner::base::Result<memory::Secret> read_secret(int directory, const std::string& path, std::size_t limit,
                                                  struct stat& st);

/// The names in a directory, sorted, without "." and "..". At most 100,000 of them: `Errc::limit`.
scanner::base::Result<std::vector<std::string>> names_in(int directory);

/// The target of a symbolic link; nothing when it is no link, or is not there.
std::optional<std::string> link_target(int directory, const std::string& name);

/// Removes whatever stands at `name`, a whole tree too; files are overwritten with zeros first where nobody else has
/// them open. What is not there is removed already. Trees deeper than 64 are left.
scanner::base::Ok remove_tree(int directory, const std::string& name);

}  // namespace injector::deliver
