#include "scanner/source/files.h"

#include <climits>
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <system_error>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "scanner/source/directory.h"

namespace scanner::source {
namespace {

using base::Errc;
using base::fail;
using base::Result;

/// What one worker takes at once: enough that handing over costs nothing, little enough that workers finish together.
constexpr std::size_t kBatchFiles = 64;
constexpr std::uint64_t kBatchBytes = 4U << 20;

std::string reason() { return std::generic_category().message(errno); }

/// A file below a directory, opened when it is first read. What it is by then must still be a regular file.
class LazyFile final : public base::Stream {
 public:
  LazyFile(int root, std::string path) : root_(root), path_(std::move(path)) {}

  Result<std::size_t> read(std::span<char> out) override {
    if (!stream_) {
      auto fd = open_beneath(root_, path_, O_RDONLY, Links::refuse);
      if (!fd) return fail(std::move(fd).error());
      struct stat st {};
      if (::fstat(fd->get(), &st) != 0 || !S_ISREG(st.st_mode)) return fail(Errc::io, "no regular file any more");
      ::posix_fadvise(fd->get(), 0, 0, POSIX_FADV_SEQUENTIAL);
      stream_ = std::make_unique<base::FdStream>(std::move(*fd), path_);
    }
    return stream_->read(out);
  }

 private:
  int root_;
  std::string path_;
  std::unique_ptr<base::FdStream> stream_;
};

class Files final : public Source {
 public:
  explicit Files(std::vector<Root> roots) : roots_(std::move(roots)) {}
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;
  ~Files() override {
    if (folder_ != nullptr) ::closedir(folder_);
  }

  Result<std::optional<Unit>> next() override {
    Unit unit;
    std::uint64_t bytes = 0;
    while (unit.size() < kBatchFiles && bytes < kBatchBytes) {
      if (folder_ != nullptr) {
        read_entry(unit, bytes);
      } else if (!folders_.empty()) {
        open_folder();
      } else if (next_root_ < roots_.size()) {
        begin_root(unit, bytes);
      } else {
        break;
      }
    }
    if (unit.empty()) return std::optional<Unit>();
    return std::optional(std::move(unit));
  }

  Description describe(std::span<const BlobResult>) override {
    Description description;
    description.skipped = std::move(skipped_);
    return description;
  }

 private:
  /// The path as the user would name it.
  [[nodiscard]] std::string shown(const std::string& path) const {
    std::string name = roots_[next_root_ - 1].name;
    while (name.size() > 1 && name.ends_with('/')) name.pop_back();
    if (path.empty()) return name;
    if (name == ".") return path;
    return name == "/" ? name + path : name + "/" + path;
  }

  [[nodiscard]] int root() const { return roots_[next_root_ - 1].fd.get(); }

  void skip(SkipReason why, const std::string& path, const std::string& detail) {
    skipped_.push_back({why, shown(path), detail, 0});
  }

  void begin_root(Unit& unit, std::uint64_t& bytes) {
    Root& root = roots_[next_root_++];
    struct stat st {};
    if (::fstat(root.fd.get(), &st) != 0) return skip(SkipReason::unreadable, "", reason());
    if (S_ISDIR(st.st_mode)) {
      folders_.emplace_back(".");
      return;
    }
    Item item;
    item.role = Item::Role::content;
    item.entry.path = shown("");
    item.size = static_cast<std::uint64_t>(st.st_size);
    bytes += item.size;
    item.data = std::make_unique<base::FdStream>(std::move(root.fd), root.name);
    unit.push_back(std::move(item));
  }

  void open_folder() {
    folder_path_ = std::move(folders_.back());
    folders_.pop_back();
    auto fd = open_beneath(root(), folder_path_, O_RDONLY | O_DIRECTORY, Links::refuse);
    if (folder_path_ == ".") folder_path_.clear();
    if (!fd) return skip(SkipReason::unreadable, folder_path_, fd.error().message());
    struct statfs fs {};
    if (::fstatfs(fd->get(), &fs) == 0 && (fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC)) {
      return skip(SkipReason::excluded, folder_path_, "a virtual file system");
    }
    folder_ = ::fdopendir(fd->get());
    if (folder_ == nullptr) return skip(SkipReason::unreadable, folder_path_, reason());
    fd->release();
  }

