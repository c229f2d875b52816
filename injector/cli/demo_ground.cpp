#include "injector/cli/demo_ground.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "injector/deliver/beneath.h"
#include "scanner/base/fd.h"

namespace injector::cli {
namespace {

using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Fd;
using scanner::base::Result;

std::string reason() { return std::generic_category().message(errno); }

bool put(const char* path, const std::string& text) {
  const Fd fd(::open(path, O_WRONLY | O_CLOEXEC));
  return fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

/// A mount namespace of our own; for who is not root, in a user namespace where our number stays what it is.
bool enter_namespace() {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (::unshare(CLONE_NEWNS) != 0) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    // A process that hides itself may not write its own maps. There is no secret to hide yet.
    ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    const std::string user_text = std::to_string(user);
    const std::string group_text = std::to_string(group);
    const bool mapped = put("/proc/self/setgroups", "deny") &&
                        put("/proc/self/uid_map", user_text + " " + user_text + " 1") &&
                        put("/proc/self/gid_map", group_text + " " + group_text + " 1");
    const int error = errno;
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    errno = error;
    if (!mapped) return false;
  }
  return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

bool mount_tmpfs(const std::string& path, const std::string& options) {
  constexpr unsigned long kFlags = MS_NODEV | MS_NOSUID | MS_NOEXEC;
  return ::mount("tmpfs", path.c_str(), "tmpfs", kFlags, (options + ",noswap").c_str()) == 0 ||
         ::mount("tmpfs", path.c_str(), "tmpfs", kFlags, options.c_str()) == 0;
}

}  // namespace

DemoGround::DemoGround(DemoGround&& other) noexcept
    : path_(std::exchange(other.path_, "")),
      plain_because_(std::move(other.plain_because_)),
      outer_(std::exchange(other.outer_, false)),
      inner_(std::exchange(other.inner_, false)) {}

Result<DemoGround> DemoGround::make(const Environment& environment) {
  std::string why;
  for (const std::string& place : {environment.scratch, std::string("/tmp"), std::string("/dev/shm")}) {
    if (place.empty()) continue;
    std::string path = place + "/secret-injector-demo.XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) {
      if (why.empty()) why = place + ": " + reason();
      continue;
    }
    DemoGround ground(std::move(path));
    ground.try_to_mount();
    if (::mkdir(ground.store().c_str(), 0700) == 0 && (ground.inner_ || ::mkdir(ground.mount().c_str(), 0700) == 0)) {
      return ground;
    }
    why = ground.path_ + ": " + reason();
  }
  return fail(Errc::io, "no place for the demo: " + why);
}

void DemoGround::try_to_mount() {
  if (!enter_namespace()) {
    plain_because_ = "a mount namespace of our own is refused here (" + reason() + ")";
    return;
  }
  // One over everything, so that the made-up values do not reach a disk either.
  outer_ = mount_tmpfs(path_, "size=1m,mode=0700");
  inner_ = outer_ && ::mkdir(mount().c_str(), 0700) == 0 && mount_tmpfs(mount(), "size=1m,mode=0700");
  if (!inner_) plain_because_ = "mounting a tmpfs is refused here (" + reason() + ")";
}

DemoGround::~DemoGround() {
  if (path_.empty()) return;
  if (inner_) ::umount2(mount().c_str(), MNT_DETACH);
  if (outer_) ::umount2(path_.c_str(), MNT_DETACH);
  const auto slash = path_.rfind('/');
  const Fd parent(::open(path_.substr(0, slash).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  // What cannot be removed is made-up anyway.
  if (parent) static_cast<void>(deliver::remove_tree(parent.get(), path_.substr(slash + 1)));
}

}  // namespace injector::cli
