#include <fcntl.h>
#include <sys/stat.h>

#include <vector>

#include "scanner/source/blob_store.h"
#include "scanner/unpack/tar.h"

namespace scanner::source {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::size_t kIndexWindow = 32UL << 10;

class ArchiveFile final : public BlobStore {
 public:
  ArchiveFile(base::Fd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}

  Result<void> index(std::uint64_t size, const Limits& limits) {
    base::RangeStream stream(fd_.get(), 0, size, name_);
    std::vector<char> buffer(kIndexWindow);
    unpack::Window window(stream, buffer);
    unpack::TarReader reader(window, limits);
    unpack::TarMember member;
    for (;;) {
      auto more = reader.next(member);
      if (!more) {
        // No archive at all, or one that is only cut.
        if (blobs_.empty() && more.error().code() != Errc::truncated)
          return fail(std::move(more).error().during(name_));
        skipped_.push_back({reason_of(more.error()), name_, more.error().message(), size - window.position()});
        return {};
      }
      if (!*more) break;
      using Type = unpack::TarMember::Type;
      if (member.type == Type::symlink || member.type == Type::hard_link) {
        links_[member.path] = member.type == Type::symlink ? target_of(member.path, member.link) : member.link;
      } else if (member.type == Type::file) {
        // An engine that unpacks takes the last of several members of one name.
        links_.erase(member.path);
        offsets_[member.path] = member.offset;
        blobs_[member.path] = member.data_bytes;
        if (member.offset + member.data_bytes > size) {
          skipped_.push_back({SkipReason::truncated, member.path, "the archive ends inside it",
                              member.offset + member.data_bytes - size});
        }
      }
    }
    return {};
  }

  [[nodiscard]] const std::map<std::string, std::uint64_t>& blobs() const override { return blobs_; }
  [[nodiscard]] const std::vector<Skipped>& skipped() const override { return skipped_; }

  [[nodiscard]] std::string resolve(const std::string& name) const override {
    const std::string target = follow_links(links_, name);
    return blobs_.contains(target) ? target : std::string();
  }

  Result<std::unique_ptr<base::Stream>> open(const std::string& name) override {
    return std::unique_ptr<base::Stream>(
        std::make_unique<base::RangeStream>(fd_.get(), offsets_.at(name), blobs_.at(name), name));
  }

 private:
  static std::string target_of(const std::string& path, const std::string& link) {
    bool escapes = false;
    const std::size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
    return unpack::clean_path(link.starts_with('/') ? link : folder + link, escapes);
  }

  base::Fd fd_;
  std::string name_;
  std::map<std::string, std::uint64_t> blobs_;
  std::map<std::string, std::uint64_t> offsets_;
  std::map<std::string, std::string> links_;
  std::vector<Skipped> skipped_;
};

}  // namespace

std::string follow_links(const std::map<std::string, std::string>& links, const std::string& name) {
  std::string at = name;
  for (int hops = 0; hops < 8; ++hops) {
    const auto it = links.find(at);
    if (it == links.end()) return at;
    at = it->second;
  }
  return {};
}

Result<std::unique_ptr<BlobStore>> open_archive_file(base::Fd fd, const std::string& name, const Limits& limits) {
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0 || !S_ISREG(st.st_mode)) return fail(Errc::io, name + ": not a regular file");
  auto archive = std::make_unique<ArchiveFile>(std::move(fd), name);
  if (auto done = archive->index(static_cast<std::uint64_t>(st.st_size), limits); !done) {
    return fail(std::move(done).error());
  }
  return std::unique_ptr<BlobStore>(std::move(archive));
}

}  // namespace scanner::source
