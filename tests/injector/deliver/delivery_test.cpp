#include "injector/deliver/delivery.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "tests/injector/deliver/tmpfs.h"

namespace injector::deliver {
namespace {

using namespace std::chrono_literals;
using memory::Secret;
using scanner::base::Errc;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using tests::Pair;
using tests::Tmpfs;

RelativePath path(const std::string& text) { return *RelativePath::parse(text); }

std::vector<std::string> texts(const std::vector<RelativePath>& paths) {
  std::vector<std::string> out;
  for (const auto& each : paths) out.push_back(each.text());
  return out;
}

mode_t mode_of(const std::string& file) {
  struct stat st {};
  return ::lstat(file.c_str(), &st) == 0 ? st.st_mode & 07777 : 0;
}

/// A clock that only a test moves.
struct Ticker {
  BootClock::time_point time{1'000'000s};
  Delivery::Options options(std::chrono::nanoseconds grace = 10s) {
    return {grace, [this] { return time; }};
  }
};

class OnTmpfs : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!tests::no_tmpfs().empty()) GTEST_SKIP() << tests::no_tmpfs();
  }
};

/// The same tests, where several users are needed.
class TwoUsers : public OnTmpfs {
 protected:
  void SetUp() override {
    OnTmpfs::SetUp();
    if (!tests::real_root()) GTEST_SKIP() << "needs root, to be several users";
  }
};

void publish(Delivery& delivery, const Pair& pair) {
  const auto published = delivery.publish(pair.contents());
  ASSERT_TRUE(published) << published.error().message();
}

using DeliveryTest = OnTmpfs;

TEST_F(DeliveryTest, PublishesFilesInFolders) {
  Tmpfs mount;
  auto delivery = mount.delivery();
  const auto one = Secret::copy_of("one");
  const auto two = Secret::copy_of(std::string_view("t\0w\nö", 6));
  const auto published =
      delivery.publish({{path("db/deep/password"), &one, {}}, {path("app.env"), &two, {0440, {}, {}}}});
  ASSERT_TRUE(published) << published.error().message();
  EXPECT_TRUE(published->written);
  EXPECT_EQ(published->generation, 1U);
  EXPECT_THAT(texts(published->changed), ElementsAre("app.env", "db/deep/password"));
  EXPECT_THAT(published->removed, IsEmpty());
  EXPECT_EQ(tests::contents_of(mount / "db/deep/password"), "one");
  EXPECT_EQ(tests::contents_of(mount / "app.env"), std::string("t\0w\nö", 6));
  EXPECT_EQ(mode_of(mount / "db/deep/password"), 0400U);
  EXPECT_EQ(mode_of(mount / "app.env/"), 0U);
  EXPECT_EQ(mode_of(mount / "..data/app.env"), 0440U);
  EXPECT_EQ(mode_of(mount / "..data/db"), 0750U);
  EXPECT_EQ(mode_of(mount / "..data/db/deep"), 0750U);
  EXPECT_EQ(std::filesystem::read_symlink(mount / "db"), "..data/db");
  EXPECT_THAT(delivery.read(path("app.env"))->reveal(), std::string_view("t\0w\nö", 6));
}

TEST_F(DeliveryTest, TellsWhatChanged) {
  Tmpfs mount;
  auto delivery = mount.delivery();
  const auto x = Secret::copy_of("x");
  const auto y = Secret::copy_of("y");
  ASSERT_TRUE(delivery.publish({{path("a"), &x, {}}, {path("b"), &x, {}}, {path("c/d"), &x, {}}, {path("m"), &x, {}}}));
  const auto next = delivery.publish(
      {{path("a"), &x, {}}, {path("b"), &y, {}}, {path("e"), &x, {}}, {path("m"), &x, {0440, {}, {}}}});
  ASSERT_TRUE(next) << next.error().message();
  EXPECT_THAT(texts(next->changed), ElementsAre("b", "e", "m"));
  EXPECT_THAT(texts(next->removed), ElementsAre("c/d"));
  EXPECT_EQ(next->generation, 2U);
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::symlink_status(mount / "c")));
  EXPECT_EQ(tests::contents_of(mount / "b"), "y");
}

