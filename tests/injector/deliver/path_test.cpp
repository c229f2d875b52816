#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <random>

#include "injector/deliver/beneath.h"
#include "injector/model/relative_path.h"
#include "tests/support/temporary.h"

namespace injector::deliver {
namespace {

namespace fs = std::filesystem;

TEST(RelativePath, RefusesWhatLeadsOutOrCollides) {
  const std::string nul("a\0b", 3);
  for (const std::string& bad : {std::string(),
                                 std::string("/"),
                                 std::string("/etc/passwd"),
                                 std::string(".."),
                                 std::string("../x"),
                                 std::string("a/.."),
                                 std::string("a/../b"),
                                 std::string("."),
                                 std::string("./a"),
                                 std::string("a/."),
                                 std::string("a//b"),
                                 std::string("a/"),
                                 std::string("..data"),
                                 std::string("..data/a"),
                                 std::string("a/..b"),
                                 std::string("..2026_01_01_00_00_00.1"),
                                 std::string("a\nb"),
                                 std::string("a\x1b[0m"),
                                 std::string("a\x7f"),
                                 nul,
                                 std::string(256, 'a'),
                                 std::string("a/") + std::string(256, 'b'),
                                 std::string(4096, 'a'),
                                 std::string("a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q")}) {
    EXPECT_FALSE(RelativePath::parse(bad)) << bad;
  }
  for (const char* good : {"a", ".a", ".env", "a..b", "a/.b", "...", "a/b.c/d", "\xff\xfe", "ключ/日本", "a b", "-rf",
                           "~", "$HOME", "a\\b", "a..", "CON"}) {
    if (std::string_view(good) == "...") continue;  // Starts with "..".
    EXPECT_TRUE(RelativePath::parse(good)) << good;
  }
}

/// Mixtures of what paths are made of, good and bad.
std::string any_path(std::mt19937& random) {
  static const std::vector<std::string> kParts = {"/",    "/",      "/",      ".",   "..", "a",  "b",
                                                  "link", "out",    "..data", "\\",  " ",  "\n", std::string(1, '\0'),
                                                  "\xff", "%2e%2e", "é",      "...", "-",  "~",  std::string(250, 'x')};
  std::string out;
  for (auto n = random() % 12; n > 0; --n) out += kParts[random() % kParts.size()];
  return out;
}

TEST(RelativePath, HoldsWhatItPromisesForEveryText) {
  std::mt19937 random(11);
  std::size_t good = 0;
  for (int i = 0; i < 300'000; ++i) {
    const std::string text = any_path(random);
    const auto path = RelativePath::parse(text);
    if (!path) {
      ASSERT_FALSE(path.error().message().empty());
      continue;
    }
    ++good;
    ASSERT_EQ(path->text(), text);
    const fs::path normal = fs::path(text).lexically_normal();
    ASSERT_FALSE(normal.is_absolute());
    ASSERT_EQ(normal.string(), text);
    for (const auto& part : path->components()) {
      ASSERT_FALSE(part.empty() || part.starts_with("..") || part == "." || part.size() > 255);
    }
    ASSERT_TRUE(path->contains(*path));
    const auto below = RelativePath::parse(text + "/below");
    ASSERT_TRUE(!below || (path->contains(*below) && !below->contains(*path)));
    const auto beside = RelativePath::parse(text + "x");
    ASSERT_TRUE(!beside || !path->contains(*beside));
  }
  EXPECT_GT(good, 10'000U);
}

TEST(Beneath, OpensNothingOutsideForEveryText) {
  tests::TemporaryDirectory folder;
  folder.write("outside/a", "outside");
  folder.write("in/a", "inside");
  folder.write("in/b/a", "inside");
  fs::create_symlink("../outside", folder / "in/out");
  fs::create_symlink(folder / "outside", folder / "in/b/out");
  fs::create_symlink("a", folder / "in/link");
  fs::create_symlink("b", folder / "in/b/link");
  ASSERT_EQ(::mkfifo((folder / "in/b/b").c_str(), 0600), 0);
  const scanner::base::Fd root(::open((folder / "in").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::mt19937 random(12);
  std::size_t opened = 0;
  for (int i = 0; i < 300'000; ++i) {
    const std::string text = any_path(random);
    const auto fd = open_beneath(root.get(), text, O_RDONLY);
    if (!fd) continue;
    ++opened;
    const std::string real = fs::read_symlink("/proc/self/fd/" + std::to_string(fd.get()));
    ASSERT_TRUE((real + "/").starts_with(fs::canonical(folder / "in").string() + "/")) << text << " -> " << real;
  }
  EXPECT_GT(opened, 100U);
  for (const char* out : {"../outside/a", "out/a", "b/out/a", "link", "b/link/a", "/etc/passwd", "b/../../outside/a"}) {
    EXPECT_FALSE(open_beneath(root.get(), out, O_RDONLY)) << out;
  }
}

TEST(Beneath, RemovesTreesWithoutFollowingLinks) {
  tests::TemporaryDirectory folder;
  folder.write("outside/a", "outside");
  folder.write("tree/a/b/c", "x");
  fs::create_directory_symlink(folder / "outside", folder / "tree/a/out");
  fs::create_symlink(folder / "outside/a", folder / "tree/file");
  fs::create_hard_link(folder / "outside/a", folder / "tree/hard");
  ASSERT_EQ(::mkfifo((folder / "tree/pipe").c_str(), 0600), 0);
  const auto root = folder.open();
  ASSERT_TRUE(remove_tree(root.get(), "tree"));
  EXPECT_FALSE(fs::exists(folder / "tree"));
  EXPECT_EQ(tests::contents_of(folder / "outside/a"), "outside");
  EXPECT_TRUE(remove_tree(root.get(), "tree"));
  std::string deep = folder / "deep";
  for (int i = 0; i < 200; ++i) deep += "/d";
  fs::create_directories(deep);
  EXPECT_FALSE(remove_tree(root.get(), "deep"));
}

}  // namespace
}  // namespace injector::deliver
