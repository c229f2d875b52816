#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "tests/injector/deliver/tmpfs.h"
#include "tests/injector/deliver/traced.h"

namespace injector::deliver {
namespace {

using namespace std::chrono_literals;
using tests::Call;
using tests::Deed;
using tests::kAbsent;
using tests::Pair;
using tests::Tmpfs;
using tests::version_at;
namespace fs = std::filesystem;

#if defined(__SANITIZE_ADDRESS__)
constexpr int kStride = 9;  // A process takes ten times as long to start.
#else
constexpr int kStride = 1;
#endif

constexpr std::array kScenarios = {"first", "rotate", "remove", "move", "mode"};

class Traced : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!tests::no_tmpfs().empty()) GTEST_SKIP() << tests::no_tmpfs();
    if (!tests::no_tracing().empty()) GTEST_SKIP() << tests::no_tracing();
  }
};

/// What a reader finds: the versions of the two files by their visible paths and, with the generation pinned, beneath
/// it.
struct Seen {
  int user = kAbsent;
  int password = kAbsent;
  int moved = kAbsent;
  int pinned_user = kAbsent;
  int pinned_password = kAbsent;
  int pinned_moved = kAbsent;
};

Seen look(const Tmpfs& mount) {
  Seen out;
  out.user = version_at(AT_FDCWD, mount / "a/user");
  out.password = version_at(AT_FDCWD, mount / "b");
  out.moved = version_at(AT_FDCWD, mount / "c/d/new");
  const int pinned = ::open((mount / "..data").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (pinned >= 0) {
    out.pinned_user = version_at(pinned, "a/user");
    out.pinned_password = version_at(pinned, "b");
    out.pinned_moved = version_at(pinned, "c/d/new");
    ::close(pinned);
  }
  return out;
}

/// Whether that is the old state or the new one of this scenario, each whole.
std::string flaw(const std::string& scenario, const Seen& seen) {
  if (scenario == "first") {
    const bool none = seen.pinned_user == kAbsent && seen.pinned_password == kAbsent;
    const bool whole = seen.pinned_user == 1 && seen.pinned_password == 1;
    if (!none && !whole) return "the generation is in pieces";
    // Links come after the data: a file may not be visible yet, but never dangles or is torn.
    const auto visible = [&](int version) { return version == kAbsent || (whole && version == 1); };
    return visible(seen.user) && visible(seen.password) ? "" : "a visible file is not whole";
  }
  const bool old = seen.pinned_password == 1 && seen.pinned_user == 1 && seen.pinned_moved == kAbsent;
  const bool keeps_user = scenario == "rotate" || scenario == "mode";
  const bool renewed = seen.pinned_password == 2 && seen.pinned_user == (keeps_user ? 2 : kAbsent) &&
                       seen.pinned_moved == (scenario == "move" ? 2 : kAbsent);
  if (!old && !renewed) return "the generation is in pieces";
  if (seen.password != seen.pinned_password) return "b is not the one of the generation";
  if (seen.user != seen.pinned_user) return "a/user is not the one of the generation";
  if (seen.moved != kAbsent && seen.moved != 2) return "c/d/new is not whole";
  return "";
}

void prepare(const Tmpfs& mount, const std::string& scenario) {
  if (scenario == "first") return;
  auto delivery = mount.delivery();
  ASSERT_TRUE(delivery.publish(Pair(1).contents()));
}

/// The next start makes it right with no hand on it.
void expect_converges(const Tmpfs& mount, const std::string& what) {
  BootClock::time_point now = BootClock::now();
  auto delivery = mount.delivery({10s, [&] { return now; }});
  const Pair pair(3);
  const auto published = delivery.publish(pair.contents());
  ASSERT_TRUE(published) << what << ": " << published.error().message();
  const Seen seen = look(mount);
  EXPECT_EQ(seen.user, 3) << what;
  EXPECT_EQ(seen.password, 3) << what;
  EXPECT_EQ(seen.moved, kAbsent) << what;
  EXPECT_LE(tests::generations(mount.path()).size(), 3U) << what;  // All three of less than ten seconds ago.
  now += 11s;
  delivery.collect();
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(mount.path())) names.push_back(entry.path().filename());
  EXPECT_EQ(names.size(), 4U) << what << ": " << ::testing::PrintToString(names);  // a, b, ..data, one generation
}

TEST_P(Traced, IsOldOrNewWhereverItIsKilled) {
  const std::string scenario = GetParam();
  int killed = 0;
  for (int at = 1;; at += kStride) {
    Tmpfs mount("size=4m,mode=0755");
    prepare(mount, scenario);
    const auto ended = tests::trace({mount.path(), scenario, "022"}, [&](const Call& call) {
      return Deed{call.index == at ? Deed::What::kill : Deed::What::go};
    });
    const std::string what = scenario + ", killed at call " + std::to_string(at);
    EXPECT_EQ(flaw(scenario, look(mount)), "") << what;
    expect_converges(mount, what);
    if (!ended.killed) {
      EXPECT_EQ(ended.code, 0) << what;
      break;
    }
    ++killed;
    if (HasFailure()) break;
  }
  std::cout << scenario << ": killed at " << killed << " system calls" << std::endl;
  EXPECT_GT(killed, 20 / kStride);
}