TEST_F(DeliveryTest, RemovesAFileByAGenerationAsWell) {
  Tmpfs mount;
  Ticker clock;
  auto delivery = mount.delivery(clock.options());
  const auto x = Secret::copy_of("x");
  ASSERT_TRUE(delivery.publish({{path("a"), &x, {}}, {path("f/b"), &x, {}}, {path("f/c"), &x, {}}}));
  const int pinned = ::open((mount / "..data").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  ASSERT_TRUE(delivery.publish({{path("a"), nullptr, {}}, {path("f/c"), nullptr, {}}}));
  EXPECT_FALSE(std::filesystem::exists(mount / "f/b"));
  EXPECT_EQ(tests::contents_of(mount / "f/c"), "x");
  EXPECT_EQ(::faccessat(pinned, "f/b", R_OK, 0), 0);
  ::close(pinned);
  ASSERT_TRUE(delivery.publish({}));
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::symlink_status(mount / "a")));
  EXPECT_THAT(delivery.paths(), IsEmpty());
}

TEST_F(DeliveryTest, KeepsWhatIsPublishedWithoutItsBytes) {
  Tmpfs mount;
  auto delivery = mount.delivery();
  const auto x = Secret::copy_of("x");
  const auto y = Secret::copy_of("y");
  ASSERT_TRUE(delivery.publish({{path("a"), &x, {}}, {path("b"), &x, {}}}));
  const auto next = delivery.publish({{path("a"), nullptr, {}}, {path("b"), &y, {}}});
  ASSERT_TRUE(next);
  EXPECT_THAT(texts(next->changed), ElementsAre("b"));
  EXPECT_EQ(tests::contents_of(mount / "a"), "x");
  const auto missing = delivery.publish({{path("z"), nullptr, {}}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), Errc::missing);
  EXPECT_EQ(tests::contents_of(mount / "b"), "y");
  // What somebody has changed is not passed on.
  ::chmod((mount / "..data/a").c_str(), 0600);
  const std::vector<Content> both = {{path("a"), nullptr, {}}, {path("b"), nullptr, {}}};
  EXPECT_THAT(texts(delivery.publish(both)->changed), IsEmpty());
  EXPECT_EQ(mode_of(mount / "..data/a"), 0400U);
  ASSERT_EQ(::truncate((mount / "..data/a").c_str(), 0), 0);
  const auto tampered = delivery.publish(both);
  ASSERT_FALSE(tampered);
  EXPECT_THAT(tampered.error().message(), HasSubstr("a: what stands there is not what was delivered"));
}

TEST_F(DeliveryTest, WritesNothingWhenNothingDiffers) {
  Tmpfs mount;
  auto delivery = mount.delivery();
  const Pair pair(7);
  publish(delivery, pair);
  const int watch = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  std::size_t watched = 0;
  const auto add = [&](const std::string& folder) {
    if (::inotify_add_watch(watch, folder.c_str(), IN_ALL_EVENTS) >= 0) ++watched;
  };
  add(mount.path());
  add(mount / "..data/");
  add(mount / "..data/a");
  ASSERT_EQ(watched, 3U);
  for (int i = 0; i < 1000; ++i) {
    const auto again = delivery.publish(pair.contents());
    ASSERT_TRUE(again);
    ASSERT_FALSE(again->written);
    ASSERT_EQ(again->generation, 1U);
  }
  std::array<char, 4096> events;
  EXPECT_EQ(::read(watch, events.data(), events.size()), -1);
  EXPECT_EQ(errno, EAGAIN);
  ::close(watch);
}

TEST_F(DeliveryTest, TakesOverWhatWasPublishedBefore) {
  Tmpfs mount;
  const Pair pair(7);
  {
    auto before = mount.delivery();
    publish(before, pair);
  }
  auto delivery = mount.delivery();
  EXPECT_EQ(delivery.generation(), 1U);
  EXPECT_THAT(texts(delivery.paths()), ElementsAre("a/user", "b"));
  const auto again = delivery.publish(pair.contents());
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->written);
  publish(delivery, Pair(8));
  EXPECT_EQ(delivery.generation(), 2U);
  EXPECT_EQ(tests::version_at(AT_FDCWD, mount / "b"), 8);
}

