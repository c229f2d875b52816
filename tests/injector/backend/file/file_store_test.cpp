#include "injector/backend/file/file_store.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "tests/support/temporary.h"

namespace injector::backend::file {
namespace {

using scanner::base::Errc;
using scanner::base::Ok;
using scanner::base::Result;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

class Files : public ::testing::Test {
 protected:
  Files() { std::filesystem::permissions(directory_.path(), std::filesystem::perms::owner_all); }

  FileStore& store() {
    if (store_ == nullptr) store_ = std::move(*FileStore::create({"files", directory_.path()}));
    return *store_;
  }
  /// Replaces a file as one should: a new one, renamed.
  void put(const std::string& name, const std::string& content, mode_t mode = 0600) {
    const std::string path = directory_ / name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path + ".new") << content;
    ::chmod((path + ".new").c_str(), mode);
    std::filesystem::rename(path + ".new", path);
  }
  static Query query(const std::string& text) {
    Query out;
    const auto hash = text.find('#');
    out.path = text.substr(0, hash);
    if (hash != std::string::npos) out.key = text.substr(hash + 1);
    return out;
  }
  template <typename T>
  T run(boost::asio::awaitable<T> task) {
    std::optional<T> result;
    const auto runner = [&]() -> boost::asio::awaitable<void> { result.emplace(co_await std::move(task)); };
    boost::asio::co_spawn(loop_, runner(), boost::asio::detached);
    loop_.restart();
    loop_.run();
    return *std::move(result);
  }
  Result<Reading> read(const std::string& text) { return run(store().read(query(text))); }
  bool changed(const std::string& text, const std::string& version) {
    return *run(store().changed(query(text), version));
  }
  /// How long changes() waits when `act` happens 50 ms after its begin; nothing when `limit` passes first.
  std::optional<milliseconds> wait_while(const std::function<void()>& act, milliseconds limit = milliseconds(3000)) {
    FileStore& asked = store();
    std::optional<Ok> ended;
    boost::asio::cancellation_signal stop;
    const auto waiter = [&]() -> boost::asio::awaitable<void> {
      auto changes = co_await asked.changes();
      ended.emplace(std::move(changes));
    };
    const auto begin = std::chrono::steady_clock::now();
    boost::asio::co_spawn(loop_, waiter(), boost::asio::bind_cancellation_slot(stop.slot(), boost::asio::detached));
    boost::asio::steady_timer first(loop_, milliseconds(50));
    first.async_wait([&](auto) { act(); });
    boost::asio::steady_timer last(loop_, limit);
    last.async_wait([&](auto error) {
      if (!error) stop.emit(boost::asio::cancellation_type::terminal);
    });
    loop_.restart();
    while (!ended && loop_.run_one() > 0) {
    }
    last.cancel();
    first.cancel();
    loop_.run();
    if (!*ended) return std::nullopt;
    return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
  }

