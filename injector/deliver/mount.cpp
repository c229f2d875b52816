#include "injector/deliver/mount.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <system_error>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

namespace injector::deliver {
namespace {

using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Fd;
using scanner::base::Result;

constexpr std::size_t kMostMountinfo = 16UL << 20;  // Nodes with thousands of pods have long ones.

struct Named {
  std::uint64_t magic;
  const char* name;
};
constexpr std::array<Named, 8> kFilesystems{{{TMPFS_MAGIC, "tmpfs"},
                                             {RAMFS_MAGIC, "ramfs"},
                                             {EXT4_SUPER_MAGIC, "ext4"},
                                             {XFS_SUPER_MAGIC, "xfs"},
                                             {BTRFS_SUPER_MAGIC, "btrfs"},
                                             {OVERLAYFS_SUPER_MAGIC, "overlay"},
                                             {NFS_SUPER_MAGIC, "nfs"},
                                             {0x65735546, "fuse"}}};

std::string name_of(std::uint64_t magic) {
  for (const auto& each : kFilesystems) {
    if (each.magic == magic) return each.name;
  }
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), magic, 16).ptr;
  return "0x" + std::string(digits.data(), end);
}

/// The next word of `line`, taken off it.
std::string_view take_word(std::string_view& line) {
  const auto end = std::min(line.size(), line.find(' '));
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(line.size(), end + 1));
  return word;
}

bool has(std::string_view options, std::string_view option) {
  return options.find("," + std::string(option) + ",") != std::string_view::npos;
}

/// Swap is on when /proc/swaps has a line after its heading.
std::optional<bool> swap_on() {
  const auto swaps = scanner::base::read_file("/proc/swaps", 1UL << 20);
  if (!swaps) return std::nullopt;
  const auto heading = swaps->find('\n');
  return heading != std::string::npos && heading + 1 < swaps->size();
}

void add_mountinfo(int fd, MountFacts& facts) {
  struct statx place {};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &place) != 0) return;
  facts.mount_root = (place.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  if ((place.stx_mask & STATX_MNT_ID) == 0) return;
  const auto mountinfo = scanner::base::read_file("/proc/self/mountinfo", kMostMountinfo);
  if (!mountinfo) return;
  const auto line = find_mount(*mountinfo, place.stx_mnt_id);
  if (!line) return;
  facts.noswap = has(line->super_options, "noswap");
  facts.own_size = line->super_options.find(",size=") != std::string::npos ||
                   line->super_options.find(",nr_blocks=") != std::string::npos;
}

/// One thing that may be demanded: whether it holds (or is not known), and what to say when it does not.
void settle(bool demanded, std::optional<bool> holds, const std::string& lacking, bool warn, Attestation& out) {
  if (holds == true) return;
  if (demanded) {
    out.refusals.push_back(lacking + (holds ? "" : " (the kernel does not tell)"));
  } else if (warn && holds) {
    out.warnings.push_back(lacking);
  }
}

}  // namespace

std::optional<MountLine> find_mount(std::string_view mountinfo, std::uint64_t id) {
  // "36 35 98:0 /root /mnt rw,noatime shared:1 - tmpfs tmpfs rw,size=4096k": see proc(5).
  const std::string wanted = std::to_string(id);
  while (!mountinfo.empty()) {
    const auto end = std::min(mountinfo.size(), mountinfo.find('\n'));
    std::string_view line = mountinfo.substr(0, end);
    mountinfo.remove_prefix(std::min(mountinfo.size(), end + 1));
    if (take_word(line) != wanted) continue;
    for (int i = 0; i < 4; ++i) take_word(line);
    MountLine out;
    out.options = "," + std::string(take_word(line)) + ",";
    while (!line.empty() && take_word(line) != "-") continue;
    out.filesystem = take_word(line);
    take_word(line);
    out.super_options = "," + std::string(take_word(line)) + ",";
    return out;
  }
  return std::nullopt;
}

Result<Mount> Mount::open(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) return Mount(path, std::move(fd));
  const int error = errno;
  if (error == ENOENT) return fail(Errc::missing, path + ": there is no such directory: mount a tmpfs there");
  return fail(Errc::io, path + ": " + std::generic_category().message(error));
}

Result<Fd> Mount::another() const {
  Fd fd(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 3));
  if (!fd) return fail(Errc::io, path_ + ": " + std::generic_category().message(errno));
  return fd;
}

MountFacts Mount::facts() const {
  MountFacts facts;
  facts.path = path_;
  facts.memory = memory::Arena::status().tier;
  struct statfs fs {};
  if (::fstatfs(fd_.get(), &fs) == 0) {
    facts.tmpfs = fs.f_type == TMPFS_MAGIC;
    facts.filesystem = name_of(static_cast<std::uint64_t>(fs.f_type));
    const auto block = static_cast<std::uint64_t>(fs.f_bsize);
    facts.bytes = fs.f_blocks * block;
    facts.free_bytes = fs.f_bavail * block;
    facts.inodes = fs.f_files;
    facts.free_inodes = fs.f_ffree;
  }
  struct statvfs flags {};
  if (::fstatvfs(fd_.get(), &flags) == 0) {
    facts.read_only = (flags.f_flag & ST_RDONLY) != 0;
    facts.nodev = (flags.f_flag & ST_NODEV) != 0;
    facts.nosuid = (flags.f_flag & ST_NOSUID) != 0;
    facts.noexec = (flags.f_flag & ST_NOEXEC) != 0;
  }
  add_mountinfo(fd_.get(), facts);
  facts.swap_on = swap_on();
  struct utsname kernel {};
  if (::uname(&kernel) == 0) facts.kernel = kernel.release;
  return facts;
}

Attestation Mount::attest(const Requirements& require) const { return judge(facts(), require); }

Attestation judge(MountFacts facts, const Requirements& require) {
  Attestation out;
  const std::string at = facts.path + ": ";
  if (!facts.tmpfs) {
    out.refusals.push_back(at + "is " + (facts.filesystem.empty() ? "unknown" : facts.filesystem) +
                           ", not a tmpfs: secrets would reach a disk (in Kubernetes: emptyDir with medium: Memory)");
  }
  if (facts.read_only) out.refusals.push_back(at + "is mounted read-only for us");
  const bool full = facts.bytes != 0 && (facts.free_bytes == 0 || (facts.inodes != 0 && facts.free_inodes == 0));
  if (facts.tmpfs && full) out.warnings.push_back(at + "is full");

  std::optional<bool> unswappable = facts.noswap;
  if (unswappable != true && facts.swap_on) unswappable = !*facts.swap_on;
  settle(require.noswap, facts.noswap, at + "is mounted without noswap (kernel 6.4 and later have it)", false, out);
  settle(require.swap_off, unswappable, at + "may be swapped to disk: swap is on, and the mount is without noswap",
         !require.noswap, out);
  settle(require.nodev, facts.nodev, at + "is mounted without nodev", true, out);
  settle(require.nosuid, facts.nosuid, at + "is mounted without nosuid", true, out);
  settle(require.noexec, facts.noexec, at + "is mounted without noexec", true, out);
  settle(require.size, facts.own_size, at + "is mounted without a size of its own: it may grow to half of the memory",
         true, out);
  const bool locked = facts.memory != memory::Tier::plain;
  settle(require.locked_memory, locked, "memory for secrets cannot be locked: raise RLIMIT_MEMLOCK", true, out);
  settle(require.secret_memory, facts.memory == memory::Tier::secret,
         "the kernel gives no secret memory (memfd_secret)", false, out);
  out.facts = std::move(facts);
  return out;
}

}  // namespace injector::deliver