TEST_F(DeliveryTest, MendsWhatSomebodyTamperedWith) {
  Tmpfs mount;
  auto delivery = mount.delivery();
  const Pair pair(7);
  publish(delivery, pair);
  const auto check = [&](const std::string& what) {
    const auto again = delivery.publish(pair.contents());
    ASSERT_TRUE(again) << what << ": " << again.error().message();
    EXPECT_EQ(tests::version_at(AT_FDCWD, mount / "a/user"), 7) << what;
    EXPECT_EQ(tests::version_at(AT_FDCWD, mount / "b"), 7) << what;
    EXPECT_EQ(mode_of(mount / "..data/b"), 0440U) << what;
  };
  namespace fs = std::filesystem;
  ::chmod((mount / "..data/b").c_str(), 0666);
  check("mode");
  ASSERT_EQ(::truncate((mount / "..data/b").c_str(), 5), 0);
  check("size");
  fs::remove(mount / "..data/b");
  check("removed");
  fs::remove(mount / "b");
  check("link removed");
  fs::remove(mount / "b");
  fs::create_symlink("/etc/passwd", mount / "b");
  check("link elsewhere");
  fs::remove(mount / "b");
  ASSERT_EQ(::mkfifo((mount / "b").c_str(), 0600), 0);
  check("fifo in the place of a link");
  fs::remove(mount / "b");
  fs::create_directory(mount / "b");
  check("empty folder in the place of a link");
  fs::remove(mount / "..data");
  check("..data removed");
  fs::create_symlink("/etc", mount / "..data_tmp");
  fs::create_symlink("/etc", mount / "..link_tmp");
  check("drafts planted");
  fs::remove(mount / "..data");
  fs::create_symlink("/", mount / "..data");
  check("..data elsewhere");
  fs::remove(mount / "b");
  fs::create_directories(mount / "b/x");
  const auto blocked = delivery.publish(pair.contents());
  ASSERT_FALSE(blocked);
  EXPECT_THAT(blocked.error().message(), HasSubstr("linking b: a folder that is not ours stands there"));
  fs::remove_all(mount / "b");
  check("folder removed again");
}

