#include "scanner/source/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "scanner/source/blob_store.h"

namespace scanner::source {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr int kMaxDepth = 16;

std::string reason() { return std::generic_category().message(errno); }

/// An OCI layout or a `dir:` image: a few levels of folders with blobs in them.
class DirectoryStore final : public BlobStore {
 public:
  DirectoryStore(base::Fd directory, std::string name) : directory_(std::move(directory)), name_(std::move(name)) {}

  void list(const std::string& prefix, int depth, std::uint64_t max_entries) {
    auto folder = open_beneath(directory_.get(), prefix.empty() ? "." : prefix, O_RDONLY | O_DIRECTORY, Links::follow);
    if (!folder) return skip(prefix, folder.error().message());
    DIR* entries = ::fdopendir(folder->release());
    if (entries == nullptr) return skip(prefix, reason());
    while (const dirent* entry = ::readdir(entries)) {
      const std::string_view file = entry->d_name;
      if (file == "." || file == "..") continue;
      if (++entries_ > max_entries) {
        skipped_.push_back({SkipReason::limit, name_, "more than " + std::to_string(max_entries) + " files", 0});
        break;
      }
      const std::string path = prefix.empty() ? std::string(file) : prefix + "/" + std::string(file);
      struct stat st {};
      if (::fstatat(directory_.get(), path.c_str(), &st, 0) != 0) {
        skip(path, reason());
      } else if (S_ISDIR(st.st_mode) && depth < kMaxDepth) {
        list(path, depth + 1, max_entries);
      } else if (S_ISREG(st.st_mode)) {
        blobs_[path] = static_cast<std::uint64_t>(st.st_size);
      }
    }
    ::closedir(entries);
  }

  [[nodiscard]] const std::map<std::string, std::uint64_t>& blobs() const override { return blobs_; }
  [[nodiscard]] const std::vector<Skipped>& skipped() const override { return skipped_; }
  [[nodiscard]] std::string resolve(const std::string& name) const override {
    return blobs_.contains(name) ? name : std::string();
  }

  Result<std::unique_ptr<base::Stream>> open(const std::string& name) override {
    auto fd = open_beneath(directory_.get(), name, O_RDONLY, Links::follow);
    if (!fd) return fail(std::move(fd).error());
    return std::unique_ptr<base::Stream>(std::make_unique<base::FdStream>(std::move(*fd), name));
  }

 private:
  void skip(const std::string& path, const std::string& why) {
    skipped_.push_back({SkipReason::unreadable, name_ + "/" + path, why, 0});
  }

  base::Fd directory_;
  std::string name_;
  std::map<std::string, std::uint64_t> blobs_;
  std::vector<Skipped> skipped_;
  std::uint64_t entries_ = 0;  ///< Seen so far, through links too.
};

}  // namespace

Result<base::Fd> open_beneath(int directory, const std::string& path, int flags, Links links) {
  open_how how{};
  how.flags = static_cast<__u64>(flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  if (links == Links::refuse) how.resolve |= static_cast<__u64>(RESOLVE_NO_SYMLINKS);
  const auto fd = static_cast<int>(::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how));
  if (fd < 0) return fail(Errc::io, path + ": " + reason());
  return base::Fd(fd);
}

Result<std::unique_ptr<BlobStore>> open_directory_store(base::Fd directory, const std::string& name,
                                                        const Limits& limits) {
  auto store = std::make_unique<DirectoryStore>(std::move(directory), name);
  store->list("", 0, limits.max_entries);
  return std::unique_ptr<BlobStore>(std::move(store));
}

}  // namespace scanner::source
