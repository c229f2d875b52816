#include "scanner/rules/regex.h"

#include <gtest/gtest.h>

#include <string>

namespace scanner::rules {
namespace {

std::string translated(std::string_view regex) {
  const auto parsed = parse_regex(regex);
  return parsed ? parsed->text : "error: " + parsed.error().message();
}

struct Row {
  const char* written;
  const char* expected;
};

class Translates : public testing::TestWithParam<Row> {};

TEST_P(Translates, GoSyntaxIntoWhatBothEnginesRead) { EXPECT_EQ(translated(GetParam().written), GetParam().expected); }

TEST_P(Translates, ItsOwnOutputIntoItself) { EXPECT_EQ(translated(GetParam().expected), GetParam().expected); }

INSTANTIATE_TEST_SUITE_P(Regex, Translates,
                         testing::Values(Row{R"(\b(acme_[0-9A-Za-z]{36})\b)", R"(\b(acme_[0-9A-Za-z]{36})\b)"},
                                         Row{R"((?P<key>a)(?<other>b))", R"((?P<key>a)(?P<other>b))"},
                                         Row{R"((?i)a(?-i:B)(?s:.)(?m)^b$\z)", R"((?i)a(?-i:B)(?s:.)(?m)^b$\z)"},
                                         Row{R"((?im-s:a))", R"((?im-s:a))"},
                                         Row{R"([[:alnum:]][[:^space:]_])", R"([[:alnum:]][[:^space:]_])"},
                                         Row{R"(a*?b+?c??d{2,3}?e{4,}?)", R"(a*?b+?c??d{2,3}?e{4,}?)"},
                                         Row{R"(a{,5}b{x}c{01}{)", R"(a\{,5\}b\{x\}c\{01\}\{)"},
                                         Row{R"(\Qa.b*\E+\Q)", R"(a\.b\*+)"}, Row{R"(\Q(|)\E|x)", R"(\(\|\)|x)"},
                                         Row{R"([\w-.]+[a-])", R"([\w\-.]+[a\-])"},
                                         Row{R"([]a][^]a][[a])", R"([\]a][^\]a][\[a])"},
                                         Row{R"(\v\a\x41\101\0)", R"(\x0b\x07AA\x00)"},
                                         Row{R"(\x{2019}?\x{e9}\xE9)", R"((?:\xe2\x80\x99)?\xe9\xe9)"},
                                         Row{"\xc3\xa9{2}\xc3\xa9", R"((?:\xc3\xa9){2}\xc3\xa9)"},
                                         Row{R"(\pL+[\p{Nd}_]\P{^N})", R"([A-Za-z\x80-\xff]+[0-9_][0-9])"},
                                         Row{R"(\PL)", R"([\x00-@\[-`{-\x7f])"},
                                         Row{R"(\_\/\"\'\@\-]})", R"(_/"'@-\]\})"}, Row{"a\nb\t", R"(a\nb\t)"},
                                         Row{R"([\x{7f}\n"'])", R"([\x7f\n"'])"}, Row{R"((|a)())", R"((|a)())"}));

struct Refused {
  const char* regex;
  const char* message;
};

class Refuses : public testing::TestWithParam<Refused> {};

TEST_P(Refuses, WhatIsNotOfTheDialectAndSaysWhere) {
  EXPECT_EQ(translated(GetParam().regex), std::string("error: ") + GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Regex, Refuses,
    testing::Values(
        Refused{"ab(?=c)", "look-around does not exist here, at byte 2"},
        Refused{"(?<!a)b", "look-around does not exist here, at byte 0"},
        Refused{"(?>a)", "atomic groups do not exist here, at byte 0"},
        Refused{"(?#a)", "a kind of group that does not exist here, at byte 0"},
        Refused{"(?|a)", "a kind of group that does not exist here, at byte 0"},
        Refused{R"((a)\1)", "back-references do not exist here, at byte 3"},
        Refused{R"((?P<a>x)(?P=a))", "back-references and recursion do not exist here, at byte 8"},
        Refused{"a(?U)b", "the flag U does not exist here, at byte 3"},
        Refused{"(?x) a", "the flag x does not exist here, at byte 2"},
        Refused{R"(\C)", R"(the escape \C does not exist here, at byte 0)"},
        Refused{R"(a\Z)", R"(\Z does not exist here, \z does, at byte 1)"},
        Refused{R"(\h)", R"(the escape \h does not exist here, at byte 0)"},
        Refused{R"([\b])", R"(the escape \b does not exist here, at byte 1)"},
        Refused{"a*+", "a repeat of a repeat (possessive repeats do not exist here), at byte 2"},
        Refused{"a{2}{3}", "a repeat of a repeat (possessive repeats do not exist here), at byte 4"},
        Refused{"*a", "nothing that can be repeated, at byte 0"},
        Refused{"a|+", "nothing that can be repeated, at byte 2"},
        Refused{R"(\b*)", "nothing that can be repeated, at byte 2"},
        Refused{"(?i)*", "nothing that can be repeated, at byte 4"},
        Refused{"{2}", "nothing that can be repeated, at byte 0"},
        Refused{"a{3,2}", "a repeat whose bounds are reversed, at byte 1"},
        Refused{"a{99999}", "a repeat of more than 30000, at byte 1"},
        Refused{"a{1,99999999999}", "a repeat of more than 30000, at byte 1"},
        Refused{"(a", "a group without its ), at byte 0"}, Refused{"a)b", "a ) without its (, at byte 1"},
        Refused{"[a", "a [ without its ], at byte 0"}, Refused{"[z-a]", "a range whose ends are reversed, at byte 1"},
        Refused{R"([a-\d])", R"(the escape \d does not exist here, at byte 3)"},
        Refused{"[[:alnumm:]]", "a class [:name:] of an unknown name, at byte 1"},
        Refused{R"([\x{2019}])",
                R"(a class holds bytes: write a character beyond \xff as a choice, (?:a|b), at byte 1)"},
        Refused{"[\xc3\xa9]", "a class holds bytes: write a character beyond ASCII as a choice, (?:a|b), at byte 1"},
        Refused{R"([^\s\S])", "a class that no byte is in, at byte 0"},
        Refused{R"(\p{Greek})", R"(of \p there are L, Lu, Ll, N, Nd, P, S, Z, Zs, C and Cc here, at byte 0)"},
        Refused{R"(\x{110000})",
                R"(\x is followed by two hex digits, or by a character's number in braces, at byte 0)"},
        Refused{R"(\xg0)", R"(\x is followed by two hex digits, or by a character's number in braces, at byte 0)"},
        Refused{R"(a\)", R"(a \ at the end, at byte 1)"},
        Refused{"(?P<1>a)", "a group name is made of up to 32 letters, digits and _, no digit in front, at byte 4"},
        Refused{"(?P<a>b)(?P<a>c)", "a group name that is taken, at byte 12"}));

TEST(Regex, CountsCapturingGroupsAlone) {
  const auto parsed = parse_regex(R"((a)(?:b)(?P<n>c(d))(?i:e))");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->groups, 3U);
}

TEST(Regex, RefusesNestingThatWouldExhaustTheStack) {
  const std::string deep(7'000, '(');
  EXPECT_EQ(translated(deep + "a" + std::string(7'000, ')')), "error: groups nest deeper than 200, at byte 200");
}

TEST(Regex, RefusesMoreThanTheEnginesTake) {
  EXPECT_EQ(translated(std::string(16'001, 'a')), "error: longer than 16000 bytes");
}

TEST(Regex, SurvivesEveryPrefixOfEveryRegex) {
  for (const std::string_view whole :
       {R"((?P<key>[[:alnum:]\x{7f}-\xff]{2,3}?)|\Q*\E\p{Lu}(?i-s:[^]a-z]))", R"(\x{2019}\101[\d\-a]{3,}(?:a|b)+)"}) {
    for (std::size_t length = 0; length <= whole.size(); ++length) {
      const auto parsed = parse_regex(whole.substr(0, length));
      if (parsed) {
        EXPECT_EQ(translated(parsed->text), parsed->text) << whole.substr(0, length);
      }
    }
  }
}

}  // namespace
}  // namespace scanner::rules