TEST_F(DeliveryTest, KeepsReplacedGenerationsForTheirTime) {
  Tmpfs mount;
  Ticker clock;
  auto delivery = mount.delivery(clock.options());
  publish(delivery, Pair(1));
  EXPECT_FALSE(delivery.next_collection());
  clock.time += 1s;
  publish(delivery, Pair(2));
  clock.time += 4s;
  publish(delivery, Pair(3));
  EXPECT_EQ(*delivery.next_collection() - clock.time, 6s);
  const int pinned = ::open((mount / "..data").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  clock.time += 1s;
  publish(delivery, Pair(4));
  clock.time += 4s;
  delivery.collect();
  EXPECT_THAT(tests::generations(mount.path()), SizeIs(4));
  clock.time += 1s;
  delivery.collect();
  EXPECT_THAT(tests::generations(mount.path()), SizeIs(3));
  EXPECT_EQ(tests::version_at(pinned, "a/user"), 3);
  clock.time += 4s;
  publish(delivery, Pair(4));
  EXPECT_THAT(tests::generations(mount.path()), SizeIs(2));
  clock.time += 1s;
  delivery.collect();
  EXPECT_THAT(tests::generations(mount.path()), SizeIs(1));
  EXPECT_EQ(tests::version_at(pinned, "a/user"), tests::kAbsent);
  ::close(pinned);
}

TEST_F(DeliveryTest, WipesAnOldGenerationUnlessSomebodyStillReadsIt) {
  Tmpfs mount;
  Ticker clock;
  auto delivery = mount.delivery(clock.options());
  publish(delivery, Pair(1));
  const int reader = ::open((mount / "b").c_str(), O_RDONLY | O_CLOEXEC);
  // A descriptor of a path alone does not count as open, and shows afterwards what became of the bytes.
  const int path_only = ::open((mount / "a/user").c_str(), O_PATH | O_CLOEXEC);
  const std::string whole = tests::contents_of(mount / "b");
  publish(delivery, Pair(2));
  clock.time += 11s;
  delivery.collect();
  EXPECT_THAT(tests::generations(mount.path()), SizeIs(1));
  std::string seen(whole.size(), '\0');
  EXPECT_EQ(::pread(reader, seen.data(), seen.size(), 0), static_cast<ssize_t>(whole.size()));
  EXPECT_EQ(tests::version_in(seen), 1);
  EXPECT_EQ(tests::contents_of("/proc/self/fd/" + std::to_string(path_only)), std::string(whole.size(), '\0'));
  ::close(reader);
  ::close(path_only);
}

TEST_F(DeliveryTest, WithdrawsEverything) {
  Tmpfs mount;
  auto delivery = mount.delivery();
  publish(delivery, Pair(1));
  publish(delivery, Pair(2));
  tests::TemporaryDirectory other;
  std::filesystem::create_symlink("..data/elsewhere", mount / "mine");
  ASSERT_TRUE(delivery.withdraw());
  std::filesystem::remove(mount / "mine");
  EXPECT_TRUE(std::filesystem::is_empty(mount.path()));
  publish(delivery, Pair(3));
  EXPECT_EQ(delivery.generation(), 3U);
  EXPECT_EQ(tests::version_at(AT_FDCWD, mount / "b"), 3);
}

TEST_F(DeliveryTest, RefusesPathsThatExcludeEachOther) {
  Tmpfs mount;
  auto delivery = mount.delivery();
  const auto x = Secret::copy_of("x");
  for (const auto& paths : {std::vector<std::string>{"a", "a"}, {"a/b", "a"}, {"a", "a-b", "a/b/c"}}) {
    std::vector<Content> contents;
    for (const auto& each : paths) contents.push_back({path(each), &x, {}});
    const auto refused = delivery.publish(contents);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::config);
  }
  EXPECT_FALSE(delivery.publish({{RelativePath(), &x, {}}}));
  EXPECT_TRUE(std::filesystem::is_empty(mount.path()));
}

TEST_F(DeliveryTest, LeavesTheOldGenerationWhenTheMountIsFull) {
  Tmpfs mount("size=128k,nr_inodes=24,mode=0755");
  Ticker clock;
  auto delivery = mount.delivery(clock.options());
  publish(delivery, Pair(1));
  const auto large = Secret::of_size(256UL << 10);
  for (int i = 0; i < 50; ++i) {
    const auto full = delivery.publish({{path("b"), &large, {}}});
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code(), Errc::io);
    EXPECT_THAT(full.error().message(), HasSubstr("writing b: the mount is full"));
  }
  EXPECT_THAT(tests::generations(mount.path()), SizeIs(1));
  EXPECT_EQ(tests::version_at(AT_FDCWD, mount / "b"), 1);
  EXPECT_EQ(tests::version_at(AT_FDCWD, mount / "a/user"), 1);
  // No inode left: folders, links and files cannot be made, whichever comes first.
  std::vector<std::string> filler;
  for (int i = 0; i < 40; ++i) {
    const std::string name = mount / ("filler" + std::to_string(i));
    const int fd = ::open(name.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) break;
    ::close(fd);
    filler.push_back(name);
  }
  const Pair next(2);
  while (!filler.empty()) {
    const auto full = delivery.publish(next.contents());
    if (full) break;
    EXPECT_THAT(full.error().message(), HasSubstr("the mount is full"));
    EXPECT_EQ(tests::version_at(AT_FDCWD, mount / "b"), 1);
    EXPECT_EQ(tests::version_at(AT_FDCWD, mount / "a/user"), 1);
    ::unlink(filler.back().c_str());
    filler.pop_back();
  }
  EXPECT_EQ(tests::version_at(AT_FDCWD, mount / "b"), 2);
  ASSERT_TRUE(mount.remount("size=4m,nr_inodes=100"));
  ASSERT_TRUE(delivery.publish({{path("b"), &large, {}}}));
  EXPECT_EQ(std::filesystem::file_size(mount / "b"), large.size());
}