TEST_P(Traced, LeavesTheLastGoodFilesWhicheverCallFails) {
  const std::string scenario = GetParam();
  constexpr std::array kErrors = {ENOSPC, EIO, EMFILE, ENFILE, ENOMEM, EINTR, EDQUOT, EROFS, EACCES};
  int cases = 0;
  int refused = 0;
  std::size_t next = 0;
  for (int at = 1;; at += kStride) {
    bool reached = false;
    // Every error at each call of the rotation; elsewhere one of them in turn.
    const std::size_t errors = scenario == "rotate" ? kErrors.size() : 2;
    for (std::size_t i = 0; i < errors; ++i) {
      const int error = kErrors[next++ % kErrors.size()];
      Tmpfs mount("size=4m,mode=0755");
      prepare(mount, scenario);
      bool hit = false;
      std::string flawed;
      ::testing::internal::CaptureStderr();
      const auto ended = tests::trace({mount.path(), scenario, "022"}, [&](const Call& call) -> Deed {
        if (call.index != at) return {};
        reached = true;
        hit = call.files;
        return {hit ? Deed::What::fail : Deed::What::go, error};
      });
      const std::string said = ::testing::internal::GetCapturedStderr();
      if (!hit) break;
      ++cases;
      refused += ended.code == 3 ? 1 : 0;
      const std::string what =
          scenario + ", call " + std::to_string(at) + ": " + std::strerror(error) + ", said: " + said;
      EXPECT_TRUE(ended.code == 0 || ended.code == 3) << what << " code " << ended.code;
      EXPECT_EQ(said.empty(), ended.code == 0) << what;
      EXPECT_EQ(said.find("v2;"), std::string::npos);
      EXPECT_EQ(flaw(scenario, look(mount)), "") << what;
      expect_converges(mount, what);
      if (HasFailure()) return;
    }
    if (!reached) break;
  }
  std::cout << scenario << ": " << cases << " failures of system calls, of which " << refused << " were told"
            << std::endl;
  EXPECT_GT(refused, 10 / kStride);
}

TEST_P(Traced, FinishesWritesThatAreCutShort) {
  const std::string scenario = GetParam();
  Tmpfs mount("size=4m,mode=0755");
  prepare(mount, scenario);
  int writes = 0;
  const auto ended = tests::trace({mount.path(), scenario, "022"}, [&](const Call& call) -> Deed {
    if (!call.write) return {};
    ++writes;
    return {Deed::What::halve};
  });
  EXPECT_EQ(ended.code, 0);
  EXPECT_GT(writes, 10);
  EXPECT_EQ(flaw(scenario, look(mount)), "");
  EXPECT_EQ(version_at(AT_FDCWD, mount / "b"), scenario == "first" ? 1 : 2);
}

/// No file is ever open to more than was asked for, no folder to more than its group, and all is final once visible.
void expect_modes(const Tmpfs& mount, const std::string& what, mode_t strictest_b) {
  std::error_code gone;
  for (const auto& entry : fs::recursive_directory_iterator(mount.path(), gone)) {
    struct stat st {};
    if (::lstat(entry.path().c_str(), &st) != 0 || S_ISLNK(st.st_mode)) continue;
    const mode_t most = S_ISDIR(st.st_mode) ? 0750 : 0440;
    EXPECT_EQ(st.st_mode & 07777 & ~most, 0U) << what << ": " << entry.path();
  }
  if (!fs::exists(mount / "..data")) return;
  for (const char* name : {"..data/a/user", "..data/b"}) {
    struct stat st {};
    if (::lstat((mount / name).c_str(), &st) != 0) continue;
    const mode_t mode = st.st_mode & 07777;
    EXPECT_TRUE(mode == 0440U || (mode == strictest_b && std::strcmp(name, "..data/b") == 0)) << what << ": " << name;
  }
}

TEST_P(Traced, NeverOpensAFileFurtherThanAsked) {
  const std::string scenario = GetParam();
  for (const char* mask : {"000", "077"}) {
    Tmpfs mount("size=4m,mode=0755");
    prepare(mount, scenario);
    const auto ended = tests::trace({mount.path(), scenario, mask}, [&](const Call& call) -> Deed {
      expect_modes(mount, scenario + ", before call " + std::to_string(call.index), 0400);
      return {};
    });
    EXPECT_EQ(ended.code, 0);
    expect_modes(mount, scenario + ", at the end", 0400);
  }
}

INSTANTIATE_TEST_SUITE_P(Delivery, Traced, ::testing::ValuesIn(kScenarios),
                         [](const auto& scenario) { return std::string(scenario.param); });

}  // namespace
}  // namespace injector::deliver
