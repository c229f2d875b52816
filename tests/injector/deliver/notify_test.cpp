#include "injector/deliver/notify.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "tests/support/temporary.h"

namespace injector::deliver {
namespace {

using namespace std::chrono_literals;
using scanner::base::Errc;
using ::testing::HasSubstr;

/// A process of some name that ends when it is signalled, and says by which signal. Its worker has the same name.
class Application {
 public:
  explicit Application(const char* name, uid_t user = 0) {
    ::pid_t own = ::fork();
    if (own == 0) {
      if (user != 0 && ::setresuid(user, user, user) != 0) ::_exit(99);
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::prctl(PR_SET_NAME, name);
      for (const int number : {SIGHUP, SIGUSR1, SIGUSR2}) std::signal(number, SIG_DFL);  // Under nohup one is ignored.
      if (::fork() == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) ::pause();
      }
      for (;;) ::pause();
    }
    id_ = own;
    while (tests::contents_of("/proc/" + std::to_string(id_) + "/comm") != std::string(name).substr(0, 15) + "\n") {
      std::this_thread::sleep_for(1ms);
    }
    std::this_thread::sleep_for(20ms);  // For its worker to start.
  }
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;
  ~Application() {
    if (id_ > 0) {
      ::kill(id_, SIGKILL);
      ::waitpid(id_, nullptr, 0);
    }
  }

  [[nodiscard]] pid_t id() const { return id_; }
  /// The signal that ended it.
  int ended_by() {
    int status = 0;
    ::waitpid(id_, &status, 0);
    id_ = -1;
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }
  [[nodiscard]] bool running() const { return ::waitpid(id_, nullptr, WNOHANG) == 0; }

 private:
  pid_t id_ = -1;
};

TEST(Notify, SignalsTheMasterOfItsName) {
  Application application("inj-test-app");
  const auto told = signal({SIGUSR1, "inj-test-app", ""});
  ASSERT_TRUE(told) << told.error().message();
  EXPECT_EQ(*told, 1U);
  EXPECT_EQ(application.ended_by(), SIGUSR1);
}

TEST(Notify, KnowsNamesThatTheKernelCutsOff) {
  Application application("inj-test-long-name-of-a-program");
  ASSERT_TRUE(signal({SIGHUP, "inj-test-long-name-of-a-program", ""}));
  EXPECT_EQ(application.ended_by(), SIGHUP);
}

TEST(Notify, SignalsByAPidFile) {
  Application application("inj-test-file");
  tests::TemporaryDirectory folder;
  ASSERT_TRUE(signal({SIGUSR2, "", folder.write("pid", std::to_string(application.id()) + "\n")}));
  EXPECT_EQ(application.ended_by(), SIGUSR2);
}

TEST(Notify, SaysWhenThereIsNobodyToTell) {
  const auto absent = signal({SIGHUP, "inj-no-such-process", ""});
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code(), Errc::missing);
  EXPECT_THAT(absent.error().message(), HasSubstr("share its process namespace"));
  tests::TemporaryDirectory folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  for (const auto& file :
       {folder / "absent", folder / "pipe", folder.write("words", "no number"), folder.write("zero", "0"),
        folder.write("minus", "-1"), folder.write("much", "99999999999999"), folder.write("empty", ""),
        folder.write("own", std::to_string(::getpid())), folder.write("dead", "4194303"), folder.path()}) {
    const auto told = signal({SIGKILL, "", file});
    ASSERT_FALSE(told) << file;
    EXPECT_EQ(told.error().code(), Errc::missing) << file;
  }
}

TEST(Notify, SaysWhenItMayNot) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to be two users";
  Application application("inj-test-other", 10001);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setresuid(10002, 10002, 10002) != 0) ::_exit(99);
    const auto told = signal({SIGTERM, "inj-test-other", ""});
    ::_exit(!told && told.error().code() == Errc::denied ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(application.running());
}

TEST(Notify, RunsAProgramWithNothingOfOurs) {
  tests::TemporaryDirectory folder;
  ::setenv("INJ_TEST_CANARY", "x", 1);
  ASSERT_EQ(::dup2(0, 77), 77);  // Not close-on-exec.
  const std::string script =
      folder.write("seen.sh",
                   "#!/bin/sh\n{ cat /proc/self/environ; pwd; echo \"$@\"; [ -e /proc/$$/fd/77 ] && "
                   "echo inherited; grep SigBlk /proc/self/status; readlink /proc/$$/fd/0; } > " +
                       folder / "out" + "\n");
  ::chmod(script.c_str(), 0755);
  sigset_t blocked;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
  const auto ran = run({{script, "two words", "$HOME;id"}}, 5s);
  ::sigprocmask(SIG_UNBLOCK, &blocked, nullptr);
  ASSERT_TRUE(ran) << ran.error().message();
  ::close(77);
  ::unsetenv("INJ_TEST_CANARY");
  const std::string out = tests::contents_of(folder / "out");
  EXPECT_THAT(out, ::testing::Not(HasSubstr("INJ_TEST_CANARY")));
  EXPECT_THAT(out, HasSubstr("/\ntwo words $HOME;id\nSigBlk:\t0000000000000000\n/dev/null\n"));
}

TEST(Notify, TellsHowAProgramEnded) {
  EXPECT_TRUE(run({{"/bin/true"}}, 5s));
  EXPECT_THAT(run({{"/bin/sh", "-c", "exit 3"}}, 5s).error().message(), HasSubstr("running /bin/sh: exited with 3"));
  EXPECT_THAT(run({{"/bin/sh", "-c", "kill -9 $$"}}, 5s).error().message(), HasSubstr("was killed by signal 9"));
  const auto absent = run({{"/no/such/program"}}, 5s);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code(), Errc::config);
}

TEST(Notify, KillsAProgramAndItsChildrenWhenTheTimeIsUp) {
  tests::TemporaryDirectory folder;
  const auto start = std::chrono::steady_clock::now();
  const auto late = run({{"/bin/sh", "-c", "sleep 2 && touch " + folder / "late" + " & sleep 60"}}, 200ms);
  ASSERT_FALSE(late);
  EXPECT_THAT(late.error().message(), HasSubstr("took longer than 200 ms"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
  std::this_thread::sleep_for(2500ms);
  EXPECT_FALSE(std::filesystem::exists(folder / "late"));
}

}  // namespace
}  // namespace injector::deliver
