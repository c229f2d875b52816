#include "injector/deliver/delivery.h"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <set>

#include "scanner/base/check.h"

namespace injector::deliver {
namespace {

using memory::Secret;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Fd;
using scanner::base::Ok;
using scanner::base::Result;

constexpr const char* kData = "..data";
constexpr const char* kDataDraft = "..data_tmp";
constexpr const char* kLinkDraft = "..link_tmp";
constexpr const char* kLinkPrefix = "..data/";
/// A generation that is not whole has this mode; a whole one never has.
constexpr mode_t kDraftMode = 0700;
constexpr int kDeepest = 16;

/// "..2026_11_24_12_14_06.42": the time is for people, the number counts.
std::string name_of(std::uint64_t generation) {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), "..%Y_%m_%d_%H_%M_%S.", &utc);
  return text.data() + std::to_string(generation);
}

/// The number of a generation's folder; nothing for any other name.
std::optional<std::uint64_t> number_of(std::string_view name) {
  static constexpr std::string_view kForm = "..dddd_dd_dd_dd_dd_dd.";
  if (name.size() <= kForm.size() || name.size() > kForm.size() + 18) return std::nullopt;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const bool digit = name[i] >= '0' && name[i] <= '9';
    if (kForm[i] == 'd' ? !digit : name[i] != kForm[i]) return std::nullopt;
  }
  const std::string_view digits = name.substr(kForm.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size() || number == 0) return std::nullopt;
  return number;
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_ino == b.st_ino && a.st_dev == b.st_dev && a.st_size == b.st_size && a.st_mode == b.st_mode &&
         a.st_uid == b.st_uid && a.st_gid == b.st_gid && a.st_nlink == b.st_nlink &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
         a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

bool same_access(const Access& a, const Access& b) {
  return a.mode == b.mode && a.owner == b.owner && a.group == b.group;
}

std::string folder_of(const RelativePath& path) {
  const auto slash = path.text().rfind('/');
  return slash == std::string::npos ? "" : path.text().substr(0, slash);
}

std::string file_of(const RelativePath& path) { return path.text().substr(path.text().rfind('/') + 1); }

/// Every folder of these paths, the deepest first.
std::vector<std::string> folders_of(const std::vector<RelativePath>& paths) {
  std::set<std::string, std::greater<>> folders;
  for (const auto& path : paths) {
    for (auto slash = path.text().find('/'); slash != std::string::npos; slash = path.text().find('/', slash + 1)) {
      folders.insert(path.text().substr(0, slash));
    }
  }
  return {folders.begin(), folders.end()};  // Greater comes first: what lies in a folder before the folder.
}

}  // namespace

/// A generation on its way.
struct Delivery::Draft {
  struct File {
    const Secret* bytes = nullptr;  ///< Null for a file that stays.
    Entry entry;
  };
  std::map<RelativePath, File> files;
  std::uint64_t number = 0;
  std::string name;
};

Delivery::Delivery(Fd mount, std::string shown, Options options)
    : mount_(std::move(mount)), shown_(std::move(shown)), options_(std::move(options)), key_(32, '\0') {
  SCANNER_CHECK(::getrandom(key_.data(), key_.size(), 0) == static_cast<ssize_t>(key_.size()));
}

Result<Delivery> Delivery::open(Fd mount, std::string shown) {
  return open(std::move(mount), std::move(shown), Options());
}

Result<Delivery> Delivery::open(Fd mount, std::string shown, Options options) {
  Delivery delivery(std::move(mount), std::move(shown), std::move(options));
  struct stat root {};
  if (::fstat(delivery.mount_.get(), &root) != 0) return refused(delivery.shown_, errno);
  delivery.group_ = (root.st_mode & S_ISGID) != 0 ? root.st_gid : ::getegid();
  if (auto taken = delivery.take_over(); !taken) return delivery.failed(std::move(taken).error());
  return delivery;
}

scanner::base::Failure Delivery::failed(scanner::base::Error error) const {
  return fail(std::move(error).during(shown_));
}

scanner::base::Sha256 Delivery::digest(const Secret& bytes) const {
  return scanner::base::hmac_sha256(key_, bytes.reveal());
}

// --- taking over -----------------------------------------------------------------------------------------------------