  tests::TemporaryDirectory directory_;
  boost::asio::io_context loop_;
  std::unique_ptr<FileStore> store_;
};

TEST_F(Files, GiveWholeValuesAndMembers) {
  put("plain", "value\n");
  put("db/main", R"({"user":"u","port":5432})");
  EXPECT_EQ(read("plain")->document.reveal(), "value\n");
  const auto reading = read("db/main#port");
  ASSERT_TRUE(reading);
  ASSERT_EQ(reading->members.size(), 2U);
  EXPECT_EQ(reading->members[1].value.reveal(), "5432");
  EXPECT_EQ(read("db/main#none").error().code(), Errc::missing);
  EXPECT_EQ(read("plain#key").error().code(), Errc::missing);
  EXPECT_EQ(read("none").error().code(), Errc::missing);
  EXPECT_EQ(read("plain/below").error().code(), Errc::missing);
}

TEST_F(Files, GiveBinaryAndEmptyValuesUnchanged) {
  const std::string binary("\0\xFF\n{\0", 5);
  put("binary", binary);
  put("empty", "");
  EXPECT_EQ(read("binary")->document.reveal(), binary);
  EXPECT_TRUE(read("empty")->document.empty());
}

TEST_F(Files, AreRefusedWhenOthersMayReadThem) {
  for (const mode_t mode : {0640U, 0604U, 0610U, 0602U, 0666U}) {
    put("a", "v", mode);
    EXPECT_EQ(read("a").error().code(), Errc::denied) << std::oct << mode;
  }
  put("a", "v", 0400);
  EXPECT_TRUE(read("a"));
  for (const mode_t mode : {0750U, 0701U, 0755U, 01777U}) {
    ::chmod(directory_.path().c_str(), mode);
    const auto reading = read("a");
    EXPECT_EQ(reading.error().code(), Errc::denied) << std::oct << mode;
    EXPECT_THAT(reading.error().message(), HasSubstr(directory_.path()));
  }
}

TEST_F(Files, NeverLeadOutOfTheDirectory) {
  const tests::TemporaryDirectory outside;
  outside.write("secret", "outside");
  ::chmod((outside / "secret").c_str(), 0600);
  std::filesystem::create_symlink(outside / "secret", directory_ / "absolute");
  std::filesystem::create_symlink("../../../../../.." + (outside / "secret"), directory_ / "relative");
  std::filesystem::create_directory_symlink(outside.path(), directory_ / "folder");
  std::filesystem::create_symlink("/proc/self/environ", directory_ / "magic");
  std::filesystem::create_symlink("loop", directory_ / "loop");
  for (const char* path : {"absolute", "relative", "folder/secret", "magic", "loop"}) {
    EXPECT_EQ(read(path).error().code(), Errc::config) << path;
  }
  for (const char* path : {"", "/etc/passwd", "../x", "a/../b", "./a", "a//b", "a/", ".."}) {
    EXPECT_EQ(read(path).error().code(), Errc::config) << path;
  }
  EXPECT_EQ(read(std::string("a\0b", 3)).error().code(), Errc::config);
}

TEST_F(Files, MayBeLinksWithinTheDirectory) {
  put("..gen-1/a", "1");
  put("..gen-2/a", "2");
  std::filesystem::create_directory_symlink("..gen-1", directory_ / "..data");
  std::filesystem::create_symlink("..data/a", directory_ / "a");
  const auto first = read("a");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->document.reveal(), "1");
  const auto waited = wait_while([&] {
    std::filesystem::create_directory_symlink("..gen-2", directory_ / "..data_tmp");
    std::filesystem::rename(directory_ / "..data_tmp", directory_ / "..data");
  });
  EXPECT_TRUE(waited);
  EXPECT_TRUE(changed("a", first->version));
  EXPECT_EQ(read("a")->document.reveal(), "2");
}

