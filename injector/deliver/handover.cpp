#include "injector/deliver/handover.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>

#include "injector/deliver/beneath.h"
#include "injector/deliver/mount.h"

namespace injector::deliver {
namespace {

using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Ok;
using scanner::base::Result;

constexpr const char* kName = "handover";
constexpr const char* kDraft = "handover.new";
constexpr std::size_t kMost = 4UL << 20;

}  // namespace

Ok may_hand_over(const std::string& directory) {
  auto mount = Mount::open(directory);
  if (!mount) return fail(std::move(mount).error());
  const MountFacts facts = mount->facts();
  if (!facts.tmpfs) return fail(Errc::config, directory + ": is no tmpfs, and tokens are left nowhere else");
  if (facts.read_only) return fail(Errc::config, directory + ": is mounted read-only");
  return {};
}

Ok leave_handover(const std::string& directory, const memory::Secret& text) {
  auto mount = Mount::open(directory);
  if (!mount) return fail(std::move(mount).error());
  if (Ok gone = remove_tree(mount->fd(), kDraft); !gone) return gone;
  auto written = write_new(mount->fd(), kDraft, text.reveal(), Access{.mode = 0600, .owner = {}, .group = {}},
                           directory + "/" + kDraft);
  if (!written) return fail(std::move(written).error());
  if (::renameat(mount->fd(), kDraft, mount->fd(), kName) != 0)
    return refused("renaming " + directory + "/" + kDraft, errno);
  return {};
}

Result<memory::Secret> take_handover(const std::string& directory) {
  auto mount = Mount::open(directory);
  if (!mount) return fail(std::move(mount).error());
  struct stat st {};
  auto text = read_secret(mount->fd(), kName, kMost, st);
  if (Ok gone = remove_tree(mount->fd(), kName); !gone && text) return fail(std::move(gone).error());
  return text;
}

}  // namespace injector::deliver
