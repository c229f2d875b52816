#include "injector/deliver/beneath.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace injector::deliver {
namespace {

using memory::Secret;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Fd;
using scanner::base::Ok;
using scanner::base::Result;

constexpr std::size_t kMostNames = 100'000;
constexpr int kDeepest = 64;

template <typename Call>
auto again(Call call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

constexpr int kAlways = O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;

Fd open_step_by_step(int directory, std::string_view path, int flags, mode_t mode) {
  Fd folder;
  for (;;) {
    const auto slash = path.find('/');
    const std::string part(path.substr(0, slash));
    const int at = folder ? folder.get() : directory;
    if (part.empty() || part == "." || part == "..") {
      errno = EXDEV;
      return {};
    }
    if (slash == std::string_view::npos) {
      return Fd(again([&] { return ::openat(at, part.c_str(), flags | kAlways, mode); }));
    }
    folder = Fd(again([&] { return ::openat(at, part.c_str(), O_RDONLY | O_DIRECTORY | kAlways); }));
    if (!folder) return {};
    path.remove_prefix(slash + 1);
  }
}

Ok write_all(int fd, std::string_view bytes, const std::string& step) {
  while (!bytes.empty()) {
    const ssize_t n = again([&] { return ::write(fd, bytes.data(), bytes.size()); });
    if (n < 0) return refused(step, errno);
    if (n == 0) return refused(step, ENOSPC);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

/// Opens a file that is to be wiped: ours alone by its links. None when it is not, or cannot be written.
Fd open_to_wipe(int directory, const std::string& name, struct stat& st) {
  {
    // Owners without CAP_DAC_OVERRIDE cannot write to a file of mode 0400.
    const Fd read(again([&] { return ::openat(directory, name.c_str(), O_RDONLY | kAlways); }));
    if (!read || ::fstat(read.get(), &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1) return {};
    if (::fchmod(read.get(), 0600) != 0) return {};
  }
  Fd fd(again([&] { return ::openat(directory, name.c_str(), O_RDWR | kAlways); }));
  struct stat same {};
  if (!fd || ::fstat(fd.get(), &same) != 0 || same.st_ino != st.st_ino || !S_ISREG(same.st_mode)) return {};
  return fd;
}

/// Overwrites an unlinked file that nobody else has open: a reader that still holds it must never see zeros. The kernel
/// grants a write lease exactly then (fcntl(2), F_SETLEASE), and nobody can open it any more. Best effort: the kernel
/// zeroes tmpfs pages before they are used again anyway.
void wipe(int fd, off_t size) {
  if (::fcntl(fd, F_SETLEASE, F_WRLCK) != 0) return;
  static constexpr std::array<char, 65536> kZeros{};
  for (off_t at = 0; at < size;) {
    const auto part = static_cast<std::size_t>(std::min<off_t>(size - at, kZeros.size()));
    const ssize_t n = again([&] { return ::pwrite(fd, kZeros.data(), part, at); });
    if (n <= 0) return;
    at += n;
  }
}

Ok remove_file(int directory, const std::string& name, bool regular) {
  struct stat st {};
  const Fd fd = regular ? open_to_wipe(directory, name, st) : Fd();
  if (::unlinkat(directory, name.c_str(), 0) != 0 && errno != ENOENT) return refused("removing " + name, errno);
  if (fd) wipe(fd.get(), st.st_size);
  return {};
}

Ok remove_at_depth(int directory, const std::string& name, int depth) {
  struct stat st {};
  if (::fstatat(directory, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return {};
    return refused("removing " + name, errno);
  }
  if (!S_ISDIR(st.st_mode)) return remove_file(directory, name, S_ISREG(st.st_mode));
  if (depth > kDeepest) return fail(Errc::io, "removing " + name + ": nested too deep");
  {
    const Fd folder(again([&] { return ::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | kAlways); }));
    if (!folder) return refused("removing " + name, errno);
    auto names = names_in(folder.get());
    if (!names) return fail(std::move(names).error());
    for (const auto& each : *names) {
      if (auto removed = remove_at_depth(folder.get(), each, depth + 1); !removed) return removed;
    }
  }
  if (::unlinkat(directory, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
    return refused("removing " + name, errno);
  }
  return {};
}

}  // namespace

scanner::base::Failure refused(const std::string& step, int error) {
  std::string why = std::generic_category().message(error);
  switch (error) {
    case ENOSPC:
      why = "the mount is full: raise its size (sizeLimit)";
      break;
    case EDQUOT:
      why = "the quota of the mount is used up";
      break;
    case EMFILE:
      why = "this process has no file descriptor left";
      break;
    case ENFILE:
      why = "the machine has no file descriptor left";
      break;
    case EROFS:
      why = "the mount is read-only";
      break;
    case ENOMEM:
      why = "the kernel has no memory left";
      break;
    case EPERM:
      why = "not permitted (owner and group can be given away by root or CAP_CHOWN only)";
      break;
    case ELOOP:
    case EXDEV:
      why = "a symbolic link stands in the way";
      break;
    default:
      break;
  }
  return fail(Errc::io, step + ": " + why);
}

Fd open_beneath(int directory, const std::string& path, int flags, mode_t mode) {
  struct open_how how {};
  how.flags = static_cast<__u64>(flags | kAlways);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0U;
  how.resolve = static_cast<__u64>(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
  // EAGAIN: somebody renamed things meanwhile and the kernel could not be sure; a few times is enough.
  for (int tries = 0; tries < 8; ++tries) {
    const auto fd = again([&] { return ::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how); });
    if (fd >= 0) return Fd(static_cast<int>(fd));
    // Old container runtimes answer EPERM to system calls that they do not know.
    if (errno == ENOSYS || errno == EPERM) return open_step_by_step(directory, path, flags, mode);
    if (errno != EAGAIN) return {};
  }
  return {};
}

Result<Fd> make_folders(int directory, const std::string& path) {
  Fd folder;
  std::string_view rest = path;
  for (;;) {
    const auto slash = std::min(rest.size(), rest.find('/'));
    const std::string part(rest.substr(0, slash));
    const int at = folder ? folder.get() : directory;
    if (::mkdirat(at, part.c_str(), 0700) != 0 && errno != EEXIST) return refused("making the folder " + path, errno);
    Fd next = open_beneath(at, part, O_RDONLY | O_DIRECTORY);
    if (!next) return refused("opening the folder " + path, errno);
    folder = std::move(next);
    if (slash == rest.size()) return folder;
    rest.remove_prefix(slash + 1);
  }
}

Result<struct stat> write_new(int folder, const std::string& name, std::string_view bytes, const Access& access,
                              const std::string& shown) {
  const Fd fd = open_beneath(folder, name, O_WRONLY | O_CREAT | O_EXCL, 0);
  if (!fd) return refused("creating " + shown, errno);
  if (auto written = write_all(fd.get(), bytes, "writing " + shown); !written) return fail(std::move(written).error());
  constexpr auto kSameOwner = static_cast<uid_t>(-1);
  constexpr auto kSameGroup = static_cast<gid_t>(-1);
  if (access.group && ::fchown(fd.get(), kSameOwner, *access.group) != 0) {
    return refused("giving " + shown + " to group " + std::to_string(*access.group), errno);
  }
  if (::fchmod(fd.get(), access.mode) != 0) return refused("setting the mode of " + shown, errno);
  if (access.owner && ::fchown(fd.get(), *access.owner, kSameGroup) != 0) {
    return refused("giving " + shown + " to user " + std::to_string(*access.owner), errno);
  }
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return refused("looking at " + shown, errno);
  return st;
}

Result<Secret> read_secret(int directory, const std::string& path, std::size_t limit, struct stat& st) {
  const Fd fd = open_beneath(directory, path, O_RDONLY);
  if (!fd && errno == ENOENT) return fail(Errc::missing, "reading " + path + ": it is not there");
  if (!fd || ::fstat(fd.get(), &st) != 0) return refused("reading " + path, errno);
  if (!S_ISREG(st.st_mode)) return fail(Errc::missing, "reading " + path + ": it is no file");
  if (static_cast<std::uint64_t>(st.st_size) > limit) return fail(Errc::limit, "reading " + path + ": too large");
  auto bytes = Secret::of_size(static_cast<std::size_t>(st.st_size));
  std::size_t at = 0;
  while (at < bytes.size()) {
    const auto rest = bytes.writable().subspan(at);
    const ssize_t n = again([&] { return ::read(fd.get(), rest.data(), rest.size()); });
    if (n < 0) return refused("reading " + path, errno);
    if (n == 0) break;
    at += static_cast<std::size_t>(n);
  }
  bytes.shrink(at);
  return bytes;
}

Result<std::vector<std::string>> names_in(int directory) {
  Fd own = open_beneath(directory, ".", O_RDONLY | O_DIRECTORY);
  if (!own) own = Fd(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own) return refused("listing a directory", errno);
  struct Close {
    void operator()(DIR* stream) const { ::closedir(stream); }
  };
  const std::unique_ptr<DIR, Close> stream(::fdopendir(own.get()));
  if (!stream) return refused("listing a directory", errno);
  static_cast<void>(own.release());
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr && errno != 0) return refused("listing a directory", errno);
    if (entry == nullptr) break;
    if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) continue;
    if (names.size() == kMostNames) return fail(Errc::limit, "listing a directory: more than 100000 names");
    names.emplace_back(entry->d_name);
  }
  std::ranges::sort(names);
  return names;
}

std::optional<std::string> link_target(int directory, const std::string& name) {
  std::array<char, 2048> buffer;
  const ssize_t n = ::readlinkat(directory, name.c_str(), buffer.data(), buffer.size());
  if (n < 0 || static_cast<std::size_t>(n) == buffer.size()) return std::nullopt;
  return std::string(buffer.data(), static_cast<std::size_t>(n));
}

Ok remove_tree(int directory, const std::string& name) { return remove_at_depth(directory, name, 0); }

}  // namespace injector::deliver