Ok Delivery::take_over() {
  for (const char* draft : {kDataDraft, kLinkDraft}) {
    if (auto removed = remove_tree(mount_.get(), draft); !removed) return removed;
  }
  auto names = names_in(mount_.get());
  if (!names) return fail(std::move(names).error());
  const auto published = link_target(mount_.get(), kData);
  if (published && number_of(*published)) {
    if (auto adopted = adopt(*published); !adopted) return adopted;
  }
  for (const auto& name : *names) {
    const auto number = number_of(name);
    if (!number) continue;
    last_generation_ = std::max(last_generation_, *number);
    if (name == current_) continue;
    struct stat st {};
    const bool whole = ::fstatat(mount_.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
                       (st.st_mode & 07777 & ~static_cast<mode_t>(S_ISGID)) != kDraftMode;
    // Nobody can have looked into one that never was published; readers may still be in the others.
    retired_.push_back({name, whole ? options_.now() : options_.now() - options_.grace});
  }
  collect();
  if (entries_.empty()) return {};
  for (const auto& name : *names) {
    // Only what has the form of our links is ours.
    if (!name.starts_with("..") && link_target(mount_.get(), name) == kLinkPrefix + name) stale_.insert(name);
  }
  return link();
}

Ok Delivery::adopt(const std::string& name) {
  current_ = name;
  generation_ = number_of(name).value_or(0);
  const Fd folder = open_beneath(mount_.get(), name, O_RDONLY | O_DIRECTORY);
  struct stat st {};
  // Another user's stays visible until ours replaces it.
  if (!folder || ::fstat(folder.get(), &st) != 0 || st.st_uid != ::geteuid()) return {};
  return adopt_folder(folder.get(), "", 0);
}

Ok Delivery::adopt_folder(int folder, const std::string& prefix, int depth) {
  auto names = names_in(folder);
  if (!names) return fail(std::move(names).error());
  for (const auto& name : *names) {
    struct stat st {};
    if (::fstatat(folder, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISDIR(st.st_mode)) {
      const Fd next = open_beneath(folder, name, O_RDONLY | O_DIRECTORY);
      if (!next || depth == kDeepest) continue;
      if (auto adopted = adopt_folder(next.get(), prefix + name + "/", depth + 1); !adopted) return adopted;
      continue;
    }
    auto path = RelativePath::parse(prefix + name);
    if (!path || !S_ISREG(st.st_mode)) continue;  // Not from us; it goes with the generation.
    Entry entry;
    entry.access.mode = st.st_mode & 07777;
    if (st.st_uid != ::geteuid()) entry.access.owner = st.st_uid;
    if (st.st_gid != group_) entry.access.group = st.st_gid;
    // What was given to another user may be unreadable for us: it stays published, and counts as different.
    if (const auto bytes = read_secret(folder, name, kMostBytes, entry.st)) {
      entry.digest = digest(*bytes);
      entry.known = true;
    }
    entries_.emplace(std::move(*path), entry);
  }
  return {};
}

// --- publishing ------------------------------------------------------------------------------------------------------

bool Delivery::intact(const RelativePath& path, const Entry& entry) const {
  struct stat st {};
  // A stat follows links of the folders, but then it is another inode's, and the file counts as different.
  return entry.known &&
         ::fstatat(mount_.get(), (current_ + "/" + path.text()).c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
         same_file(st, entry.st);
}

bool Delivery::same(const Draft& draft) const {
  if (current_.empty() || draft.files.size() != entries_.size() || link_target(mount_.get(), kData) != current_) {
    return false;
  }
  return std::ranges::all_of(draft.files, [&](const auto& file) {
    const auto old = entries_.find(file.first);
    return old != entries_.end() && old->second.digest == file.second.entry.digest &&
           same_access(old->second.access, file.second.entry.access) && intact(file.first, old->second);
  });
}

Result<Delivery::Draft> Delivery::drafted(const std::vector<Content>& contents) const {
  Draft draft;
  for (const auto& content : contents) {
    if (content.path.text().empty()) return fail(Errc::config, "a file has no path");
    Draft::File file;
    file.entry.access = content.access;
    // What a file has anyway is nothing to give it, and what it was taken over with compares equal.
    if (file.entry.access.owner == ::geteuid()) file.entry.access.owner.reset();
    if (file.entry.access.group == group_) file.entry.access.group.reset();
    file.bytes = content.bytes;
    if (content.bytes != nullptr) {
      file.entry.digest = digest(*content.bytes);
    } else if (const auto old = entries_.find(content.path); old == entries_.end()) {
      return fail(Errc::missing, content.path.text() + ": nothing is published there");
    } else if (old->second.known) {
      file.entry.digest = old->second.digest;
    } else {
      return fail(Errc::missing, content.path.text() + ": what is published there cannot be read");
    }
    if (!draft.files.emplace(content.path, file).second) {
      return fail(Errc::config, content.path.text() + ": two files have this path");
    }
  }
  for (const auto& [path, file] : draft.files) {
    for (auto slash = path.text().find('/'); slash != std::string::npos; slash = path.text().find('/', slash + 1)) {
      const auto folder = RelativePath::parse(path.text().substr(0, slash));
      if (folder && draft.files.contains(*folder)) {
        return fail(Errc::config, path.text() + ": lies beneath another file");
      }
    }
  }
  return draft;
}

Result<Published> Delivery::publish(const std::vector<Content>& contents) {
  auto made = drafted(contents);
  if (!made) return failed(std::move(made).error());
  Draft& draft = *made;
  Published out;
  if (!same(draft)) {
    collect();
    draft.number = std::max(last_generation_, generation_) + 1;
    draft.name = name_of(draft.number);
    last_generation_ = draft.number;
    auto done = write(draft);
    if (done) done = swap(draft.name);
    if (!done) {
      // Whatever remains of it is not visible; collect() tries again when it cannot be removed now.
      if (!remove_tree(mount_.get(), draft.name)) retired_.push_back({draft.name, options_.now() - options_.grace});
      return failed(std::move(done).error());
    }
    for (const auto& [path, file] : draft.files) {
      const auto old = entries_.find(path);
      const bool differs = old == entries_.end() || old->second.digest != file.entry.digest || !old->second.known ||
                           !same_access(old->second.access, file.entry.access);
      if (differs) untold_changed_.push_back(path);
    }
    for (const auto& [path, entry] : entries_) {
      if (!draft.files.contains(path)) untold_removed_.push_back(path);
      stale_.emplace(path.first());
    }
    if (!current_.empty()) retired_.push_back({current_, options_.now()});
    current_ = draft.name;
    generation_ = draft.number;
    entries_.clear();
    for (auto& [path, file] : draft.files) entries_.emplace(path, file.entry);
    out.written = true;
  }
  if (auto linked = link(); !linked) return failed(std::move(linked).error().during("published, but"));
  collect();
  out.generation = generation_;
  out.written = out.written || !untold_changed_.empty() || !untold_removed_.empty();
  out.changed = std::exchange(untold_changed_, {});
  out.removed = std::exchange(untold_removed_, {});
  return out;
}

Ok Delivery::write(Draft& draft) const {
  if (::mkdirat(mount_.get(), draft.name.c_str(), kDraftMode) != 0) return refused("making a generation", errno);
  const Fd generation = open_beneath(mount_.get(), draft.name, O_RDONLY | O_DIRECTORY);
  if (!generation) return refused("opening a generation", errno);

  // Whoever may read a file must be able to come to it.
  mode_t folder_mode = 0750;
  std::vector<RelativePath> paths;
  std::string open_folder;
  Fd folder;
  for (auto& [path, file] : draft.files) {
    const auto& access = file.entry.access;
    if ((access.mode & 0004U) != 0) folder_mode |= 0005U;
    if (access.owner || access.group) folder_mode |= 0001U;
    const std::string wanted = folder_of(path);
    if (wanted.empty()) {
      folder.reset();
    } else if (wanted != open_folder || !folder) {
      auto made = make_folders(generation.get(), wanted);
      if (!made) return fail(std::move(made).error());
      folder = std::move(*made);
    }
    open_folder = wanted;
    Secret kept;
    if (file.bytes == nullptr) {
      auto read_back = read(path);
      if (!read_back) return fail(std::move(read_back).error());
      kept = std::move(*read_back);
      if (digest(kept) != file.entry.digest) {
        return fail(Errc::missing, path.text() + ": what stands there is not what was delivered");
      }
    }
    const Secret& bytes = file.bytes != nullptr ? *file.bytes : kept;
    auto st = write_new(folder ? folder.get() : generation.get(), file_of(path), bytes.reveal(), access, path.text());
    if (!st) return fail(std::move(st).error());
    file.entry.st = *st;
    file.entry.known = true;
    paths.push_back(path);
  }
  folder.reset();
  for (const auto& name : folders_of(paths)) {
    const Fd each = open_beneath(generation.get(), name, O_RDONLY | O_DIRECTORY);
    if (!each || ::fchmod(each.get(), folder_mode) != 0)
      return refused("setting the mode of the folder " + name, errno);
  }
  // The last thing: from now on it counts as whole.
  if (::fchmod(generation.get(), folder_mode) != 0) return refused("setting the mode of a generation", errno);
  return {};
}

Ok Delivery::swap(const std::string& name) {
  if (auto removed = remove_tree(mount_.get(), kDataDraft); !removed) return removed;
  if (::symlinkat(name.c_str(), mount_.get(), kDataDraft) != 0) return refused("making a link", errno);
  if (::renameat(mount_.get(), kDataDraft, mount_.get(), kData) == 0) return {};
  const int error = errno;
  ::unlinkat(mount_.get(), kDataDraft, 0);
  if (error == EISDIR) return fail(Errc::io, "publishing: somebody made a folder of ..data: remove it");
  return refused("publishing", error);
}

Ok Delivery::link() {
  for (const auto& [path, entry] : entries_) {
    const std::string name(path.first());
    if (auto placed = place_link(name, kLinkPrefix + name); !placed) return placed;
    stale_.erase(name);
  }
  while (!stale_.empty()) {
    const std::string& name = *stale_.begin();
    if (link_target(mount_.get(), name) == kLinkPrefix + name && ::unlinkat(mount_.get(), name.c_str(), 0) != 0 &&
        errno != ENOENT) {
      return refused("removing " + name, errno);
    }
    stale_.erase(stale_.begin());
  }
  return {};
}

Ok Delivery::place_link(const std::string& name, const std::string& target) {
  if (link_target(mount_.get(), name) == target) return {};
  if (::symlinkat(target.c_str(), mount_.get(), name.c_str()) == 0) return {};
  if (errno != EEXIST) return refused("linking " + name, errno);
  // Something else stands there: replaced at one instant, unless it is a folder with something in it.
  if (auto removed = remove_tree(mount_.get(), kLinkDraft); !removed) return removed;
  if (::symlinkat(target.c_str(), mount_.get(), kLinkDraft) != 0) return refused("linking " + name, errno);
  if (::renameat(mount_.get(), kLinkDraft, mount_.get(), name.c_str()) == 0) return {};
  const int error = errno;
  if (error == EISDIR && ::unlinkat(mount_.get(), name.c_str(), AT_REMOVEDIR) == 0 &&
      ::renameat(mount_.get(), kLinkDraft, mount_.get(), name.c_str()) == 0) {
    return {};
  }
  ::unlinkat(mount_.get(), kLinkDraft, 0);
  if (error == EISDIR) return fail(Errc::io, "linking " + name + ": a folder that is not ours stands there");
  return refused("linking " + name, error);
}

// --- afterwards ------------------------------------------------------------------------------------------------------

void Delivery::collect() {
  const auto now = options_.now();
  std::erase_if(retired_, [&](const Retired& retired) {
    return now - retired.since >= options_.grace && static_cast<bool>(remove_tree(mount_.get(), retired.name));
  });
}

std::optional<BootClock::time_point> Delivery::next_collection() const {
  if (retired_.empty()) return std::nullopt;
  return std::ranges::min(retired_, {}, &Retired::since).since +
         std::chrono::duration_cast<BootClock::duration>(options_.grace);
}

Ok Delivery::withdraw() {
  for (const auto& [path, entry] : entries_) stale_.emplace(path.first());
  entries_.clear();
  Ok worst = link();
  const auto attempt = [&](const std::string& name) {
    if (auto removed = remove_tree(mount_.get(), name); !removed && worst) worst = std::move(removed);
  };
  attempt(kData);
  if (!current_.empty()) attempt(current_);
  for (const auto& retired : retired_) attempt(retired.name);
  retired_.clear();
  current_.clear();
  generation_ = 0;
  if (!worst) return failed(std::move(worst).error());
  return {};
}

std::vector<RelativePath> Delivery::paths() const {
  std::vector<RelativePath> out;
  out.reserve(entries_.size());
  for (const auto& [path, entry] : entries_) out.push_back(path);
  return out;
}

Result<Secret> Delivery::read(const RelativePath& path) const {
  if (!entries_.contains(path)) return fail(Errc::missing, path.text() + ": nothing is published there");
  struct stat st {};
  return read_secret(mount_.get(), current_ + "/" + path.text(), kMostBytes, st);
}

}  // namespace injector::deliver
