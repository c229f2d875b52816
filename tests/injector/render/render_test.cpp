#include "injector/render/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "scanner/base/hash.h"
#include "scanner/base/json.h"
#include "tests/injector/render/readings.h"
#include "tests/support/temporary.h"

namespace injector::render {
namespace {

using scanner::base::Errc;
using ::testing::HasSubstr;
using ::testing::Not;
using tests::file_of;
using tests::reading;
using tests::reading_of;

using Values = std::map<std::string, std::string>;

std::string rendered(const FileSpec& file, const Reading& answer) {
  const Reading* readings[] = {&answer};
  const auto out = render(file, readings);
  return out ? std::string(out->contents.reveal()) : "error: " + out.error().message();
}

std::string rendered(Format format, const Values& values, const std::string& key = "") {
  return rendered(file_of(format, key), reading(values));
}

TEST(Render, GivesRawValuesAsTheyAre) {
  const std::string bytes("a\0b\xff\n", 5);
  EXPECT_EQ(rendered(Format::raw, {{"k", bytes}, {"other", "x"}}, "k"), bytes);
  EXPECT_EQ(rendered(file_of(Format::raw), reading_of(bytes)), bytes);
  EXPECT_EQ(rendered(Format::raw, {{"k", ""}}, "k"), "");
}

TEST(Render, GivesJsonThatIsTheSameForEqualValues) {
  EXPECT_EQ(rendered(file_of(Format::json), reading_of(R"({ "b" : [1, {"z":null,"a":true}],"a":"x" })")),
            R"({"a":"x","b":[1,{"a":true,"z":null}]})");
  EXPECT_EQ(rendered(file_of(Format::json, "b"), reading_of(R"({"b": {"d": 1.5, "c": "\u00e9"}})")),
            R"({"c":"é","d":1.5})");
  EXPECT_EQ(rendered(file_of(Format::json), reading_of("plain \"text\"\n")), R"("plain \"text\"\n")");
  EXPECT_EQ(rendered(file_of(Format::json), reading_of("17")), R"("17")");
  EXPECT_EQ(rendered(file_of(Format::json), reading_of("[1, 2]")), "[1,2]");
  EXPECT_THAT(rendered(file_of(Format::json), reading_of("\xff\xfe")), HasSubstr("file: the value is no UTF-8 text"));
}

TEST(Render, WritesDotenvThatLooksAsPeopleWriteIt) {
  EXPECT_EQ(rendered(Format::dotenv, {{"B", "two words"}, {"A", "1"}, {"C", "it's"}, {"D", "it's $5"}, {"E", ""}}),
            "A='1'\nB='two words'\nC=\"it's\"\nD='it'\\''s $5'\nE=''\n");
  EXPECT_EQ(rendered(Format::dotenv, {{"A", "C:\\temp"}, {"B", "C:\\"}, {"C", "a\\\\b"}}),
            "A='C:\\temp'\nB='C:'\\\\''\nC=\"a\\\\\\\\b\"\n");
  EXPECT_EQ(rendered(Format::dotenv, {{"A", "1"}, {"B", "2"}}, "B"), "B='2'\n");
}

TEST(Render, SaysWhichKeyAFormatCannotHold) {
  static constexpr const char* kCanary = "s3cr3t-canary";
  const std::string canary = kCanary;
  const auto said = [&](Format format, const Values& values) {
    const std::string message = rendered(format, values);
    EXPECT_THAT(message, Not(HasSubstr(canary)));
    return message;
  };
  EXPECT_THAT(said(Format::dotenv, {{"db-password", canary}}),
              HasSubstr("error: file: key \"db-password\" is no name"));
  EXPECT_THAT(said(Format::dotenv, {{"1A", canary}}), HasSubstr("is no name"));
  EXPECT_THAT(said(Format::dotenv, {{"A", canary + std::string("\0x", 2)}}), HasSubstr("key \"A\" holds a NUL"));
  EXPECT_THAT(said(Format::properties, {{"A", canary + "\xc0\xaf"}}), HasSubstr("key \"A\" is no UTF-8"));
  EXPECT_THAT(said(Format::pem, {{"A", canary}}), HasSubstr("the value holds no PEM"));
  EXPECT_THAT(said(Format::pem, {{"A", "-----BEGIN X-----\n" + canary + "\n-----END X-----"}}),
              HasSubstr("key \"A\" holds a damaged"));
  EXPECT_THAT(said(Format::pem, {{"A", "-----BEGIN X-----\n" + canary}}),
              HasSubstr("key \"A\" holds a PEM block without its end"));
  EXPECT_THAT(rendered(file_of(Format::dotenv), reading_of(canary)), HasSubstr("the value has no keys"));
  EXPECT_THAT(rendered(file_of(Format::yaml), reading_of(canary + "\xff")), HasSubstr("no UTF-8"));
  EXPECT_THAT(said(Format::dotenv, {{"a\x1b[31m", canary}}), HasSubstr("(a key that cannot be shown)"));
}

TEST(Render, TakesTheFirstSourceThatHasTheKey) {
  FileSpec file = file_of(Format::raw, "k");
  file.from = {file.from[0], file.from[0], file.from[0]};
  const Reading without = reading({{"other", "0"}});
  const Reading second = reading({{"k", "2"}});
  const Reading third = reading({{"k", "3"}});
  const auto take = [&](std::vector<const Reading*> readings) {
    const auto out = render(file, readings);
    return out ? std::string(out->contents.reveal()) + "@" + std::to_string(out->used) : out.error().message();
  };
  EXPECT_EQ(take({&third, &second, nullptr}), "3@0");
  EXPECT_EQ(take({nullptr, &second, &third}), "2@1");
  EXPECT_EQ(take({&without, nullptr, &third}), "3@2");
  EXPECT_EQ(take({nullptr, nullptr, nullptr}), "file: none of its stores has answered");
  EXPECT_EQ(take({&without, nullptr, nullptr}), "file: there is no key \"k\"");
}

/// Values that have broken writers of such files before, and mixtures of their parts.
std::vector<Values> hostile() {
  std::vector<Values> out;
  static const std::vector<std::string> kParts = {
      "",     " ",    "  ",    "\n",         "\t",      "\f",     "\v",       "'",          "\"",
      "`",    "$",    "$HOME", "${HOME}",    "$(id)",   "`id`",   "\\",       "\\\\",       "\\n",
      "\\'",  "\\\"", "\\$",   "#",          " #",      "=",      ":",        "!",          "!!",
      "%",    "&",    "*",     "|",          ">",       "-",      "- ",       "? ",         "---",
      "...",  "[",    "]",     "{",          "}",       ",",      "@",        "~",          "null",
      "true", "no",   "1e3",   "0x1f",       "0o17",    "1_000",  "12:30:00", "2026-11-24", "<<",
      "é",    "ß",    "日本",  "😀",         "\u2028",  "\u0085", "\ufeff",   "\u00a0",     "\x7f",
      "\x1b", "\x01", "A=B",   "export X=1", "\\u0041", "\\",     "a",        "pass word",  "\xef\xbf\xbe"};
  for (std::size_t i = 0; i < kParts.size(); ++i) {
    out.push_back({{"A", kParts[i]},
                   {"B", "x" + kParts[i] + "y"},
                   {"C", kParts[i] + kParts[i]},
                   {"D", kParts[i] + "\n" + kParts[(i * 7 + 3) % kParts.size()]}});
  }
  std::mt19937 random(4);
  for (int i = 0; i < 150; ++i) {
    Values values;
    for (const char* name : {"A", "b_2", "_C", "Zz"}) {
      std::string value;
      for (auto n = random() % 12; n > 0; --n) value += kParts[random() % kParts.size()];
      values[name] = value;
    }
    out.push_back(values);
  }
  out.push_back({{"LONG", std::string(100'000, 'x') + "\n'\\"}});
  out.push_back({{"CR", "a\rb\r\nc"}});
  return out;
}

TEST(Render, IsReadBackByteForByteByTheProgramsThatReadIt) {
  if (std::system("/usr/bin/python3 -c 'import dotenv, javaproperties, yaml' 2>/dev/null") != 0) {
    GTEST_SKIP() << "SKIPPED: needs python3-dotenv, python3-javaproperties, python3-yaml";
  }
  tests::TemporaryDirectory folder;
  std::size_t number = 0;
  const auto put = [&](const Values& values, std::initializer_list<std::pair<Format, const char*>> formats) {
    const std::string name = std::to_string(number++);
    scanner::base::Json expected = scanner::base::Json::object();
    for (const auto& [key, value] : values) expected[key] = scanner::base::hex(value);
    folder.write(name + ".values", expected.dump());
    for (const auto& [format, suffix] : formats) folder.write(name + suffix, rendered(format, values));
  };
  for (const auto& values : hostile()) {
    put(values, {{Format::dotenv, ".env"}, {Format::properties, ".properties"}, {Format::yaml, ".yaml"}});
  }
  std::string bytes;
  for (int byte = 1; byte < 256; ++byte) bytes += static_cast<char>(byte);
  // Environment variables hold any byte but NUL.
  put({{"BYTES", bytes}, {"MORE", bytes + bytes}, {"ODD", "\xff'\\$\xc0"}}, {{Format::dotenv, ".env"}});
  // And the other two any key.
  put({{"", "empty"},
       {"a b", "1"},
       {"a=b:c", "2"},
       {"#x", "3"},
       {"!x", "4"},
       {"ключ", "5"},
       {"<<", "6"},
       {"x\ny", "7"},
       {"\\", "8"},
       {std::string("n\0l", 3), std::string("\0", 1)},
       {"null", "9"},
       {"1", "10"},
       {std::string(3000, 'k'), "long"},
       {"😀", "\U0010ffff"}},
      {{Format::properties, ".properties"}, {Format::yaml, ".yaml"}});
  for (
      const char* nested :
      {R"({"n":1,"big":9007199254740993,"neg":-7,"f":1.5,"e":1e3,"E":-2.5E-7,"z":0,"t":true,"null":null,"o":{},"l":[],"deep":{"a":[{"b":"x: y"},[1,"2",null]]},"s":"1"})",
       R"({"a":{"<<":{"x":1},"":"","- ":"\u2028\ud83d\ude00"}})", R"({})"}) {
    const std::string name = std::to_string(number++);
    folder.write(name + ".nested.json", nested);
    folder.write(name + ".yaml", rendered(file_of(Format::yaml), reading_of(nested)));
  }
  EXPECT_EQ(
      std::system(("/usr/bin/python3 " PROJECT_ROOT "/tests/injector/render/readers.py " + folder.path()).c_str()), 0);
}

}  // namespace
}  // namespace injector::render
