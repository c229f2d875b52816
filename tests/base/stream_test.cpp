#include "scanner/base/stream.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "tests/support/temporary.h"

namespace scanner::base {
namespace {

/// Gives `text`, then an error.
class BreakingStream final : public Stream {
 public:
  explicit BreakingStream(std::string_view text) : rest_(text) {}
  Result<std::size_t> read(std::span<char> out) override {
    auto got = rest_.read(out);
    if (*got == 0) return fail(Errc::io, "the cable was pulled");
    return got;
  }

 private:
  MemoryStream rest_;
};

std::string read_all(Stream& stream) {
  auto text = read_up_to(stream, 1U << 24);
  return text ? *text : "error: " + text.error().message();
}

TEST(FdStream, FillsTheWholeRequestFromAPipeThatGivesLittleAtATime) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  std::thread writer([fd = ends[1]] {
    for (const char c : std::string_view("secret")) EXPECT_EQ(::write(fd, &c, 1), 1);
    ::close(fd);
  });
  FdStream stream(Fd{ends[0]}, "pipe");
  std::array<char, 4> buffer{};
  EXPECT_EQ(*stream.read(buffer), 4U);
  EXPECT_EQ(*stream.read(buffer), 2U);
  EXPECT_EQ(*stream.read(buffer), 0U);
  writer.join();
}

TEST(FdStream, SaysWhyADirectoryCannotBeRead) {
  const tests::TemporaryDirectory directory;
  FdStream stream(directory.open(), "folder");
  std::array<char, 4> buffer{};
  const auto got = stream.read(buffer);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), Errc::io);
  EXPECT_TRUE(got.error().message().starts_with("folder: "));
}

TEST(RangeStream, ReadsItsPartOfAFileAndNoMore) {
  const Fd fd = tests::file_with("0123456789");
  RangeStream stream(fd.get(), 2, 5, "file");
  EXPECT_EQ(read_all(stream), "23456");
}

TEST(RangeStream, GivesWhatThereIsBeforeItSaysThatTheFileIsTooShort) {
  const Fd fd = tests::file_with("0123456789");
  RangeStream stream(fd.get(), 7, 100, "file");
  std::array<char, 50> buffer{};
  EXPECT_EQ(*stream.read(buffer), 3U);
  const auto after = stream.read(buffer);
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code(), Errc::truncated);
}

TEST(RangeStream, SkipsWithinItsPart) {
  const Fd fd = tests::file_with("0123456789");
  RangeStream stream(fd.get(), 2, 5, "file");
  EXPECT_EQ(*stream.skip(3), 3U);
  EXPECT_EQ(*stream.skip(100), 2U);
  EXPECT_EQ(read_all(stream), "");
}

TEST(PrefixedStream, GivesThePrefixThenTheRest) {
  for (std::size_t step = 1; step < 12; ++step) {
    PrefixedStream stream("0123", std::make_unique<TextStream>("456789"));
    std::string all;
    std::string buffer(step, '\0');
    for (;;) {
      const auto got = stream.read(buffer);
      ASSERT_TRUE(got);
      if (*got == 0) break;
      all.append(buffer, 0, *got);
    }
    EXPECT_EQ(all, "0123456789");
  }
}

TEST(PrefixedStream, TellsAnErrorOfTheRestAfterThePrefix) {
  PrefixedStream stream("0123", std::make_unique<BreakingStream>(""));
  std::array<char, 8> buffer{};
  EXPECT_EQ(*stream.read(buffer), 4U);
  EXPECT_FALSE(stream.read(buffer));
  EXPECT_FALSE(stream.read(buffer));
}

TEST(Stream, SkipsByReadingAndSaysHowMuchThereWas) {
  TextStream stream(std::string(100'000, 'x'));
  EXPECT_EQ(*stream.skip(70'000), 70'000U);
  EXPECT_EQ(*stream.skip(70'000), 30'000U);
}

TEST(ReadUpTo, LeavesTheRestInTheStream) {
  TextStream stream(std::string(70'000, 'a') + "b");
  EXPECT_EQ(read_up_to(stream, 70'000)->size(), 70'000U);
  EXPECT_EQ(read_all(stream), "b");
}

TEST(ReadUpTo, PassesAnErrorOn) {
  BreakingStream stream("abc");
  const auto text = read_up_to(stream, 10);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code(), Errc::io);
}

}  // namespace
}  // namespace scanner::base