TEST_F(Files, AreRefusedWhenTheyAreNoFiles) {
  std::filesystem::create_directory(directory_ / "folder");
  ASSERT_EQ(::mkfifo((directory_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(read("folder").error().code(), Errc::config);
  EXPECT_EQ(read("pipe").error().code(), Errc::config);
}

TEST_F(Files, HaveALimitOfSize) {
  put("largest", std::string(1UL << 20, 'x'));
  put("larger", std::string((1UL << 20) + 1, 'x'));
  EXPECT_EQ(read("largest")->document.size(), 1UL << 20);
  EXPECT_EQ(read("larger").error().code(), Errc::limit);
}

TEST_F(Files, OfAnotherOwnerAreRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: another owner's file";
  put("a", "v");
  ASSERT_EQ(::chown((directory_ / "a").c_str(), 12345, 12345), 0);
  ASSERT_EQ(::chown(directory_.path().c_str(), 23456, 23456), 0);
  ASSERT_EQ(::seteuid(23456), 0);
  const auto reading = read("a");
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_EQ(reading.error().code(), Errc::denied);
}

TEST_F(Files, HaveVersionsThatTellContentsApartAndNothingElse) {
  put("a", "1");
  put("b", "1");
  const std::string version = read("a")->version;
  EXPECT_EQ(version.size(), 32U);
  EXPECT_EQ(read("b")->version, version);
  EXPECT_FALSE(changed("a", version));
  put("a", "2");
  EXPECT_TRUE(changed("a", version));
  put("a", "1");
  EXPECT_FALSE(changed("a", version));
  const auto another = std::move(*FileStore::create({"files", directory_.path()}));
  const Query asked = query("a");
  EXPECT_NE(run(another->read(asked))->version, version) << "a version must not be a plain hash of the value";
}

TEST_F(Files, TellOfChangesWithinAFractionOfASecond) {
  put("a", "1");
  put("db/b", "1");
  const std::vector<std::pair<const char*, std::function<void()>>> changes = {
      {"replaced", [&] { put("a", "2"); }},
      {"replaced below", [&] { put("db/b", "2"); }},
      {"written in place", [&] { std::ofstream(directory_ / "a") << "3"; }},
      {"removed", [&] { std::filesystem::remove(directory_ / "a"); }},
      {"mode", [&] { ::chmod((directory_ / "db/b").c_str(), 0400); }},
      {"in a new folder", [&] { put("new/deep/c", "1"); }},
  };
  for (const auto& [name, change] : changes) {
    const auto waited = wait_while(change);
    ASSERT_TRUE(waited) << name;
    EXPECT_LT(*waited, milliseconds(500)) << name;
  }
  EXPECT_TRUE(wait_while([&] { put("new/deep/c", "2"); })) << "a folder that came later is not watched";
}

TEST_F(Files, AreQuietWhenNothingChanges) {
  put("a", "1");
  (void)store();
  EXPECT_FALSE(wait_while([&] { (void)tests::contents_of(directory_ / "a"); }, milliseconds(1500)));
}

TEST_F(Files, TellOfWhatChangedBetweenTwoWaits) {
  put("a", "1");
  (void)store();
  put("a", "2");
  const auto waited = wait_while([] {});
  ASSERT_TRUE(waited);
  EXPECT_LT(*waited, milliseconds(300));
}

TEST_F(Files, TellOfManyChangesAsOne) {
  for (int i = 0; i < 100; ++i) put("f" + std::to_string(i), "1");
  (void)store();
  int wakes = 0;
  while (wait_while([] {}, milliseconds(400))) ++wakes;
  wakes = 0;
  for (int i = 0; i < 100; ++i) put("f" + std::to_string(i), "2");
  while (wait_while([] {}, milliseconds(400))) ++wakes;
  EXPECT_EQ(wakes, 1);
}

TEST_F(Files, AreFoundAgainWhenTheWholeDirectoryIsReplaced) {
  const std::string path = directory_ / "store";
  const auto make = [&](const std::string& where, const char* value) {
    std::filesystem::create_directory(where);
    std::filesystem::permissions(where, std::filesystem::perms::owner_all);
    std::ofstream(where + "/a") << value;
    ::chmod((where + "/a").c_str(), 0600);
  };
  make(path, "1");
  store_ = std::move(*FileStore::create({"files", path}));
  const std::string version = read("a")->version;
  EXPECT_TRUE(wait_while([&] {
    make(path + ".new", "2");
    std::filesystem::rename(path, path + ".old");
    std::filesystem::rename(path + ".new", path);
  }));
  EXPECT_TRUE(changed("a", version));

  std::filesystem::remove_all(path);
  EXPECT_EQ(read("a").error().code(), Errc::missing);
  (void)wait_while([] {}, milliseconds(300));
  EXPECT_TRUE(wait_while([&] { make(path, "3"); }));
  EXPECT_EQ(read("a")->document.reveal(), "3");
  EXPECT_TRUE(wait_while([&] { std::ofstream(path + "/a") << "4"; })) << "the new directory is not watched";
}

TEST_F(Files, AreOldOrNewWhileTheyAreReplaced) {
  const std::string one(40'000, '1');
  const std::string two(70'000, '2');
  put("a", one);
  (void)store();
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) put("a", i % 2 == 0 ? two : one);
  });
  int seen = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto reading = read("a");
    ASSERT_TRUE(reading) << reading.error().message();
    const std::string_view content = reading->document.reveal();
    ASSERT_TRUE(content == one || content == two);
    seen |= content == one ? 1 : 2;
  }
  stop = true;
  writer.join();
  EXPECT_EQ(seen, 3);
}

TEST_F(Files, RefuseQuestionsThatMakeNoSense) {
  put("a", "1");
  Query write = query("a");
  write.write = true;
  Query version = query("a");
  version.version = "1";
  Query stage = query("a");
  stage.stage = "AWSCURRENT";
  for (const Query& wrong : {write, version, stage}) EXPECT_EQ(run(store().read(wrong)).error().code(), Errc::config);
  EXPECT_EQ(FileStore::create({"files", "relative"}).error().code(), Errc::config);
}

TEST_F(Files, AreCheckedWithoutBeingRead) {
  put("a", "1");
  put("open", "1", 0644);
  const std::vector<Query> queries = {query("a"), query("open"), query("none")};
  const auto checks = run(store().check(queries));
  ASSERT_EQ(checks.size(), 4U);
  EXPECT_EQ(checks[0].state, Check::State::passed);
  EXPECT_EQ(checks[1].state, Check::State::passed);
  EXPECT_EQ(checks[2].state, Check::State::failed);
  EXPECT_THAT(checks[2].detail, HasSubstr("chmod"));
  EXPECT_EQ(checks[3].state, Check::State::failed);
}

}  // namespace
}  // namespace injector::backend::file
