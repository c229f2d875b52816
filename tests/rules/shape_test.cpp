#include <gtest/gtest.h>

#include <string>

#include "scanner/rules/lint.h"

namespace scanner::rules {
namespace {

RegexShape shape(std::string_view regex) {
  auto result = shape_of(regex);
  EXPECT_TRUE(result) << regex << ": " << result.error().message();
  return result ? *result : RegexShape{};
}

struct LiteralRow {
  const char* regex;
  const char* literal;
  std::size_t literals;
};

class Literal : public testing::TestWithParam<LiteralRow> {};

TEST_P(Literal, IsTheWeakestTextThatAMatchCannotDoWithout) {
  const RegexShape got = shape(GetParam().regex);
  EXPECT_EQ(got.literal, GetParam().literal) << GetParam().regex;
  EXPECT_EQ(got.literals, GetParam().literals) << GetParam().regex;
}

INSTANTIATE_TEST_SUITE_P(
    Shape, Literal,
    testing::Values(LiteralRow{R"(\b(acme_[0-9A-Za-z]{36})\b)", "acme_", 1},
                    LiteralRow{R"((?i)AcMe[a-z]{3}longer)", "longer", 1}, LiteralRow{R"([aA][c]m(?:e))", "acme", 1},
                    LiteralRow{R"([0-9a-f]{40})", "", 0}, LiteralRow{R"(foo|barbaz)", "foo", 2},
                    LiteralRow{R"(foo|[a-z]{9})", "", 0}, LiteralRow{R"(x(?:foo|ba)[a-z]{5})", "xba", 2},
                    LiteralRow{R"(gh[pousr]_[0-9A-Za-z]{36})", "gho_", 5},
                    LiteralRow{R"((?:[a-z]{9}one|[a-z]{9}three))", "one", 2},
                    LiteralRow{R"((?:[a-z]{9}same|[0-9]{9}same))", "same", 1},
                    LiteralRow{R"((?:secret)?[a-z]{4}key)", "key", 1}, LiteralRow{R"((?:ab){3}[a-z]{12})", "ababab", 1},
                    LiteralRow{R"((?:ab){2,9}c)", "ababc", 1}, LiteralRow{R"([a-z]{9}xy+z)", "xy", 1},
                    LiteralRow{R"(a\x{2019}b)",
                               "a\xe2\x80\x99"
                               "b",
                               1},
                    LiteralRow{R"(\Qa.b\E.)", "a.b", 1}, LiteralRow{R"(key(?:)id)", "keyid", 1},
                    LiteralRow{R"(a{0}bc)", "bc", 1}, LiteralRow{R"((?:|x)yz)", "yz", 2}));

struct RunRow {
  const char* regex;
  Run word;
  Run token;
};

class SureRun : public testing::TestWithParam<RunRow> {};

TEST_P(SureRun, IsTheLongestThatEveryMatchHolds) {
  const Runs runs = shape(GetParam().regex).runs;
  EXPECT_EQ(runs[0], GetParam().word) << GetParam().regex;
  EXPECT_EQ(runs[1], GetParam().token) << GetParam().regex;
}

INSTANTIATE_TEST_SUITE_P(Shape, SureRun,
                         testing::Values(RunRow{R"(\b(acme_[0-9A-Za-z]{36})\b)", {41, 0, 0}, {41, 0, 0}},
                                         RunRow{R"(key[=:]{1,3}([0-9a-f]{32})[;"])", {32, 6, 1}, {32, 6, 1}},
                                         RunRow{R"(:([0-9A-Za-z+/]{40});)", {}, {40, 1, 1}},
                                         RunRow{R"((?:ab|[c-f]{5,9}):x{7}[^x])", {7, 10, 1}, {7, 10, 1}},
                                         RunRow{R"((?:[a-z]{4}\.){3}end)", {4, 0, 14}, {18, 0, 0}},
                                         RunRow{R"((?:[a-z]{4}\.){2,3}end)", {4, 0, 14}, {13, 0, 0}},
                                         RunRow{R"(x{3,}!)", {3, 0, 1}, {3, 0, 1}}, RunRow{R"(.{0,5}a{9}.*)", {}, {}},
                                         RunRow{R"((?:a{30}|.b{20}..))", {20, 1, 2}, {20, 1, 2}},
                                         RunRow{R"((?:a{30})?!)", {}, {}}));

TEST(Shape, BoundsTheWidthOfAMatch) {
  EXPECT_EQ(shape("a{2,5}(?:bc|d)?").min_width, 2U);
  EXPECT_EQ(shape("a{2,5}(?:bc|d)?").max_width, 7U);
  EXPECT_EQ(shape("ab+").max_width, RegexShape::kNoLimit);
  EXPECT_EQ(shape("(?:a{3,})?b").max_width, RegexShape::kNoLimit);
  EXPECT_EQ(shape(R"(^$|\b)").min_width, 0U);
}

TEST(Shape, DoesNotOverflowOnNestedRepeats) {
  const std::string thousand = "{1000}";
  EXPECT_EQ(shape("(?:(?:(?:(?:(?:(?:(?:a{1000})" + thousand + ")" + thousand + ")" + thousand + ")" + thousand + ")" +
                  thousand + ")" + thousand + ")" + thousand)
                .max_width,
            RegexShape::kNoLimit);
}

TEST(Shape, KnowsWhatEndsAToken) {
  for (const char* regex :
       {R"(([a-z]{9})\b)", R"(([a-z]{9})(?:[^0-9A-Za-z_-]|$))", R"(([a-z]{9})\z)", "([a-z]{9})END",
        R"(([a-z]{9})(?:['"\s;]|\\[nr]|$))", "([a-z]{9}={1,2})", R"(([a-z]{9})[\s"])", R"((?:([a-z]{9})\b))"}) {
    EXPECT_TRUE(shape(regex).terminated) << regex;
  }
  for (const char* regex : {"acme_([a-z]{9})", "([a-z]{9}={0,2})", R"(([a-z]{9})\bx?)", "(?:a[a-z]|b$)", "acme([a-z])",
                            R"(([a-z]{9})(?:[^a]|$))"}) {
    EXPECT_FALSE(shape(regex).terminated) << regex;
  }
}

TEST(Shape, KnowsAPartInFrontThatMayBeEmpty) {
  for (const char* regex :
       {R"([\w.-]{0,50}?acme)", R"(\b[a-z]*acme)", "(?:x|y?)acme", "(?:|x)acme", "(a?)b", ".*acme"}) {
    EXPECT_TRUE(shape(regex).leading_optional) << regex;
  }
  for (const char* regex : {"acme", R"(\bacme)", "(?:^|[^a-z])acme", "(?i)acme.{0,20}", "(acme|emca)x?", "a{1,3}b"}) {
    EXPECT_FALSE(shape(regex).leading_optional) << regex;
  }
}

TEST(Shape, CountsGroups) { EXPECT_EQ(shape("(a)(?:b)(?P<c>d)").groups, 2U); }

TEST(Shape, GivesTheBytePositionOfAMistake) {
  const auto result = shape_of("acme(?!x)");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), base::Errc::config);
  EXPECT_EQ(result.error().message(), "look-around does not exist here, at byte 4");
}

}  // namespace
}  // namespace scanner::rules
