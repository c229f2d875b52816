#include "scanner/unpack/sniff.h"

#include <gtest/gtest.h>

#include "tests/support/compress.h"
#include "tests/support/tar.h"

namespace scanner::unpack {
namespace {

TEST(Sniff, KnowsEachFormatByItsFirstBytes) {
  EXPECT_EQ(sniff(tests::gzipped("x")), Format::gzip);
  EXPECT_EQ(sniff(tests::zstd("x")), Format::zstd);
  EXPECT_EQ(sniff(std::string("\x50\x2a\x4d\x18\0\0\0\0", 8)), Format::zstd) << "a skippable frame";
  EXPECT_EQ(sniff(std::string("PK\3\4") + "..."), Format::zip);
  EXPECT_EQ(sniff(tests::tar_file("x", "1")), Format::tar);
  EXPECT_EQ(sniff(tests::tar_header({.name = "x", .dialect = tests::Dialect::v7})), Format::tar) << "no magic";
}

TEST(Sniff, TakesNothingElseForAFormat) {
  for (const std::string& text :
       {std::string(), std::string("x"), std::string("\x1f\x8b", 2), std::string("PK"), std::string(512, '\0'),
        std::string(512, ' '), std::string(1024, '0'), tests::tar_file("x", "1").substr(0, 511)}) {
    EXPECT_EQ(sniff(text), Format::plain);
  }
  std::string damaged = tests::tar_file("x", "1");
  damaged[0] = 'y';
  EXPECT_EQ(sniff(damaged), Format::plain);
}

}  // namespace
}  // namespace scanner::unpack
