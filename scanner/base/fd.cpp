#include "scanner/base/fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

namespace scanner::base {
namespace {

std::string reason() { return std::generic_category().message(errno); }

Ok write_all(int fd, std::string_view contents, const std::string& path) {
  while (!contents.empty()) {
    const ssize_t n = ::write(fd, contents.data(), contents.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(Errc::io, path + ": " + reason());
    contents.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int Fd::release() { return std::exchange(fd_, -1); }

void Fd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Result<Fd> open_for_reading(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return fail(Errc::io, path + ": " + reason());
  return fd;
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  auto fd = open_for_reading(path);
  if (!fd) return fail(std::move(fd).error());
  std::string contents;
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t n = ::read(fd->get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(Errc::io, path + ": " + reason());
    if (n == 0) return contents;
    contents.append(buffer.data(), static_cast<std::size_t>(n));
    if (contents.size() > limit) {
      return fail(Errc::limit, path + ": larger than " + std::to_string(limit) + " bytes");
    }
  }
}

Ok write_file(const std::string& path, std::string_view contents) {
  struct stat st {};
  if (::stat(path.c_str(), &st) == 0 && !S_ISREG(st.st_mode)) {
    const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
    if (!fd) return fail(Errc::io, path + ": " + reason());
    return write_all(fd.get(), contents, path);
  }
  std::string temporary = path + ".XXXXXX";
  Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return fail(Errc::io, path + ": " + reason());
  Ok written = write_all(fd.get(), contents, path);
  if (written && ::fsync(fd.get()) != 0) written = fail(Errc::io, path + ": " + reason());
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0) written = fail(Errc::io, path + ": " + reason());
  if (!written) ::unlink(temporary.c_str());
  return written;
}

}  // namespace scanner::base
