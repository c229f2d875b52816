#include "scanner/source/files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <map>

#include "tests/support/temporary.h"

namespace scanner::source {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

struct Seen {
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> names;   ///< Kind file_name: text by path.
  std::map<std::string, std::string> links;   ///< Targets by path.
  std::map<std::string, std::string> texts;   ///< Others by field.
  std::map<std::string, std::string> failed;  ///< Messages by path.
  std::vector<Skipped> skipped;
};

Seen read(Source& source) {
  Seen seen;
  for (;;) {
    auto unit = source.next();
    EXPECT_TRUE(unit);
    if (!unit || !*unit) break;
    for (Item& item : **unit) {
      auto text = base::read_up_to(*item.data, 16U << 20);
      if (!text) {
        seen.failed[item.entry.path] = text.error().message();
      } else if (item.role == Item::Role::content) {
        seen.files[item.entry.path] = *text;
      } else if (item.entry.kind == Kind::file_name) {
        seen.names[item.entry.path] = *text;
      } else if (item.entry.kind == Kind::symlink_target) {
        seen.links[item.entry.path] = *text;
      } else {
        seen.texts[item.entry.field] = *text;
      }
    }
  }
  seen.skipped = source.describe({}).skipped;
  return seen;
}

std::vector<Root> roots(base::Fd fd, std::string name) {
  std::vector<Root> all;
  all.push_back({std::move(fd), std::move(name)});
  return all;
}

Seen read_directory(const tests::TemporaryDirectory& directory, const std::string& name = "root") {
  return read(*files_in(roots(directory.open(), name)));
}

TEST(FilesIn, GiveEveryFileBelowARootUnderTheNameThatTheUserGaveIt) {
  const tests::TemporaryDirectory directory;
  directory.write("a", "1");
  directory.write("b/c/d", "2");
  directory.write("b/e f\xff", "3");
  const Seen seen = read_directory(directory, "some/root//");
  EXPECT_THAT(seen.files,
              ElementsAre(Pair("some/root/a", "1"), Pair("some/root/b/c/d", "2"), Pair("some/root/b/e f\xff", "3")));
  EXPECT_THAT(seen.names, ElementsAre(Key("some/root/b"), Key("some/root/b/c")));
  EXPECT_THAT(seen.skipped, IsEmpty());
  EXPECT_THAT(read_directory(directory, ".").files, Contains(Key("b/c/d")));
}

TEST(FilesIn, GiveMoreFilesThanOneUnitHolds) {
  const tests::TemporaryDirectory directory;
  for (int i = 0; i < 300; ++i)
    directory.write("d" + std::to_string(i % 7) + "/f" + std::to_string(i), std::to_string(i));
  const Seen seen = read_directory(directory);
  EXPECT_EQ(seen.files.size(), 300U);
  EXPECT_EQ(seen.files.at("root/d5/f299"), "299");
}

TEST(FilesIn, GiveSymlinksByTheirTargetsAndFollowNone) {
  const tests::TemporaryDirectory directory;
  directory.write("d/f", "1");
  for (const auto& [target, name] : {std::pair("..", "d/loop"), std::pair("/etc/passwd", "outside"),
                                     std::pair("d", "inside"), std::pair("nowhere", "broken")}) {
    ASSERT_EQ(::symlink(target, (directory / name).c_str()), 0);
  }
  const Seen seen = read_directory(directory);
  EXPECT_THAT(seen.files, ElementsAre(Pair("root/d/f", "1")));
  EXPECT_THAT(seen.links, ElementsAre(Pair("root/broken", "nowhere"), Pair("root/d/loop", ".."),
                                      Pair("root/inside", "d"), Pair("root/outside", "/etc/passwd")));
  EXPECT_THAT(seen.skipped, IsEmpty());
}

TEST(FilesIn, DoNotWaitForFifosAndSockets) {
  const tests::TemporaryDirectory directory;
  directory.write("f", "1");
  ASSERT_EQ(::mkfifo((directory / "fifo").c_str(), 0600), 0);
  const Seen seen = read_directory(directory);
  EXPECT_THAT(seen.files, ElementsAre(Key("root/f")));
}

TEST(FilesIn, SayWhichFileCannotBeReadAndGoOn) {
  if (::geteuid() == 0) GTEST_SKIP() << "nothing is unreadable for root";
  const tests::TemporaryDirectory directory;
  directory.write("good", "1");
  ::chmod(directory.write("bad", "2").c_str(), 0);
  directory.write("folder/f", "3");
  ::chmod((directory / "folder").c_str(), 0);
  const Seen seen = read_directory(directory);
  ::chmod((directory / "folder").c_str(), 0700);
  EXPECT_THAT(seen.files, ElementsAre(Key("root/good")));
  EXPECT_THAT(seen.failed, Contains(Key("root/bad")));
  ASSERT_EQ(seen.skipped.size(), 1U);
  EXPECT_EQ(seen.skipped[0].place, "root/folder");
}

TEST(FilesIn, SayWhichFileIsGoneOrSomethingElseBeforeItsTurn) {
  const tests::TemporaryDirectory directory;
  directory.write("gone", "1");
  directory.write("link", "2");
  directory.write("secret", "outside");
  auto source = files_in(roots(directory.open(), "root"));
  auto unit = source->next();
  ASSERT_TRUE(unit && *unit);
  std::filesystem::remove(directory / "gone");
  std::filesystem::remove(directory / "link");
  ASSERT_EQ(::symlink("secret", (directory / "link").c_str()), 0);
  for (Item& item : **unit) {
    const auto text = base::read_up_to(*item.data, 100);
    EXPECT_EQ(static_cast<bool>(text), item.entry.path == "root/secret") << item.entry.path;
  }
}

TEST(FilesIn, ReadAFileThatShrinksToItsNewEnd) {
  const tests::TemporaryDirectory directory;
  const std::string path = directory.write("f", std::string(1000, 'x'));
  auto source = files_in(roots(directory.open(), "root"));
  auto unit = source->next();
  ASSERT_TRUE(unit && *unit);
  ASSERT_EQ(::truncate(path.c_str(), 10), 0);
  EXPECT_EQ(base::read_up_to(*(**unit)[0].data, 5000)->size(), 10U);
}

TEST(FilesIn, TakeASingleFileForARoot) {
  const tests::TemporaryDirectory directory;
  const std::string path = directory.write("f", "1");
  std::vector<Root> both = roots(*base::open_for_reading(path), "f");
  both.push_back({directory.open(), "d"});
  EXPECT_THAT(read(*files_in(std::move(both))).files, ElementsAre(Pair("d/f", "1"), Pair("f", "1")));
}

TEST(FilesIn, LeaveOutProcAndSayIt) {
  const Seen seen = read(*files_in(roots(base::Fd(::open("/proc", O_RDONLY | O_DIRECTORY)), "/proc")));
  EXPECT_THAT(seen.files, IsEmpty());
  ASSERT_EQ(seen.skipped.size(), 1U);
  EXPECT_EQ(seen.skipped[0].reason, SkipReason::excluded);
  EXPECT_EQ(seen.skipped[0].place, "/proc");
}

TEST(StreamOf, GivesOneFileOnce) {
  const Seen seen = read(*stream_of(std::make_unique<base::TextStream>("text"), "stdin"));
  EXPECT_THAT(seen.files, ElementsAre(Pair("stdin", "text")));
}

/// A child that waits, with one planted variable and nothing else in its environment.
class Child {
 public:
  Child() {
    pid_ = ::fork();
    if (pid_ == 0) {
      const char* const arguments[] = {"sleep", "60", nullptr};
      const char* const variables[] = {"PLANTED=acme_value=1", "EMPTY=", "bare", nullptr};
      ::execve("/bin/sleep", const_cast<char* const*>(arguments), const_cast<char* const*>(variables));
      ::_exit(1);
    }
    // Until it has become the other program, its environment is ours.
    for (int i = 0; i < 1000 && tests::contents_of("/proc/" + std::to_string(pid_) + "/environ").find("PLANTED=") ==
                                    std::string::npos;
         ++i)
      ::usleep(5000);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] int pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

TEST(EnvironmentsOf, GiveTheVariablesThatAProcessWasStartedWith) {
  const Child child;
  const Seen seen = read(*environments_of({.all = false, .pids = {child.pid()}}));
  EXPECT_THAT(seen.texts,
              ElementsAre(Pair("EMPTY", "EMPTY="), Pair("PLANTED", "PLANTED=acme_value=1"), Pair("bare", "bare")));
  EXPECT_THAT(seen.skipped, IsEmpty());
}

TEST(EnvironmentsOf, NameTheProcess) {
  const Child child;
  auto source = environments_of({.all = false, .pids = {child.pid()}});
  auto unit = source->next();
  ASSERT_TRUE(unit && *unit);
  EXPECT_EQ((**unit)[0].entry.path, "process " + std::to_string(child.pid()) + " (sleep)");
  EXPECT_EQ((**unit)[0].entry.kind, Kind::env);
}

TEST(EnvironmentsOf, GiveThoseOfAllProcesses) {
  const Child child;
  EXPECT_THAT(read(*environments_of({.all = true, .pids = {}})).texts,
              Contains(Pair("PLANTED", "PLANTED=acme_value=1")));
}

TEST(EnvironmentsOf, AreThisProcesssWhenNoneIsNamed) {
  auto source = environments_of({});
  auto unit = source->next();
  ASSERT_TRUE(unit && *unit);
  EXPECT_THAT((**unit)[0].entry.path, HasSubstr("process " + std::to_string(::getpid()) + " "));
}

TEST(EnvironmentsOf, SayThatAProcessIsNotThere) {
  const Seen seen = read(*environments_of({.all = false, .pids = {999'999'999}}));
  ASSERT_EQ(seen.skipped.size(), 1U);
  EXPECT_EQ(seen.skipped[0].reason, SkipReason::unreadable);
}

}  // namespace
}  // namespace scanner::source
