#include "scanner/report/harmless.h"

#include <gtest/gtest.h>

#include <string>

namespace scanner::report {
namespace {

using namespace std::string_literals;

unsigned columns(const std::string& text) {
  unsigned sum = 0;
  for (const Glyph& glyph : glyphs(text, Charset::utf8)) sum += glyph.columns;
  return sum;
}

TEST(Harmless, LeavesOrdinaryTextAlone) {
  EXPECT_EQ(harmless("größe = \"密码\" std::move(#x) ## title", Charset::utf8),
            "größe = \"密码\" std::move(#x) ## title");
}

TEST(Harmless, EscapesControlCharacters) {
  EXPECT_EQ(harmless("a\x1b[2J\0b\r\n\t\x7f"s, Charset::utf8), R"(a\x1b[2J\x00b\r\n\t\x7f)");
  EXPECT_EQ(harmless("\xc2\x9b"s, Charset::utf8), "\\u009b");
}

TEST(Harmless, EscapesWhatIsInvisibleOrReorders) {
  EXPECT_EQ(harmless("\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8b\xef\xbb\xbf\xc2\xad", Charset::utf8),
            R"(\u202e\u2066\u200b\ufeff\u00ad)");
  EXPECT_EQ(harmless("\xf3\xa0\x81\x81", Charset::utf8), "\\U000e0041");
  EXPECT_EQ(harmless("e\xcc\x81", Charset::utf8), "e\\u0301");
}

TEST(Harmless, EscapesBytesThatAreNoUtf8) {
  EXPECT_EQ(harmless("\xff \xc0\x80 \xed\xa0\x80 \xe5\xaf \xf5\x80\x80\x80", Charset::utf8),
            R"(\xff \xc0\x80 \xed\xa0\x80 \xe5\xaf \xf5\x80\x80\x80)");
}

TEST(Harmless, EscapesAllButAsciiForAnAsciiReader) {
  EXPECT_EQ(harmless("é密\xf0\x9f\x98\x80", Charset::ascii), "\\u00e9\\u5bc6\\U0001f600");
}

TEST(Harmless, TakesTheStartFromWorkflowCommands) {
  EXPECT_EQ(harmless("::error::x", Charset::utf8), "\\x3a:error::x");
  EXPECT_EQ(harmless("a ::error", Charset::utf8), "a \\x3a:error");
  EXPECT_EQ(harmless("\xc2\xa0::error", Charset::utf8), "\xc2\xa0\\x3a:error");
  EXPECT_EQ(harmless("##vso[task.x]", Charset::utf8), "\\x23#vso[task.x]");
  EXPECT_EQ(harmless("a##[group]", Charset::utf8), "a\\x23#[group]");
  EXPECT_EQ(harmless("##vso", Charset::utf8), "\\x23#vso");
}

TEST(Harmless, CountsTheColumnsThatATerminalNeeds) {
  EXPECT_EQ(columns("abc"), 3U);
  EXPECT_EQ(columns("é"), 1U);
  EXPECT_EQ(columns("密码"), 4U);
  EXPECT_EQ(columns("\xf0\x9f\x98\x80"), 2U);
  EXPECT_EQ(columns("\xff"), 4U);
}

TEST(Harmless, TellsUtf8FromOtherBytes) {
  EXPECT_TRUE(is_utf8("größe \xf0\x9f\x98\x80"));
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));
  EXPECT_FALSE(is_utf8("\xc3"));
}

TEST(Harmless, CountsUtf16Units) {
  EXPECT_EQ(utf16_units("aé密"), 3U);
  EXPECT_EQ(utf16_units("\xf0\x9f\x98\x80"), 2U);
  EXPECT_EQ(utf16_units("\xff\xff"), 2U);
}

}  // namespace
}  // namespace scanner::report
