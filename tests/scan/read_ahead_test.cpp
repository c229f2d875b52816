#include "scanner/scan/read_ahead.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>

namespace scanner::scan {
namespace {

using base::Errc;

char byte_at(std::uint64_t offset) { return static_cast<char>(offset * 2654435761U >> 13); }

/// `size` bytes that tell their place, then the end or an error.
class Numbered final : public base::Stream {
 public:
  Numbered(std::uint64_t size, bool breaks, std::atomic<std::uint64_t>* given = nullptr)
      : size_(size), breaks_(breaks), given_(given) {}

  base::Result<std::size_t> read(std::span<char> out) override {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - at_));
    if (n == 0 && breaks_) return base::fail(Errc::io, "broken");
    for (std::size_t i = 0; i < n; ++i) out[i] = byte_at(at_ + i);
    at_ += n;
    if (given_ != nullptr) *given_ = at_;
    return n;
  }

 private:
  std::uint64_t size_;
  bool breaks_;
  std::atomic<std::uint64_t>* given_;
  std::uint64_t at_ = 0;
};

/// Reads to the end in reads of random sizes; how many bytes came, all of them right, and how it ended.
std::pair<std::uint64_t, bool> read_all(base::Stream& stream, std::size_t most) {
  std::mt19937 random(1);
  std::string buffer(most, '\0');
  for (std::uint64_t at = 0;;) {
    const auto got = stream.read(std::span(buffer).first(1 + random() % most));
    if (!got) return {at, false};
    if (*got == 0) return {at, true};
    for (std::size_t i = 0; i < *got; ++i, ++at) {
      if (buffer[i] != byte_at(at)) {
        ADD_FAILURE() << "wrong byte at " << at;
        return {at, false};
      }
    }
  }
}

TEST(ReadAhead, GivesEveryByteInOrder) {
  constexpr std::uint64_t kBlock = ReadAhead::kBlockBytes;
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{1}, kBlock - 1, kBlock, kBlock + 1, 4 * kBlock, 11 * kBlock + 7}) {
    for (const std::size_t most : {1000U, 300'000U, 3'000'000U}) {
      ReadAhead stream(std::make_unique<Numbered>(size, false));
      EXPECT_EQ(read_all(stream, most), std::pair(size, true));
    }
  }
}

TEST(ReadAhead, TellsAnErrorAfterAllThatCameBeforeItAndAgain) {
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{5}, std::uint64_t{3'000'000}}) {
    ReadAhead stream(std::make_unique<Numbered>(size, true));
    EXPECT_EQ(read_all(stream, 100'000), std::pair(size, false));
    std::string buffer(10, '\0');
    ASSERT_FALSE(stream.read(buffer));
    EXPECT_EQ(stream.read(buffer).error().code(), Errc::io);
  }
}

TEST(ReadAhead, EndsWithItsReaderWhereverThatStops) {
  for (int round = 0; round < 50; ++round) {
    ReadAhead stream(std::make_unique<Numbered>(1ULL << 40, false));
    std::string buffer(static_cast<std::size_t>(round) * 20'000, '\0');
    EXPECT_EQ(*stream.read(buffer), buffer.size());
  }
}

TEST(ReadAhead, RunsNoFurtherAheadThanItsBlocks) {
  std::atomic<std::uint64_t> given{0};
  {
    ReadAhead stream(std::make_unique<Numbered>(1ULL << 40, false, &given));
    std::string buffer(1, '\0');
    ASSERT_TRUE(stream.read(buffer));
  }
  EXPECT_LE(given, ReadAhead::kBlocks * ReadAhead::kBlockBytes);
  EXPECT_GT(given, 0U);
}

TEST(ReadAhead, MayReadFromAnother) {
  ReadAhead stream(std::make_unique<ReadAhead>(std::make_unique<Numbered>(5'000'000, false)));
  EXPECT_EQ(read_all(stream, 70'000), std::pair(std::uint64_t{5'000'000}, true));
}

}  // namespace
}  // namespace scanner::scan
