#include "tests/injector/deliver/tmpfs.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>

namespace tests {
namespace {

using namespace injector;

/// Parts the options of mount(8) into flags and the file system's own.
unsigned long take_flags(std::string& options) {
  unsigned long flags = 0;
  std::string rest;
  std::istringstream words(options);
  for (std::string word; std::getline(words, word, ',');) {
    if (word == "nodev") {
      flags |= MS_NODEV;
    } else if (word == "nosuid") {
      flags |= MS_NOSUID;
    } else if (word == "noexec") {
      flags |= MS_NOEXEC;
    } else if (word == "ro") {
      flags |= MS_RDONLY;
    } else {
      rest += (rest.empty() ? "" : ",") + word;
    }
  }
  options = rest;
  return flags;
}

bool mapped(const char* file, const std::string& text) {
  const int fd = ::open(file, O_WRONLY | O_CLOEXEC);
  const bool good = fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (fd >= 0) ::close(fd);
  return good;
}

std::string enter() {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (user == 0 && ::unshare(CLONE_NEWNS) == 0) {
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return "mounts cannot be made private";
    return "";
  }
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return std::string("no mount namespace: ") + std::strerror(errno);
  mapped("/proc/self/setgroups", "deny");
  if (!mapped("/proc/self/uid_map", "0 " + std::to_string(user) + " 1") ||
      !mapped("/proc/self/gid_map", "0 " + std::to_string(group) + " 1")) {
    return "no user namespace";
  }
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return "mounts cannot be made private";
  return "";
}

constexpr std::size_t kCopies = 1000;  // Four pages and more.

memory::Secret text_of(int version) {
  std::string text;
  for (std::size_t i = 0; i < kCopies; ++i) text += "v" + std::to_string(version) + ";";
  return memory::Secret::copy_of(text + "end");
}

}  // namespace

const std::string& no_tmpfs() {
  static const bool root = ::geteuid() == 0;
  static const std::string why = [] {
    auto failed = enter();
    if (!failed.empty()) return failed;
    const TemporaryDirectory probe;
    if (::mount("tmpfs", probe.path().c_str(), "tmpfs", 0, "size=64k") != 0) {
      return std::string("no tmpfs can be mounted: ") + std::strerror(errno);
    }
    ::umount2(probe.path().c_str(), MNT_DETACH);
    return std::string();
  }();
  static_cast<void>(root);
  return why;
}

bool real_root() {
  static const bool root = ::geteuid() == 0;
  return root;
}

Tmpfs::Tmpfs(const std::string& options) {
  std::string own = options;
  const unsigned long flags = take_flags(own);
  mounted_ = ::mount("tmpfs", path().c_str(), "tmpfs", flags, own.c_str()) == 0;
  EXPECT_TRUE(mounted_) << std::strerror(errno);
}

Tmpfs::~Tmpfs() {
  if (mounted_) ::umount2(path().c_str(), MNT_DETACH);
}

bool Tmpfs::remount(const std::string& options) const {
  std::string own = options;
  const unsigned long flags = take_flags(own);
  return ::mount("tmpfs", path().c_str(), "tmpfs", MS_REMOUNT | flags, own.c_str()) == 0;
}

deliver::Delivery Tmpfs::delivery(deliver::Delivery::Options options) const {
  auto delivery = deliver::Delivery::open(folder_.open(), path(), std::move(options));
  EXPECT_TRUE(delivery) << delivery.error().message();
  return std::move(*delivery);
}

Pair::Pair(int version) : user(text_of(version)), password(text_of(version)) {}

std::vector<deliver::Content> Pair::contents() const {
  return {{*RelativePath::parse("a/user"), &user, access}, {*RelativePath::parse("b"), &password, access}};
}

int version_in(const std::string& bytes) {
  const auto end = bytes.find(';');
  if (bytes.empty() || bytes[0] != 'v' || end == std::string::npos) return -1;
  const std::string once = bytes.substr(0, end + 1);
  if (bytes.size() != once.size() * kCopies + 3 || !bytes.ends_with("end")) return -1;
  for (std::size_t i = 0; i < kCopies; ++i) {
    if (bytes.compare(i * once.size(), once.size(), once) != 0) return -1;
  }
  return std::stoi(bytes.substr(1, end - 1));
}

int version_at(int directory, const std::string& path) {
  const int fd = ::openat(directory, path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return kAbsent;
  std::string bytes;
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n <= 0) break;
    bytes.append(buffer.data(), static_cast<std::size_t>(n));
  }
  ::close(fd);
  return version_in(bytes);
}

std::vector<std::string> generations(const std::string& mount) {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(mount)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with("..20")) out.push_back(name);
  }
  return out;
}

}  // namespace tests