TEST_F(DeliveryTest, SurvivesAMountThatTurnsReadOnly) {
  Tmpfs mount;
  auto delivery = mount.delivery();
  publish(delivery, Pair(1));
  ASSERT_TRUE(mount.remount("ro"));
  const Pair next(2);
  const auto refused = delivery.publish(next.contents());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("read-only"));
  EXPECT_EQ(tests::version_at(AT_FDCWD, mount / "b"), 1);
  ASSERT_TRUE(mount.remount(""));
  publish(delivery, next);
  EXPECT_EQ(tests::version_at(AT_FDCWD, mount / "b"), 2);
}

TEST_F(DeliveryTest, SurvivesWithoutDescriptors) {
  Tmpfs mount;
  Ticker clock;
  auto delivery = mount.delivery(clock.options());
  publish(delivery, Pair(1));
  rlimit old{};
  ::getrlimit(RLIMIT_NOFILE, &old);
  const rlimit few{64, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  std::vector<int> held;
  for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) held.push_back(fd);
  const Pair next(2);
  // With none, one, two... descriptors it fails at another place each time.
  bool done = false;
  int failures = 0;
  while (!done && !held.empty()) {
    const auto published = delivery.publish(next.contents());
    done = static_cast<bool>(published);
    if (!done) {
      ++failures;
      EXPECT_THAT(published.error().message(), HasSubstr("no file descriptor left"));
    }
    ::close(held.back());
    held.pop_back();
    EXPECT_EQ(tests::version_at(AT_FDCWD, mount / "b"), done ? 2 : 1);
  }
  for (const int fd : held) ::close(fd);
  ::setrlimit(RLIMIT_NOFILE, &old);
  EXPECT_TRUE(done);
  EXPECT_GE(failures, 2);
  clock.time += 11s;
  delivery.collect();
  EXPECT_THAT(tests::generations(mount.path()), SizeIs(1));
}

TEST_F(DeliveryTest, CleansUpWhatACrashHasLeft) {
  Tmpfs mount;
  Ticker clock;
  {
    auto before = mount.delivery(clock.options());
    publish(before, Pair(1));
    publish(before, Pair(2));
  }
  namespace fs = std::filesystem;
  fs::create_directories(mount / "..2026_01_01_00_00_00.9/a");  // Unfinished: mode 0700.
  ::chmod((mount / "..2026_01_01_00_00_00.9").c_str(), 0700);
  fs::create_symlink("..2026_01_01_00_00_00.9", mount / "..data_tmp");
  fs::remove(mount / "b");
  fs::create_symlink("..data/gone", mount / "gone");
  fs::create_directory(mount / "..foreign");
  auto delivery = mount.delivery(clock.options());
  EXPECT_EQ(tests::version_at(AT_FDCWD, mount / "b"), 2);
  EXPECT_FALSE(fs::exists(fs::symlink_status(mount / "..data_tmp")));
  EXPECT_FALSE(fs::exists(fs::symlink_status(mount / "gone")));
  EXPECT_TRUE(fs::exists(mount / "..foreign"));
  EXPECT_THAT(tests::generations(mount.path()), SizeIs(2));
  clock.time += 11s;
  delivery.collect();
  EXPECT_THAT(tests::generations(mount.path()), SizeIs(1));
  publish(delivery, Pair(3));
  EXPECT_EQ(delivery.generation(), 10U);
}

// --- several users
// -----------------------------------------------------------------------------------------------------

/// Runs `work` as another user, in a process of its own; its answer.
int as_user(uid_t user, gid_t group, std::vector<gid_t> others, const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgroups(others.size(), others.data()) != 0 || ::setresgid(group, group, group) != 0 ||
        ::setresuid(user, user, user) != 0) {
      ::_exit(99);
    }
    ::_exit(work());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool readable(uid_t user, gid_t group, const std::string& file) {
  return as_user(user, group, {}, [&] { return ::open(file.c_str(), O_RDONLY | O_CLOEXEC) >= 0 ? 1 : 0; }) == 1;
}

