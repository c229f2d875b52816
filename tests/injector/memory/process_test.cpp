#include "injector/memory/process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "injector/memory/arena.h"
#include "tests/support/temporary.h"

namespace injector::memory {
namespace {

/// How a child that did `act` ended: its wait status.
int in_child(const std::function<int()>& act) {
  const ::pid_t child = ::fork();
  if (child == 0) ::_exit(act());
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(Process, LeavesNoCoreAndIsHidden) {
  const tests::TemporaryDirectory folder;
  const int status = in_child([&] {
    if (::chdir(folder.path().c_str()) != 0 || !harden_process()) return 1;
    const ::mode_t mask = ::umask(0);
    if (mask != 077 || ::prctl(PR_GET_DUMPABLE) != 0 || ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return 2;
    ::rlimit limit{};
    ::getrlimit(RLIMIT_CORE, &limit);
    if (limit.rlim_max != 0) return 3;
    std::abort();
  });
  ASSERT_TRUE(WIFSIGNALED(status)) << status;
  EXPECT_EQ(WTERMSIG(status), SIGABRT);
  EXPECT_FALSE(WCOREDUMP(status));
}

TEST(Process, KeepsOthersOfTheSameUserOut) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become two processes of another user";
  const int status = in_child([] {
    if (::setgid(65532) != 0 || ::setuid(65532) != 0) return 1;
    std::array<int, 2> ready{};
    std::array<int, 2> done{};
    if (::pipe(ready.data()) != 0 || ::pipe(done.data()) != 0) return 2;
    static char target[] = "something";
    const ::pid_t victim = ::fork();
    char byte = 0;
    if (victim == 0) {
      if (!harden_process()) ::_exit(1);
      (void)!::write(ready[1], "x", 1);
      (void)!::read(done[0], &byte, 1);
      ::_exit(0);
    }
    (void)!::read(ready[0], &byte, 1);
    std::array<char, 10> stolen{};
    const ::iovec here{.iov_base = stolen.data(), .iov_len = stolen.size()};
    const ::iovec there{.iov_base = target, .iov_len = sizeof target};
    const bool refused = ::process_vm_readv(victim, &here, 1, &there, 1, 0) < 0 && errno == EPERM;
    const std::string base = "/proc/" + std::to_string(victim);
    const bool closed =
        ::open((base + "/mem").c_str(), O_RDONLY) < 0 && ::open((base + "/environ").c_str(), O_RDONLY) < 0;
    (void)!::write(done[1], "x", 1);
    ::waitpid(victim, nullptr, 0);
    return refused && closed ? 0 : 3;
  });
  EXPECT_EQ(status, 0);
}

TEST(Process, TakesItsEnvironmentAndOverwritesIt) {
  // A program of its own, for /proc/PID/environ shows what the kernel put there at its start.
  const tests::TemporaryDirectory folder;
  const std::string out = folder / "out";
  ::setenv("VAULT_TOKEN", "hvs.canary-token", 1);
  ::setenv("SSLKEYLOGFILE", "/tmp/canary-keys", 1);
  ::setenv("HTTPS_PROXY", "http://user:canary@proxy", 1);
  ::setenv("TZ", "UTC", 1);
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  const int code =
      std::system((self + " --gtest_also_run_disabled_tests --gtest_filter=*ShowsItsEnvironment > " + out).c_str());
  for (const char* name : {"VAULT_TOKEN", "SSLKEYLOGFILE", "HTTPS_PROXY"}) ::unsetenv(name);
  EXPECT_EQ(code, 0) << tests::contents_of(out);
}

TEST(Process, DISABLED_ShowsItsEnvironment) {
  ASSERT_THAT(tests::contents_of("/proc/self/environ"), ::testing::HasSubstr("canary"));
  const Environment taken = take_environment();
  EXPECT_EQ(taken.at("VAULT_TOKEN").reveal(), "hvs.canary-token");
  EXPECT_EQ(taken.at("HTTPS_PROXY").reveal(), "http://user:canary@proxy");
  EXPECT_TRUE(Arena::contains(taken.at("VAULT_TOKEN").reveal().data()));
  for (const char* name : {"VAULT_TOKEN", "SSLKEYLOGFILE", "HTTPS_PROXY", "HOME"})
    EXPECT_EQ(std::getenv(name), nullptr);
  EXPECT_STREQ(std::getenv("TZ"), "UTC");
  EXPECT_NE(std::getenv("PATH"), nullptr);
  const std::string seen = tests::contents_of("/proc/self/environ");
  EXPECT_THAT(seen, ::testing::HasSubstr("TZ=UTC"));
  EXPECT_THAT(seen, ::testing::Not(::testing::HasSubstr("canary")));
  EXPECT_THAT(seen, ::testing::Not(::testing::HasSubstr("VAULT_TOKEN")));
}

}  // namespace
}  // namespace injector::memory