  void read_entry(Unit& unit, std::uint64_t& bytes) {
    errno = 0;
    const dirent* entry = ::readdir(folder_);
    if (entry == nullptr) {
      if (errno != 0) skip(SkipReason::unreadable, folder_path_, reason());
      ::closedir(folder_);
      folder_ = nullptr;
      return;
    }
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") return;
    const std::string path = folder_path_.empty() ? std::string(name) : folder_path_ + "/" + std::string(name);
    struct stat st {};
    if (::fstatat(::dirfd(folder_), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
      return skip(SkipReason::unreadable, path, reason());
    }
    Item item;
    item.entry.path = shown(path);
    if (S_ISDIR(st.st_mode)) {
      folders_.push_back(path);
      item.entry.kind = Kind::file_name;
      item.data = std::make_unique<base::TextStream>(item.entry.path);
    } else if (S_ISLNK(st.st_mode)) {
      std::array<char, PATH_MAX> target;
      const ssize_t size = ::readlinkat(::dirfd(folder_), entry->d_name, target.data(), target.size());
      if (size < 0) return skip(SkipReason::unreadable, path, reason());
      item.entry.kind = Kind::symlink_target;
      item.data = std::make_unique<base::TextStream>(std::string(target.data(), static_cast<std::size_t>(size)));
    } else if (S_ISREG(st.st_mode)) {
      item.role = Item::Role::content;
      item.size = static_cast<std::uint64_t>(st.st_size);
      bytes += item.size;
      item.data = std::make_unique<LazyFile>(root(), path);
    } else {
      return;
    }
    unit.push_back(std::move(item));
  }

  std::vector<Root> roots_;
  std::size_t next_root_ = 0;         ///< One past the root that is being read.
  std::vector<std::string> folders_;  ///< Of this root, still to be read.
  std::string folder_path_;
  DIR* folder_ = nullptr;
  std::vector<Skipped> skipped_;
};

class OneStream final : public Source {
 public:
  OneStream(std::unique_ptr<base::Stream> stream, std::string name)
      : stream_(std::move(stream)), name_(std::move(name)) {}

  Result<std::optional<Unit>> next() override {
    if (!stream_) return std::optional<Unit>();
    Item item;
    item.role = Item::Role::content;
    item.entry.path = name_;
    item.pipe = true;
    item.data = std::move(stream_);
    Unit unit;
    unit.push_back(std::move(item));
    return std::optional(std::move(unit));
  }

  Description describe(std::span<const BlobResult>) override { return {}; }

 private:
  std::unique_ptr<base::Stream> stream_;
  std::string name_;
};

class Environments final : public Source {
 public:
  explicit Environments(const Processes& processes) : all_(processes.all), pids_(processes.pids) {
    if (all_) list_all();
    if (pids_.empty() && !all_) pids_.push_back(0);
  }

  Result<std::optional<Unit>> next() override {
    while (next_ < pids_.size()) {
      Unit unit = environment_of(pids_[next_++]);
      if (!unit.empty()) return std::optional(std::move(unit));
    }
    return std::optional<Unit>();
  }

  Description describe(std::span<const BlobResult>) override {
    Description description;
    description.skipped = std::move(skipped_);
    return description;
  }

 private:
  static constexpr std::size_t kMaxEnvironment = 32U << 20;

  void list_all() {
    DIR* proc = ::opendir("/proc");
    if (proc == nullptr) {
      skipped_.push_back({SkipReason::unreadable, "/proc", reason(), 0});
      return;
    }
    while (const dirent* entry = ::readdir(proc)) {
      const std::string_view name = entry->d_name;
      if (name.find_first_not_of("0123456789") == std::string_view::npos) pids_.push_back(std::stoi(std::string(name)));
    }
    ::closedir(proc);
  }

  Unit environment_of(int pid) {
    const std::string folder = "/proc/" + (pid == 0 ? std::string("self") : std::to_string(pid));
    auto text = base::read_file(folder + "/environ", kMaxEnvironment);
    if (!text) {
      // A process that has ended meanwhile has no environment that one could miss, unless it was asked for by number.
      const bool gone = ::access(folder.c_str(), F_OK) != 0;
      if (!gone || !all_) skipped_.push_back({SkipReason::unreadable, folder + "/environ", text.error().message(), 0});
      return {};
    }
    auto comm = base::read_file(folder + "/comm", 4096);
    std::string command = comm ? std::move(*comm) : std::string("?");
    while (command.ends_with('\n')) command.pop_back();
    const int number = pid == 0 ? static_cast<int>(::getpid()) : pid;
    Unit unit;
    std::string_view rest = *text;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\0'), rest.size());
      const std::string_view variable = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (variable.empty()) continue;
      Item item;
      item.entry.kind = Kind::env;
      item.entry.path = "process " + std::to_string(number) + " (" + command + ")";
      item.entry.field = variable.substr(0, std::min(variable.find('='), variable.size()));
      item.data = std::make_unique<base::TextStream>(std::string(variable));
      unit.push_back(std::move(item));
    }
    return unit;
  }

  bool all_;
  std::vector<int> pids_;
  std::size_t next_ = 0;
  std::vector<Skipped> skipped_;
};

}  // namespace

std::unique_ptr<Source> files_in(std::vector<Root> roots) { return std::make_unique<Files>(std::move(roots)); }

std::unique_ptr<Source> stream_of(std::unique_ptr<base::Stream> stream, std::string name) {
  return std::make_unique<OneStream>(std::move(stream), std::move(name));
}

std::unique_ptr<Source> environments_of(const Processes& processes) {
  return std::make_unique<Environments>(processes);
}

}  // namespace scanner::source
