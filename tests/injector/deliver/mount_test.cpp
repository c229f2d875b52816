#include "injector/deliver/mount.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/injector/deliver/tmpfs.h"

namespace injector::deliver {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using tests::Tmpfs;

MountFacts good() {
  MountFacts facts;
  facts.path = "/m";
  facts.filesystem = "tmpfs";
  facts.tmpfs = facts.mount_root = facts.nodev = facts.nosuid = facts.noexec = true;
  facts.noswap = facts.own_size = true;
  facts.swap_on = false;
  facts.bytes = facts.free_bytes = 1U << 20U;
  facts.memory = memory::Tier::locked;
  return facts;
}

Requirements everything() {
  Requirements out;
  out.noswap = out.swap_off = out.nodev = out.nosuid = out.noexec = out.size = out.locked_memory = true;
  return out;
}

TEST(Mount, TakesATmpfsThatHasAll) {
  const auto attested = judge(good(), everything());
  EXPECT_THAT(attested.refusals, IsEmpty());
  EXPECT_THAT(attested.warnings, IsEmpty());
}

TEST(Mount, RefusesWhatIsDemandedAndWarnsOfTheRest) {
  MountFacts facts = good();
  facts.nodev = facts.nosuid = facts.noexec = false;
  facts.noswap = facts.own_size = false;
  facts.swap_on = true;
  facts.memory = memory::Tier::plain;
  EXPECT_EQ(judge(facts, everything()).refusals.size(), 7U);
  EXPECT_THAT(judge(facts, everything()).warnings, IsEmpty());
  EXPECT_THAT(judge(facts, {}).refusals, IsEmpty());
  EXPECT_THAT(judge(facts, {}).warnings,
              ElementsAre(HasSubstr("swap is on, and the mount is without noswap"), HasSubstr("without nodev"),
                          HasSubstr("without nosuid"), HasSubstr("without noexec"), HasSubstr("without a size"),
                          HasSubstr("cannot be locked")));
}

TEST(Mount, IsNoWiserThanTheKernel) {
  MountFacts facts = good();
  facts.noswap.reset();
  facts.own_size.reset();
  facts.swap_on.reset();
  EXPECT_THAT(judge(facts, {}).warnings, IsEmpty());
  Requirements noswap;
  noswap.noswap = true;
  EXPECT_THAT(judge(facts, noswap).refusals, ElementsAre(HasSubstr("(the kernel does not tell)")));
}

TEST(Mount, NeverTakesADiskOrAReadOnlyMount) {
  MountFacts facts = good();
  facts.tmpfs = false;
  facts.filesystem = "ext4";
  EXPECT_THAT(judge(facts, {}).refusals,
              ElementsAre(HasSubstr("/m: is ext4, not a tmpfs: secrets would reach a disk")));
  facts = good();
  facts.read_only = true;
  EXPECT_THAT(judge(facts, {}).refusals, ElementsAre(HasSubstr("read-only")));
}

TEST(Mount, FindsItsLineOfMountinfo) {
  const std::string text =
      "21 1 0:19 / / rw,relatime - overlay overlay rw,lowerdir=/a\n"
      "36 21 98:0 /mnt1 /mnt\\0402 rw,noatime,nosuid master:1 shared:7 - tmpfs x\\040y rw,size=4096k,noswap\n"
      "136 21 98:0 / /m ro - tmpfs tmpfs rw\n";
  const auto line = find_mount(text, 36);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->filesystem, "tmpfs");
  EXPECT_EQ(line->options, ",rw,noatime,nosuid,");
  EXPECT_EQ(line->super_options, ",rw,size=4096k,noswap,");
  EXPECT_EQ(find_mount(text, 136)->options, ",ro,");
  EXPECT_EQ(find_mount(text, 21)->super_options, ",rw,lowerdir=/a,");
  EXPECT_FALSE(find_mount(text, 6));
  for (const char* odd : {"", "\n\n", "36", "36 ", "36 - ", "36 1 2 3 4 5 6 7 8", "36 1 2 3 4 5 -", "x\n36\n"}) {
    static_cast<void>(find_mount(odd, 36));
  }
}

TEST(Mount, AsksTheKernel) {
  if (!tests::no_tmpfs().empty()) GTEST_SKIP() << tests::no_tmpfs();
  const Tmpfs tmpfs("size=4m,nodev,noexec");
  const auto mount = Mount::open(tmpfs.path());
  ASSERT_TRUE(mount);
  auto facts = mount->facts();
  EXPECT_TRUE(facts.tmpfs && facts.mount_root && facts.nodev && facts.noexec);
  EXPECT_FALSE(facts.nosuid || facts.read_only);
  EXPECT_EQ(facts.noswap, false);
  EXPECT_EQ(facts.own_size, true);
  EXPECT_EQ(facts.bytes, 4U << 20U);
  EXPECT_TRUE(facts.swap_on.has_value());
  EXPECT_FALSE(facts.kernel.empty());
  EXPECT_THAT(mount->attest({}).refusals, IsEmpty());
  ASSERT_TRUE(tmpfs.remount("ro"));
  EXPECT_TRUE(mount->facts().read_only);
}

TEST(Mount, SeesNoswap) {
  if (!tests::no_tmpfs().empty()) GTEST_SKIP() << tests::no_tmpfs();
  if (!tests::real_root()) GTEST_SKIP() << "noswap needs root of the machine";
  tests::TemporaryDirectory probe;
  if (std::system(
          ("mount -t tmpfs -o noswap tmpfs " + probe.path() + " 2>/dev/null && umount " + probe.path()).c_str()) != 0) {
    GTEST_SKIP() << "this kernel has no noswap";
  }
  const Tmpfs tmpfs("size=4m,noswap");
  EXPECT_EQ(Mount::open(tmpfs.path())->facts().noswap, true);
}

TEST(Mount, TellsWhatADirectoryOnDiskIs) {
  const auto mount = Mount::open(PROJECT_ROOT);
  ASSERT_TRUE(mount);
  const auto attested = mount->attest({});
  if (attested.facts.tmpfs) GTEST_SKIP() << "the project lies on a tmpfs";
  EXPECT_THAT(attested.refusals, Contains(HasSubstr("not a tmpfs")));
  EXPECT_FALSE(attested.facts.mount_root);
}

TEST(Mount, SaysWhenThereIsNone) {
  const auto mount = Mount::open("/no/such/directory");
  ASSERT_FALSE(mount);
  EXPECT_EQ(mount.error().code(), scanner::base::Errc::missing);
  EXPECT_FALSE(Mount::open("/dev/null"));
}

}  // namespace
}  // namespace injector::deliver
