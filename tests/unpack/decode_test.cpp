#include "scanner/unpack/decode.h"

#include <gtest/gtest.h>

#include "tests/support/compress.h"

namespace scanner::unpack {
namespace {

using base::Errc;
using tests::gzipped;
using tests::zstd;

struct Decoded {
  std::string text;
  std::optional<Errc> error;
};

/// All that comes, and how it ends. What an error was preceded by was given first.
Decoded decoded(Format format, std::string bytes, const Limits& limits = {}, std::size_t step = 1000) {
  Decoded result;
  const auto stream = decompress(format, std::make_unique<base::TextStream>(std::move(bytes)), limits);
  std::string buffer(step, '\0');
  for (;;) {
    const auto got = stream->read(buffer);
    if (!got) {
      result.error = got.error().code();
      EXPECT_FALSE(stream->read(buffer)) << "an error does not go away";
      return result;
    }
    if (*got == 0) return result;
    result.text.append(buffer, 0, *got);
  }
}

std::string sample(std::size_t size) {
  std::string text;
  for (std::uint32_t i = 1; text.size() < size; i = i * 1664525 + 1013904223)
    text += std::to_string(i % 97) + (i % 7 == 0 ? "\n" : " ");
  text.resize(size);
  return text;
}

class Decode : public ::testing::TestWithParam<Format> {
 protected:
  static std::string compressed(std::string_view text) {
    return GetParam() == Format::gzip ? gzipped(text) : zstd(text);
  }
};
INSTANTIATE_TEST_SUITE_P(Formats, Decode, ::testing::Values(Format::gzip, Format::zstd),
                         [](const auto& test) { return std::string(to_string(test.param)); });

TEST_P(Decode, GivesWhatWasCompressedInReadsOfAnySize) {
  for (const std::size_t size : {0U, 1U, 1000U, 300'000U}) {
    for (const std::size_t step : {1U, 7U, 4096U, 1'000'000U}) {
      if (step == 1 && size > 1000) continue;
      const Decoded result = decoded(GetParam(), compressed(sample(size)), {}, step);
      EXPECT_FALSE(result.error);
      EXPECT_EQ(result.text, sample(size));
    }
  }
}

TEST_P(Decode, ReadsOneMemberAfterAnother) {
  const Decoded result =
      decoded(GetParam(), compressed("one,") + compressed("") + compressed(sample(200'000)) + compressed("end"));
  EXPECT_FALSE(result.error);
  EXPECT_EQ(result.text, "one," + sample(200'000) + "end");
}

TEST_P(Decode, CallsEveryCutATruncation) {
  const std::string whole = compressed(sample(400));
  for (std::size_t at = 1; at < whole.size(); ++at) {
    const Decoded result = decoded(GetParam(), whole.substr(0, at));
    ASSERT_EQ(result.error, Errc::truncated) << "cut at " << at << " of " << whole.size();
    ASSERT_TRUE(sample(400).starts_with(result.text));
  }
}

TEST_P(Decode, CallsACutInALaterMemberATruncation) {
  const std::string second = compressed(sample(400));
  for (std::size_t at = 1; at < second.size(); ++at) {
    const Decoded result = decoded(GetParam(), compressed("first") + second.substr(0, at));
    ASSERT_EQ(result.error, Errc::truncated) << "cut at " << at << " of " << second.size();
    ASSERT_TRUE(result.text.starts_with("first"));
  }
}

TEST_P(Decode, RefusesAWrongChecksumAfterGivingTheContent) {
  std::string bytes = compressed(sample(400));
  bytes[bytes.size() - (GetParam() == Format::gzip ? 8 : 4)] ^= 1;
  const Decoded result = decoded(GetParam(), bytes);
  EXPECT_EQ(result.error, Errc::corrupt);
}

TEST_P(Decode, RefusesBytesThatFollow) {
  const Decoded result = decoded(GetParam(), compressed("text") + "password");
  EXPECT_EQ(result.error, Errc::corrupt);
  EXPECT_EQ(result.text, "text");
}

TEST_P(Decode, SurvivesDamageAnywhere) {
  const std::string whole = compressed(sample(2000));
  int refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 0x55);
    const Decoded result = decoded(GetParam(), bad);
    refused += result.error ? 1 : 0;
    EXPECT_TRUE(result.error || result.text == sample(2000)) << "wrong content without a word, damaged at " << at;
  }
  EXPECT_GT(refused, static_cast<int>(whole.size()) / 2);
}

TEST_P(Decode, StopsABomb) {
  const std::string zeros(80U << 20, '\0');
  const std::string bomb = compressed(zeros);
  Limits limits;
  limits.max_ratio = 100;
  const Decoded result = decoded(GetParam(), bomb, limits, 1U << 20);
  EXPECT_EQ(result.error, Errc::limit);
  EXPECT_GE(result.text.size(), 64U << 20);
  EXPECT_LE(result.text.size(), 68U << 20);
}

TEST_P(Decode, PassesAnErrorOfItsSourceOn) {
  class Breaking final : public base::Stream {
   public:
    base::Result<std::size_t> read(std::span<char>) override { return base::fail(Errc::io, "broken"); }
  };
  const auto stream = decompress(GetParam(), std::make_unique<Breaking>(), {});
  std::string buffer(10, '\0');
  const auto got = stream->read(buffer);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), Errc::io);
}

TEST(Gunzip, ToleratesZerosAfterTheLastMember) {
  for (const std::size_t zeros : {1U, 511U, 300'000U}) {
    const Decoded result = decoded(Format::gzip, gzipped("text") + std::string(zeros, '\0'));
    EXPECT_FALSE(result.error);
    EXPECT_EQ(result.text, "text");
  }
  EXPECT_EQ(decoded(Format::gzip, gzipped("text") + std::string(5, '\0') + "x").error, Errc::corrupt);
}

TEST(Gunzip, ReadsHeadersWithNamesAndComments) {
  std::string bytes = gzipped("text");
  const std::string plain_header = bytes.substr(0, 10);
  std::string header = plain_header;
  header[3] = 4 | 8 | 16;
  const std::string extra = std::string("\3\0", 2) + "abc";
  EXPECT_EQ(decoded(Format::gzip, header + extra + "name.txt" + '\0' + "comment" + '\0' + bytes.substr(10)).text,
            "text");
}

TEST(Gunzip, RefusesAWrongLength) {
  std::string bytes = gzipped(sample(400));
  bytes[bytes.size() - 1] ^= 1;
  EXPECT_EQ(decoded(Format::gzip, bytes).error, Errc::corrupt);
}

TEST(Unzstd, PassesOverSkippableFrames) {
  const std::string skippable = std::string("\x53\x2a\x4d\x18\x05\0\0\0", 8) + "12345";
  const Decoded result = decoded(Format::zstd, skippable + zstd("one,") + skippable + zstd("two") + skippable);
  EXPECT_FALSE(result.error);
  EXPECT_EQ(result.text, "one,two");
  EXPECT_EQ(decoded(Format::zstd, zstd("one") + skippable.substr(0, 10)).error, Errc::truncated);
}

TEST(Unzstd, RefusesFramesThatWantTooMuchHistory) {
  const std::string frame = zstd(sample(1000), 27);
  EXPECT_EQ(decoded(Format::zstd, frame).error, Errc::limit);
  Limits limits;
  limits.zstd_window_log = 27;
  EXPECT_EQ(decoded(Format::zstd, frame, limits).text, sample(1000));
}

}  // namespace
}  // namespace scanner::unpack
