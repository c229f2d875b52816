#include "injector/backend/aws/file_text.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "scanner/base/fd.h"

namespace injector::backend::aws {

using memory::Secret;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Fd;
using scanner::base::Result;

Result<Secret> read_secret_file(const std::string& path, std::size_t limit) {
  // A pipe or a device in its place must not block the one loop.
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) {
    const Errc code = errno == ENOENT || errno == ENOTDIR ? Errc::missing : Errc::io;
    return fail(code, path + ": " + std::strerror(errno));
  }
  Secret bytes = Secret::of_size(limit + 1);
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t got = ::read(file.get(), bytes.writable().data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Errc::io, path + ": " + std::strerror(errno));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > limit) return fail(Errc::limit, path + ": larger than " + std::to_string(limit) + " bytes");
  bytes.shrink(size);
  return bytes;
}

}  // namespace injector::backend::aws
