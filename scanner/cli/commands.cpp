#include "scanner/cli/commands.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "scanner/cli/demo.h"
#include "scanner/source/image.h"
#include "scanner/unpack/decode.h"
#include "scanner/unpack/sniff.h"

namespace scanner::cli {
namespace {

using base::Errc;
using base::fail;
using base::Result;
using source::Source;
using unpack::Format;

/// A pipe is made as large as anybody may make one: at its usual 64 KiB, passing the bytes on takes longer than hashing
/// them.
base::Fd standard_input() {
  base::Fd in(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  (void)::fcntl(in.get(), F_SETPIPE_SZ, 1 << 20);
  return in;
}

bool is_directory(int fd) {
  struct stat st {};
  return ::fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

bool is_regular(int fd) {
  struct stat st {};
  return ::fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/// A path with the transport that containers-transports(5) puts in front, and with the image's name behind.
struct ImageTarget {
  std::string path;
  std::string image;
};

ImageTarget parse_target(const std::string& target) {
  for (const std::string_view transport : {"docker-archive:", "oci-archive:", "oci:", "dir:"}) {
    if (!target.starts_with(transport)) continue;
    ImageTarget parsed{target.substr(transport.size()), ""};
    const std::size_t colon = parsed.path.find(':');
    if (transport != "dir:" && colon != std::string::npos && ::access(parsed.path.c_str(), F_OK) != 0) {
      parsed.image = parsed.path.substr(colon + 1);
      parsed.path.resize(colon);
    }
    return parsed;
  }
  return {target, ""};
}

/// A store of what is at `path`, if it can be read in any order: a directory, or an archive that is not compressed.
Result<std::unique_ptr<source::BlobStore>> open_store(base::Fd fd, const std::string& path, const Limits& limits) {
  if (is_directory(fd.get())) return source::open_directory_store(std::move(fd), path, limits);
  return source::open_archive_file(std::move(fd), path, limits);
}

Result<Format> format_of(int fd, const std::string& path) {
  std::array<char, unpack::kSniffBytes> head;
  const ssize_t n = ::pread(fd, head.data(), head.size(), 0);
  if (n < 0) return fail(Errc::io, path + ": cannot be read");
  return unpack::sniff({head.data(), static_cast<std::size_t>(n)});
}

Result<std::unique_ptr<Source>> open_pipe(base::Fd fd, const std::string& name, source::Selection selection,
                                          const Limits& limits) {
  std::unique_ptr<base::Stream> stream = std::make_unique<base::FdStream>(std::move(fd), name);
  auto head = base::read_up_to(*stream, unpack::kSniffBytes);
  if (!head) return fail(std::move(head).error());
  const Format format = unpack::sniff(*head);
  stream = std::make_unique<base::PrefixedStream>(std::move(*head), std::move(stream));
  if (format == Format::gzip || format == Format::zstd) stream = unpack::decompress(format, std::move(stream), limits);
  return source::images_from(std::move(stream), name, std::move(selection), limits);
}

Result<source::Selection> selection_of(const Options& options, const std::string& image) {
  source::Selection selection = options.selection;
  if (!image.empty() && selection.image.empty()) selection.image = image;
  if (selection.base.empty() || ::access(selection.base.c_str(), F_OK) != 0) return selection;
  auto fd = base::open_for_reading(selection.base);
  if (!fd) return fail(std::move(fd).error());
  auto store = open_store(std::move(*fd), selection.base, options.limits);
  if (!store) return fail(std::move(store).error().during("--base"));
  auto diff_ids = source::diff_ids_in(**store, options.limits);
  if (!diff_ids) return fail(Errc::usage, "--base: " + diff_ids.error().message());
  selection.base_diff_ids = std::move(*diff_ids);
  return selection;
}

Result<std::unique_ptr<Source>> open_image(const Options& options) {
  const ImageTarget target = parse_target(options.targets.front());
  auto selection = selection_of(options, target.image);
  if (!selection) return fail(std::move(selection).error());
  if (target.path == "-") return open_pipe(standard_input(), "standard input", std::move(*selection), options.limits);
  auto fd = base::open_for_reading(target.path);
  if (!fd) return fail(Errc::usage, fd.error().message());
  if (is_regular(fd->get())) {
    auto format = format_of(fd->get(), target.path);
    if (!format) return fail(std::move(format).error());
    if (*format != Format::tar) return open_pipe(std::move(*fd), target.path, std::move(*selection), options.limits);
  } else if (!is_directory(fd->get())) {
    return open_pipe(std::move(*fd), target.path, std::move(*selection), options.limits);
  }
  auto store = open_store(std::move(*fd), target.path, options.limits);
  if (!store) return fail(std::move(store).error());
  auto images = source::images_in(std::move(*store), *selection, options.limits);
  if (!images) return fail(std::move(images).error().during(target.path));
  return images;
}

Result<std::unique_ptr<Source>> open_files(const Options& options) {
  std::vector<source::Root> roots;
  for (const std::string& path : options.targets) {
    auto fd = base::open_for_reading(path);
    if (!fd) return fail(Errc::usage, fd.error().message());
    roots.push_back({std::move(*fd), path});
  }
  return source::files_in(std::move(roots));
}

Result<std::unique_ptr<Source>> open_stdin(const Options&) {
  return source::stream_of(std::make_unique<base::FdStream>(standard_input(), "standard input"), "stdin");
}

Result<std::unique_ptr<Source>> open_environments(const Options& options) {
  return source::environments_of(options.processes);
}

Result<std::unique_ptr<Source>> open_demo(const Options& options) {
  auto fd = demo_image();
  if (!fd) return fail(std::move(fd).error());
  auto store = source::open_archive_file(std::move(*fd), "demo image", options.limits);
  if (!store) return fail(std::move(store).error());
  return source::images_in(std::move(*store), {}, options.limits);
}

}  // namespace

std::span<const Command> commands() {
  static constexpr std::array<Command, 8> kCommands = {{
      {"image", "Scan a saved image: docker-archive, OCI archive or layout, dir:, or a pipe", &open_image},
      {"dir", "Scan directories and files", &open_files},
      {"stdin", "Scan standard input as one file", &open_stdin},
      {"env", "Scan environments that processes were started with", &open_environments},
      {"demo", "Make a small leaky image in memory and scan it", &open_demo},
      {"rules", "List, show, check and test rules", nullptr},
      {"baseline", "Make a baseline of known findings", nullptr},
      {"schema", "Print the JSON Schema of the JSON reports", nullptr},
  }};
  return kCommands;
}

Result<std::string> guess(Options& options) {
  const std::string& target = options.targets.front();
  const ImageTarget parsed = parse_target(target);
  if (parsed.path != target) {
    options.command = "image";
    return std::string("an image, by its transport");
  }
  if (target == "-") {
    options.command = "stdin";
    return std::string("standard input as one file; for an image: scan-secrets image -");
  }
  auto fd = base::open_for_reading(target);
  if (!fd) return fail(Errc::usage, fd.error().message());
  const bool directory = is_directory(fd->get());
  options.command = "dir";
  if (directory) {
    for (const char* marker : {"/index.json", "/oci-layout", "/manifest.json"}) {
      if (::access((target + marker).c_str(), F_OK) != 0) continue;
      if (auto images = open_image(options); images) options.command = "image";
      break;
    }
    return std::string(options.command == "image" ? "an image layout" : "a directory");
  }
  if (!is_regular(fd->get())) return std::string("a file");
  const auto format = format_of(fd->get(), target);
  if (format && *format == Format::tar) {
    if (auto images = open_image(options); images || images.error().code() == Errc::usage) {
      options.command = "image";
      return std::string("an image archive");
    }
  }
  const bool archive = target.ends_with(".tar.gz") || target.ends_with(".tgz") || target.ends_with(".tar.zst");
  if (archive) options.command = "image";
  return std::string(archive ? "a compressed image archive, by its name" : "a file");
}

}  // namespace scanner::cli