using DeliveryUsersTest = TwoUsers;

TEST_F(DeliveryUsersTest, GivesFilesToTheirOwners) {
  Tmpfs mount;
  ::chmod(std::filesystem::path(mount.path()).parent_path().c_str(), 0755);
  auto delivery = mount.delivery();
  const auto x = Secret::copy_of("x");
  ASSERT_TRUE(delivery.publish({{path("f/owned"), &x, {0400, 10001, {}}},
                                {path("f/grouped"), &x, {0440, {}, 20001}},
                                {path("f/both"), &x, {0440, 10001, 20001}},
                                {path("ours"), &x, {}}}));
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(readable(10001, 1, mount / "f/owned"));
    EXPECT_FALSE(readable(10002, 20001, mount / "f/owned"));
    EXPECT_TRUE(readable(10002, 20001, mount / "f/grouped"));
    EXPECT_FALSE(readable(10002, 1, mount / "f/grouped"));
    EXPECT_TRUE(readable(10001, 1, mount / "f/both"));
    EXPECT_TRUE(readable(10002, 20001, mount / "f/both"));
    EXPECT_FALSE(readable(10001, 20001, mount / "ours"));
    // What was given away is recognised after a restart.
    delivery = mount.delivery();
    const auto again = delivery.publish({{path("f/owned"), &x, {0400, 10001, {}}},
                                         {path("f/grouped"), &x, {0440, {}, 20001}},
                                         {path("f/both"), &x, {0440, 10001, 20001}},
                                         {path("ours"), &x, {}}});
    EXPECT_FALSE(again->written);
  }
}

TEST_F(DeliveryUsersTest, DeliversAsAnyUserThroughTheGroupOfThePod) {
  Tmpfs mount("size=4m,mode=3770,gid=2000");  // As the kubelet makes an emptyDir with fsGroup: 2000.
  const int code = as_user(10001, 10001, {2000}, [&] {
    auto delivery = mount.delivery();
    const auto x = Secret::copy_of("x");
    if (!delivery.publish({{path("db/x"), &x, {0440, {}, {}}}})) return 1;
    if (!delivery.publish({{path("db/x"), &x, {0440, {}, 2000}}, {path("db/y"), &x, {}}})) return 2;
    const auto refused = delivery.publish({{path("db/x"), &x, {0440, 10002, {}}}});
    if (refused || refused.error().message().find("giving db/x to user 10002: not permitted") == std::string::npos)
      return 3;
    return tests::contents_of(mount / "db/y") == "x" ? 0 : 4;
  });
  EXPECT_EQ(code, 0);
  EXPECT_EQ(as_user(10002, 10002, {2000}, [&] { return ::open((mount / "db/x").c_str(), O_RDONLY) >= 0 ? 1 : 0; }), 1);
  EXPECT_EQ(as_user(10002, 10002, {2000}, [&] { return ::open((mount / "db/y").c_str(), O_RDONLY) >= 0 ? 1 : 0; }), 0);
  EXPECT_EQ(as_user(10002, 10002, {}, [&] { return ::open((mount / "db/x").c_str(), O_RDONLY) >= 0 ? 1 : 0; }), 0);
}

TEST_F(DeliveryUsersTest, LeavesAnotherUsersGenerationUntilItsOwnIsThere) {
  Tmpfs mount("size=4m,mode=0777");
  {
    auto root = mount.delivery();
    publish(root, Pair(1));
  }
  const int code = as_user(10001, 10001, {}, [&] {
    auto delivery = mount.delivery();
    return delivery.paths().empty() ? 0 : 1;
  });
  EXPECT_EQ(code, 0);
  EXPECT_EQ(tests::version_at(AT_FDCWD, mount / "b"), 1);
}

}  // namespace
}  // namespace injector::deliver
