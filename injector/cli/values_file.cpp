#include "injector/cli/values_file.h"

#include <fcntl.h>
#include <system_error>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "injector/memory/text.h"
#include "scanner/base/fd.h"

namespace injector::cli {

using memory::Document;
using memory::Secret;
using scanner::base::Errc;
using scanner::base::Error;
using scanner::base::fail;
using scanner::base::Fd;
using scanner::base::Ok;
using scanner::base::Result;

namespace {

constexpr std::size_t kMostValues = 16UL << 20;

std::string reason() { return std::generic_category().message(errno); }

}  // namespace

Result<Secret> read_secret_file(const std::string& path, std::size_t most) {
  const Fd fd(path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail(Errc::io, path + ": " + reason());
  memory::Text text;
  Secret block = Secret::of_size(64UL << 10);
  for (;;) {
    const ssize_t n = ::read(fd.get(), block.writable().data(), block.size());
    if (n == 0) return text.finish();
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(Errc::io, path + ": " + reason());
    text.append(block.reveal().substr(0, static_cast<std::size_t>(n)));
    if (text.size() > most) {
      return fail(Errc::limit, path + ": is larger than " + std::to_string(most >> 20U) + " MiB");
    }
  }
}

Result<Document> read_values_file(const std::string& path) {
  auto text = read_secret_file(path, kMostValues);
  if (!text) return fail(std::move(text).error());
  auto document = Document::parse(std::move(*text));
  if (!document) return fail(Error(document.error()).during(path));
  if (!document->root().is_object()) return fail(Errc::corrupt, path + ": must be a JSON object");
  return document;
}

Ok write_all(int fd, std::string_view bytes, const std::string& shown) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail(Errc::io, shown + ": " + reason());
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace injector::cli
