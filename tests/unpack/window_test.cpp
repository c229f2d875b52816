#include "scanner/unpack/window.h"

#include <gtest/gtest.h>

#include "scanner/unpack/pieces.h"
#include "tests/unpack/reading.h"

namespace scanner::unpack {
namespace {

using base::Errc;

std::string numbered(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i) + ",";
  text.resize(size);
  return text;
}

/// Gives `text` and then an error.
class Breaking final : public base::Stream {
 public:
  explicit Breaking(std::string_view text) : rest_(text) {}
  base::Result<std::size_t> read(std::span<char> out) override {
    auto got = rest_.read(out);
    if (*got == 0) return base::fail(Errc::io, "broken");
    return got;
  }

 private:
  base::MemoryStream rest_;
};

TEST(StreamPieces, GiveTheWholeStreamWithTheRightRepeatsForEveryBufferAndOverlap) {
  for (std::size_t size = 0; size < 70; ++size) {
    const std::string text = numbered(size);
    for (std::size_t buffer = 2; buffer < 40; ++buffer) {
      for (std::size_t keep = 0; keep <= buffer / 2; ++keep) {
        SCOPED_TRACE(std::to_string(size) + " bytes, buffer " + std::to_string(buffer) + ", keep " +
                     std::to_string(keep));
        base::MemoryStream stream(text);
        std::vector<char> memory(buffer);
        Window window(stream, memory);
        StreamPieces pieces(window);
        const auto joined = join(pieces, keep);
        ASSERT_TRUE(joined);
        ASSERT_EQ(*joined, text);
      }
    }
  }
}

TEST(StreamPieces, RepeatAllOfAPieceThatWasShorterThanAskedForNow) {
  const std::string text = numbered(300);
  base::MemoryStream stream(text);
  std::vector<char> memory(16);
  Window window(stream, memory);
  StreamPieces pieces(window);
  std::uint64_t reached = 0;
  std::size_t before = 0;
  for (const std::size_t keep : {0U, 8U, 0U, 3U, 8U, 1U, 0U, 7U, 8U}) {
    const auto piece = pieces.next(keep);
    ASSERT_TRUE(piece);
    const std::size_t repeated = std::min(keep, before);
    ASSERT_EQ(piece->offset, reached - repeated);
    ASSERT_EQ(piece->bytes, std::string_view(text).substr(piece->offset, piece->bytes.size()));
    reached = piece->offset + piece->bytes.size();
    before = piece->bytes.size();
  }
}

TEST(StreamPieces, TellAnErrorAfterAllThatCameBeforeIt) {
  const std::string text = numbered(25);
  for (std::size_t buffer = 4; buffer < 40; ++buffer) {
    Breaking stream(text);
    std::vector<char> memory(buffer);
    Window window(stream, memory);
    StreamPieces pieces(window);
    std::uint64_t reached = 0;
    for (;;) {
      const auto piece = pieces.next(2);
      if (!piece) {
        EXPECT_EQ(piece.error().code(), Errc::io);
        break;
      }
      ASSERT_FALSE(piece->bytes.empty());
      ASSERT_FALSE(piece->ends);
      reached = piece->offset + piece->bytes.size();
    }
    EXPECT_EQ(reached, text.size()) << "buffer " << buffer;
  }
}

TEST(Window, ShowsAtLeastWhatIsAskedForUnlessTheStreamEnds) {
  const std::string text = numbered(50);
  base::MemoryStream stream(text);
  std::vector<char> memory(20);
  Window window(stream, memory);
  EXPECT_EQ(window.peek(10)->substr(0, 10), text.substr(0, 10));
  window.consume(15);
  EXPECT_EQ(window.peek(20)->substr(0, 20), text.substr(15, 20));
  window.consume(20);
  EXPECT_EQ(*window.peek(20), text.substr(35));
  EXPECT_EQ(window.position(), 35U);
}

TEST(Window, SkipsPastItsBufferAndCountsWhatWasThere) {
  const std::string text = numbered(100);
  base::MemoryStream stream(text);
  std::vector<char> memory(20);
  Window window(stream, memory);
  ASSERT_TRUE(window.peek(5));
  EXPECT_EQ(*window.skip(60), 60U);
  EXPECT_EQ(window.position(), 60U);
  EXPECT_EQ(window.peek(4)->substr(0, 4), text.substr(60, 4));
  EXPECT_EQ(*window.skip(1000), 40U);
  EXPECT_EQ(*window.skip(1), 0U);
  EXPECT_EQ(window.position(), 100U);
}

TEST(Window, TakesNoMoreThanTheLimit) {
  const std::string text = numbered(100);
  base::MemoryStream stream(text);
  std::vector<char> memory(32);
  Window window(stream, memory);
  EXPECT_EQ(*window.take(7, 0), text.substr(0, 7));
  window.consume(7);
  EXPECT_EQ(*window.take(5, 4), text.substr(3, 9));
}

}  // namespace
}  // namespace scanner::unpack
