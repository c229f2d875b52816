#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <thread>

#include "tests/injector/deliver/tmpfs.h"

namespace injector::deliver {
namespace {

using namespace std::chrono_literals;
using tests::kAbsent;
using tests::Pair;
using tests::Tmpfs;
using tests::version_at;
namespace fs = std::filesystem;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kRotations = 1'000;
#else
constexpr int kRotations = 10'000;
#endif

class Race : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!tests::no_tmpfs().empty()) GTEST_SKIP() << tests::no_tmpfs();
  }
};

struct Counts {
  std::atomic<long> reads{0};
  std::atomic<long> absent{0};
  std::atomic<long> torn{0};
  std::atomic<long> mixed{0};
  std::atomic<long> backwards{0};

  void count(int version, int& last) {
    ++reads;
    if (version == kAbsent) ++absent;
    if (version == -1) ++torn;
    if (version >= 0 && version < last) ++backwards;
    last = std::max(last, version);
  }
};

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

TEST_F(Race, ReadersSeeOldOrNewAndNeverAMixture) {
  Tmpfs mount("size=1g,mode=0755");
  auto delivery = mount.delivery();
  ASSERT_TRUE(delivery.publish(Pair(0).contents()));
  std::atomic<bool> done{false};
  Counts plain;
  Counts pinned;
  Counts notified;
  std::thread by_path([&] {
    int last = 0;
    while (!done) plain.count(version_at(AT_FDCWD, mount / "b"), last);
  });
  std::thread by_folder([&] {
    int last = 0;
    while (!done) {
      const int folder = ::open((mount / "..data").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
      const int user = version_at(folder, "a/user");
      const int password = version_at(folder, "b");
      ::close(folder);
      pinned.count(user, last);
      pinned.count(password, last);
      if (user != password) ++pinned.mixed;
    }
  });
  std::thread by_notice([&] {
    const int watch = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    ::inotify_add_watch(watch, mount.path().c_str(), IN_MOVED_TO);
    std::array<char, 65536> events;
    int last = 0;
    while (!done) {
      if (::read(watch, events.data(), events.size()) > 0) notified.count(version_at(AT_FDCWD, mount / "a/user"), last);
      std::this_thread::sleep_for(1ms);
    }
    ::close(watch);
  });
  const std::size_t before = open_descriptors();
  const auto start = std::chrono::steady_clock::now();
  for (int version = 1; version <= kRotations; ++version) {
    const auto published = delivery.publish(Pair(version).contents());
    ASSERT_TRUE(published) << published.error().message();
    ASSERT_EQ(published->generation, static_cast<std::uint64_t>(version) + 1);
  }
  const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  EXPECT_LE(open_descriptors(), before + 4);  // Those that the readers just have open.
  done = true;
  by_path.join();
  by_folder.join();
  by_notice.join();
  std::cout << kRotations << " rotations in " << took << " s, " << plain.reads << " + " << pinned.reads << " + "
            << notified.reads << " reads" << std::endl;
  for (const Counts* counts : {&plain, &pinned, &notified}) {
    EXPECT_EQ(counts->absent, 0);
    EXPECT_EQ(counts->torn, 0);
    EXPECT_EQ(counts->mixed, 0);
    EXPECT_EQ(counts->backwards, 0);
  }
  EXPECT_GT(plain.reads, kRotations / 10);
  EXPECT_GT(pinned.reads, kRotations / 10);
}

TEST_F(Race, CollectsUnderReadersWithoutHarm) {
  Tmpfs mount("size=64m,mode=0755");
  auto delivery = mount.delivery({200ms, BootClock::now});
  ASSERT_TRUE(delivery.publish(Pair(0).contents()));
  std::atomic<bool> done{false};
  Counts plain;
  std::thread by_path([&] {
    int last = 0;
    while (!done) plain.count(version_at(AT_FDCWD, mount / "b"), last);
  });
  std::size_t most = 0;
  const auto end = std::chrono::steady_clock::now() + 3s;
  int version = 1;
  for (; std::chrono::steady_clock::now() < end; ++version) {
    ASSERT_TRUE(delivery.publish(Pair(version).contents()));
    most = std::max(most, tests::generations(mount.path()).size());
    std::this_thread::sleep_for(2ms);
  }
  done = true;
  by_path.join();
  EXPECT_EQ(plain.absent + plain.torn + plain.backwards, 0);
  EXPECT_LT(most, 150U);
  EXPECT_GT(version, 100);
}

/// Swaps whatever it can at our names, with things that lead elsewhere or that a careless open would wait for.
void be_hostile(const std::string& mount, const std::string& outside, std::atomic<bool>& done,
                std::atomic<long>& swaps) {
  std::mt19937 random(7);
  const auto pick = [&](auto n) { return random() % static_cast<unsigned>(n); };
  std::error_code ignored;
  while (!done) {
    std::vector<std::string> names = {mount + "/..data", mount + "/..data_tmp", mount + "/..link_tmp", mount + "/a",
                                      mount + "/b"};
    for (const auto& name : tests::generations(mount)) {
      names.push_back(mount + "/" + name);
      names.push_back(mount + "/" + name + "/a");
      names.push_back(mount + "/" + name + "/b");
      names.push_back(mount + "/" + name + "/a/user");
    }
    const std::string& name = names[pick(names.size())];
    const std::string side = mount + "/side";
    switch (pick(5)) {
      case 0:
        fs::create_symlink(outside, side, ignored);
        fs::rename(side, name, ignored);
        break;
      case 1:
        fs::rename(name, side, ignored);
        fs::create_symlink(outside, name, ignored);
        break;
      case 2:
        if (::mkfifo(side.c_str(), 0600) == 0) fs::rename(side, name, ignored);
        break;
      case 3:
        fs::create_hard_link(mount + "/..data/b", side, ignored);
        fs::rename(side, name, ignored);
        break;
      default:
        fs::rename(name, side, ignored);
        fs::create_directory(name, ignored);
        break;
    }
    fs::remove_all(side, ignored);
    ++swaps;
  }
}

TEST_F(Race, IsNeverLedOutOfTheMount) {
  Tmpfs mount("size=64m,mode=0777");
  tests::TemporaryDirectory outside;
  std::ofstream(outside / "user") << "untouched";
  std::ofstream(outside / "b") << "untouched";
  std::ofstream(outside / "a") << "untouched";
  const auto before = fs::last_write_time(outside.path());
  auto delivery = mount.delivery({1ms, BootClock::now});
  std::atomic<bool> done{false};
  std::atomic<long> swaps{0};
  std::thread hostile([&] { be_hostile(mount.path(), outside.path(), done, swaps); });
  const auto end = std::chrono::steady_clock::now() + 4s;
  std::size_t good = 0;
  std::size_t refused = 0;
  for (int version = 1; std::chrono::steady_clock::now() < end; ++version) {
    const auto start = std::chrono::steady_clock::now();
    (delivery.publish(Pair(version).contents()) ? good : refused) += 1;
    if (version % 50 == 0) {
      auto again = Delivery::open(scanner::base::Fd(::open(mount.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
                                  mount.path(), {1ms, BootClock::now});
      if (again) delivery = std::move(*again);
    }
    ASSERT_LT(std::chrono::steady_clock::now() - start, 2s) << "something waited";
  }
  done = true;
  hostile.join();
  std::cout << swaps << " swaps, " << good << " publications went through, " << refused << " were refused" << std::endl;
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(outside.path())) names.push_back(entry.path().filename());
  EXPECT_EQ(names.size(), 3U) << ::testing::PrintToString(names);
  EXPECT_EQ(fs::last_write_time(outside.path()), before);
  for (const char* name : {"user", "a", "b"}) EXPECT_EQ(tests::contents_of(outside / name), "untouched");
  EXPECT_GT(swaps, 1000);
  // Once it is gone, all is well again with no hand on it, but for folders of its own that stand in the way.
  std::error_code ignored;
  for (const char* name : {"a", "b", "..data"}) {
    if (fs::is_directory(fs::symlink_status(mount / name))) fs::remove_all(mount / name, ignored);
  }
  const auto healed = delivery.publish(Pair(1'000'000).contents());
  ASSERT_TRUE(healed) << healed.error().message();
  EXPECT_EQ(version_at(AT_FDCWD, mount / "b"), 1'000'000);
  EXPECT_EQ(version_at(AT_FDCWD, mount / "a/user"), 1'000'000);
}

}  // namespace
}  // namespace injector::deliver
