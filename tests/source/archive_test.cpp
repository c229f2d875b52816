#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "scanner/source/blob_store.h"
#include "scanner/source/directory.h"
#include "tests/support/tar.h"
#include "tests/support/temporary.h"

namespace scanner::source {
namespace {

using namespace tests;  // NOLINT(google-build-using-namespace)
using base::Errc;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

std::unique_ptr<BlobStore> archive(const std::string& bytes, const Limits& limits = {}) {
  auto store = open_archive_file(file_with(bytes), "a.tar", limits);
  EXPECT_TRUE(store) << store.error().message();
  return store ? std::move(*store) : nullptr;
}

std::string content(BlobStore& store, const std::string& name) {
  auto stream = store.open(name);
  if (!stream) return "error: " + stream.error().message();
  auto text = base::read_up_to(**stream, 1U << 20);
  return text ? *text : "error: " + text.error().message();
}

TEST(ArchiveFile, ListsItsFilesAndOpensThemInAnyOrder) {
  const auto store = archive(tar_file("./a", "first") + tar_directory("d") + tar_file("d/b", "second") +
                             tar_file("c", "") + tar_end());
  EXPECT_THAT(store->blobs(), ElementsAre(Pair("a", 5), Pair("c", 0), Pair("d/b", 6)));
  EXPECT_EQ(content(*store, "d/b"), "second");
  EXPECT_EQ(content(*store, "a"), "first");
  EXPECT_EQ(content(*store, "c"), "");
  EXPECT_THAT(store->skipped(), IsEmpty());
}

TEST(ArchiveFile, FollowsLinksWithinItself) {
  const auto store = archive(tar_file("x/layer.tar", "1") + tar_symlink("y/layer.tar", "../x/layer.tar") +
                             tar_hard_link("h", "x/layer.tar") + tar_symlink("z", "/y/layer.tar") +
                             tar_symlink("out", "../../etc/passwd") + tar_symlink("loop", "loop") + tar_end());
  EXPECT_EQ(store->resolve("y/layer.tar"), "x/layer.tar");
  EXPECT_EQ(store->resolve("h"), "x/layer.tar");
  EXPECT_EQ(store->resolve("z"), "x/layer.tar");
  EXPECT_EQ(store->resolve("out"), "");
  EXPECT_EQ(store->resolve("loop"), "");
  EXPECT_EQ(store->resolve("none"), "");
}

TEST(ArchiveFile, TakesTheLastOfSeveralMembersOfOneName) {
  const auto store =
      archive(tar_symlink("a", "b") + tar_file("b", "wrong") + tar_file("a", "old") + tar_file("a", "new") + tar_end());
  EXPECT_EQ(store->resolve("a"), "a");
  EXPECT_EQ(content(*store, "a"), "new");
}

TEST(ArchiveFile, SaysWhatOfItIsCutOrBroken) {
  const std::string good = tar_file("a", "first") + tar_file("b", std::string(2000, 'b'));
  const auto cut = archive(good.substr(0, good.size() - 1000));
  EXPECT_FALSE(cut->skipped().empty());
  EXPECT_EQ(cut->skipped()[0].reason, SkipReason::truncated);
  EXPECT_TRUE(content(*cut, "b").starts_with("error")) << "what is not there is not read as nothing";
  EXPECT_EQ(content(*cut, "a"), "first");
  const auto unmarked = archive(good);
  ASSERT_EQ(unmarked->skipped().size(), 1U);
  EXPECT_EQ(unmarked->skipped()[0].reason, SkipReason::truncated);
  const auto broken = archive(good + std::string(1024, 'j'));
  ASSERT_EQ(broken->skipped().size(), 1U);
  EXPECT_EQ(broken->skipped()[0].reason, SkipReason::corrupt);
  const auto empty = archive("");
  ASSERT_EQ(empty->skipped().size(), 1U);
  EXPECT_EQ(empty->skipped()[0].reason, SkipReason::truncated);
}

TEST(ArchiveFile, SaysThatItsLimitWasReached) {
  Limits limits;
  limits.max_entries = 2;
  const auto store = archive(tar_file("a", "1") + tar_file("b", "2") + tar_file("c", "3") + tar_end(), limits);
  ASSERT_EQ(store->skipped().size(), 1U);
  EXPECT_EQ(store->skipped()[0].reason, SkipReason::limit);
}

TEST(ArchiveFile, RefusesWhatIsNoArchive) {
  EXPECT_EQ(open_archive_file(file_with(std::string(1000, 't')), "a", {}).error().code(), Errc::corrupt);
  const TemporaryDirectory directory;
  EXPECT_EQ(open_archive_file(directory.open(), "a", {}).error().code(), Errc::io);
}

TEST(DirectoryStore, ListsAndOpensItsFiles) {
  const TemporaryDirectory directory;
  directory.write("index.json", "{}");
  directory.write("blobs/sha256/ab", "blob");
  ASSERT_EQ(::symlink("ab", (directory / "blobs/sha256/cd").c_str()), 0);
  auto store = open_directory_store(directory.open(), "d", {});
  ASSERT_TRUE(store);
  EXPECT_THAT((*store)->blobs(),
              ElementsAre(Pair("blobs/sha256/ab", 4), Pair("blobs/sha256/cd", 4), Pair("index.json", 2)));
  EXPECT_EQ(content(**store, "blobs/sha256/cd"), "blob");
  EXPECT_EQ((*store)->resolve("none"), "");
}

TEST(DirectoryStore, OpensNothingOutsideOfIt) {
  const TemporaryDirectory outside;
  const std::string secret = outside.write("secret", "outside");
  const TemporaryDirectory directory;
  directory.write("a", "1");
  ASSERT_EQ(::symlink(secret.c_str(), (directory / "absolute").c_str()), 0);
  ASSERT_EQ(::symlink(("../" + std::filesystem::path(outside.path()).filename().string() + "/secret").c_str(),
                      (directory / "relative").c_str()),
            0);
  ASSERT_EQ(::symlink(outside.path().c_str(), (directory / "folder").c_str()), 0);
  auto store = open_directory_store(directory.open(), "d", {});
  ASSERT_TRUE(store);
  for (const auto& [name, size] : (*store)->blobs())
    EXPECT_EQ(content(**store, name).find("outside"), std::string::npos) << name;
}

TEST(DirectoryStore, ComesToAnEndWhereLinksLeadRound) {
  const TemporaryDirectory directory;
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) ASSERT_EQ(::symlink(".", (directory / name).c_str()), 0);
  Limits limits;
  limits.max_entries = 1000;
  auto store = open_directory_store(directory.open(), "d", limits);
  ASSERT_TRUE(store);
  ASSERT_FALSE((*store)->skipped().empty());
  EXPECT_EQ((*store)->skipped().front().reason, SkipReason::limit);
}

TEST(OpenBeneath, NeverLeavesItsDirectory) {
  const TemporaryDirectory directory;
  directory.write("d/f", "1");
  ASSERT_EQ(::symlink("d", (directory / "link").c_str()), 0);
  const base::Fd root = directory.open();
  EXPECT_TRUE(open_beneath(root.get(), "d/f", O_RDONLY, Links::refuse));
  EXPECT_TRUE(open_beneath(root.get(), "link/f", O_RDONLY, Links::follow));
  EXPECT_FALSE(open_beneath(root.get(), "link/f", O_RDONLY, Links::refuse));
  for (const char* path : {"..", "../x", "/etc/passwd", "d/../../x"}) {
    EXPECT_FALSE(open_beneath(root.get(), path, O_RDONLY, Links::follow)) << path;
  }
}

}  // namespace
}  // namespace scanner::source
