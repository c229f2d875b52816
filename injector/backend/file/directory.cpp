#include "injector/backend/file/directory.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace injector::backend::file {

using memory::Secret;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Failure;
using scanner::base::Fd;
using scanner::base::Ok;
using scanner::base::Result;

namespace {

constexpr std::size_t kLongestPath = 4096;

Failure refused(const std::string& path) {
  const int error = errno;
  const auto code = [error] {
    switch (error) {
      case ENOENT:
      case ENOTDIR:
        return Errc::missing;
      case EACCES:
      case EPERM:
        return Errc::denied;
      case EXDEV:
      case ELOOP:
        return Errc::config;
      default:
        return Errc::away;
    }
  };
  const std::string reason = error == EXDEV ? "a link leads out of the directory" : std::strerror(error);
  return fail(code(), path + ": " + reason);
}

/// `what` is how messages call it. The kind is judged, too: a pipe would make us wait, a device anything.
Ok judged(int fd, const std::string& path, mode_t kind) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return refused(path);
  if ((status.st_mode & S_IFMT) != kind) {
    return fail(Errc::config, path + (kind == S_IFDIR ? " is no directory" : " is no regular file"));
  }
  if (status.st_uid != ::geteuid() && status.st_uid != 0 && ::geteuid() != 0) {
    return fail(Errc::denied, path + " belongs to somebody else");
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(Errc::denied, path + " is open to others: chmod go= is what it needs");
  }
  return {};
}

bool plain(std::string_view path) {
  if (path.empty() || path.size() > kLongestPath || path.find('\0') != path.npos) return false;
  for (;;) {
    const std::size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    if (name.empty() || name == "." || name == "..") return false;
    if (slash == path.npos) return true;
    path.remove_prefix(slash + 1);
  }
}

Fd open_beneath(int directory, const std::string& path) {
  ::open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  long fd = -1;
  do {  // EAGAIN: somebody renames at this moment, so that the kernel cannot tell whether the path led out.
    fd = ::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how);
  } while (fd < 0 && (errno == EINTR || errno == EAGAIN));
  return Fd(static_cast<int>(fd));
}

}  // namespace

Result<Directory> Directory::open(const std::string& path) {
  if (!path.starts_with('/')) return fail(Errc::config, "the directory of a file store needs an absolute path");
  Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory && errno == ENOTDIR) return fail(Errc::config, path + " is no directory");
  if (!directory) return refused(path);
  if (Ok well = judged(directory.get(), path, S_IFDIR); !well) return fail(std::move(well).error());
  return Directory(std::move(directory));
}

Result<Fd> Directory::open_file(const std::string& path) const {
  if (!plain(path)) return fail(Errc::config, "a path in a file store is relative, without empty parts, `.` and `..`");
  Fd file = open_beneath(directory_.get(), path);
  if (!file) return refused(path);
  if (Ok well = judged(file.get(), path, S_IFREG); !well) return fail(well.error());
  return file;
}

Ok Directory::judge(const std::string& path) const {
  const auto file = open_file(path);
  return file ? Ok() : Ok(fail(file.error()));
}

Result<Secret> Directory::read(const std::string& path) const {
  const auto file = open_file(path);
  if (!file) return fail(file.error());
  struct stat status {};
  if (::fstat(file->get(), &status) != 0) return refused(path);
  const auto expected = static_cast<std::size_t>(std::max<off_t>(status.st_size, 0));
  if (expected > kLargest) return fail(Errc::limit, path + ": larger than 1 MiB");
  Secret bytes = Secret::of_size(expected + 1);
  std::size_t size = 0;
  for (;;) {
    const ssize_t got = ::read(file->get(), bytes.writable().data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refused(path);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
    // Written to in place, instead of replaced: what is read of it now would be neither old nor new.
    if (size > expected) return fail(Errc::away, path + " grows while it is read");
  }
  if (size < expected) return fail(Errc::away, path + " shrinks while it is read");
  bytes.shrink(size);
  return bytes;
}

}  // namespace injector::backend::file
