#include "injector/memory/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "injector/memory/arena.h"
#include "injector/memory/text.h"

namespace injector::memory {
namespace {

using scanner::base::Errc;
using ::testing::ElementsAre;

Document parsed(std::string_view text) {
  auto document = Document::parse(Secret::copy_of(text));
  EXPECT_TRUE(document) << text;
  return *std::move(document);
}

Errc refusal(std::string_view text) {
  auto document = Document::parse(Secret::copy_of(text));
  EXPECT_FALSE(document) << text;
  return document ? Errc::io : document.error().code();
}

std::string again(std::string_view text) { return std::string(parsed(text).root().text().reveal()); }

TEST(Document, GivesWhatStandsInIt) {
  const Document document =
      parsed(R"( {"data": {"user": "app", "n": 5, "x": 1.5, "on": true, "off": false, "none": null},
                                        "list": ["a", {"b": [1, 2]}, 3]} )");
  const auto root = document.root();
  EXPECT_EQ(root["data"]["user"].string(), "app");
  EXPECT_EQ(root["data"]["n"].integer(), 5);
  EXPECT_EQ(root["data"]["n"].number(), 5.0);
  EXPECT_EQ(root["data"]["x"].number(), 1.5);
  EXPECT_EQ(root["data"]["x"].integer(), std::nullopt);
  EXPECT_EQ(root["data"]["on"].boolean(), true);
  EXPECT_EQ(root["data"]["off"].boolean(), false);
  EXPECT_TRUE(root["data"]["none"].is_null());
  EXPECT_EQ(root["data"].size(), 6U);
  EXPECT_EQ(root["list"].size(), 3U);
  EXPECT_EQ(root["list"].at(1)["b"].at(1).integer(), 2);
  EXPECT_EQ(root["list"].at(2).integer(), 3);
}

TEST(Document, AnswersNothingWhereThereIsNothing) {
  const Document document = parsed(R"({"a": "text"})");
  const auto root = document.root();
  EXPECT_FALSE(root["b"].exists());
  EXPECT_FALSE(root["b"]["c"]["d"].exists());
  EXPECT_FALSE(root["a"]["c"].exists());
  EXPECT_FALSE(root.at(0).exists());
  EXPECT_FALSE(root["b"].is_null());
  EXPECT_EQ(root["a"].integer(), std::nullopt);
  EXPECT_EQ(root["b"].string(), "");
  EXPECT_EQ(root["b"].text().size(), 0U);
  EXPECT_EQ(root["a"].size(), 0U);
}

TEST(Document, UnescapesInPlace) {
  EXPECT_EQ(parsed(R"(["a\"\\\/\b\f\n\r\tz"])").root().at(0).string(), "a\"\\/\b\f\n\r\tz");
  EXPECT_EQ(parsed(R"(["\u0041\u00e4\u20ac\ud83d\ude00"])").root().at(0).string(),
            "A\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
  EXPECT_EQ(parsed(R"(["x\u0000y"])").root().at(0).string(), std::string_view("x\0y", 3));
  EXPECT_EQ(parsed("[\"\xE2\x82\xAC\"]").root().at(0).string(), "\xE2\x82\xAC");
}

TEST(Document, OfEqualNamesTheLastOneCounts) {
  const Document document = parsed(R"({"a": 1, "b": {"x": [1, 2]}, "a": [7, 8], "c": 3, "b": 2, "a": 9})");
  EXPECT_EQ(document.root().size(), 3U);
  EXPECT_EQ(document.root()["a"].integer(), 9);
  EXPECT_EQ(document.root()["b"].integer(), 2);
  std::vector<std::string> names;
  for (const auto& [name, value] : document.root().members()) names.emplace_back(name);
  EXPECT_THAT(names, ElementsAre("c", "b", "a"));
  EXPECT_EQ(std::string(document.root().text().reveal()), R"({"a":9,"b":2,"c":3})");
}

TEST(Document, WritesSortedAndCompactText) {
  EXPECT_EQ(again(R"( { "b" : [ 1 , {} , [] , "x\ny" ] , "a" : null , "" : true } )"),
            R"({"":true,"a":null,"b":[1,{},[],"x\ny"]})");
  EXPECT_EQ(again("\"\\u0001\\u001f\\/\xC3\xA4\""), "\"\\u0001\\u001f/\xC3\xA4\"");
}

TEST(Document, KeepsNumbersAsTheyAreWritten) {
  for (const std::string_view number : {"0", "-0", "123456789012345678901234567890", "9223372036854775807",
                                        "-9223372036854775808", "0.10", "1e400", "1E-7"}) {
    EXPECT_EQ(again(number), number);
  }
  EXPECT_EQ(parsed("9223372036854775807").root().integer(), INT64_MAX);
  EXPECT_EQ(parsed("-9223372036854775808").root().integer(), INT64_MIN);
  EXPECT_EQ(parsed("9223372036854775808").root().integer(), std::nullopt);
  EXPECT_DOUBLE_EQ(parsed("123456789012345678901234567890").root().number().value_or(0),
                   123456789012345678901234567890.0);
  EXPECT_TRUE(std::isinf(parsed("1e400").root().number().value_or(0)));
  EXPECT_EQ(parsed("-1e-400").root().number(), 0.0);
}

TEST(Document, RefusesWhatIsNoJson) {
  for (const std::string_view text : {"",
                                      " ",
                                      "{",
                                      "}",
                                      "[",
                                      "[1",
                                      "[1,]",
                                      "[,1]",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{\"a\":1,}",
                                      "{a:1}",
                                      "{1:1}",
                                      "{\"a\" 1}",
                                      "01",
                                      "-",
                                      "1.",
                                      ".5",
                                      "1e",
                                      "+1",
                                      "0x1",
                                      "NaN",
                                      "tru",
                                      "nul",
                                      "truee",
                                      "\"",
                                      "\"a",
                                      "\"\\x\"",
                                      "\"\\u12\"",
                                      "\"\\u12g4\"",
                                      "\"\\u+123\"",
                                      "\"\\ud800\"",
                                      "\"\\udc00\"",
                                      "\"\\ud800\\u0041\"",
                                      "\"\\",
                                      "\"\t\"",
                                      "'a'",
                                      "1 2",
                                      "{} {}",
                                      "[1]x",
                                      "\xEF\xBB\xBF{}",
                                      "\"\x80\"",
                                      "\"\xC0\x80\"",
                                      "\"\xED\xA0\x80\"",
                                      "\"\xF4\x90\x80\x80\"",
                                      "\"\xE2\x82\"",
                                      "[1 2]",
                                      "<html>",
                                      "//c\n1"}) {
    EXPECT_EQ(refusal(text), Errc::corrupt) << text;
  }
}

TEST(Document, RefusesWhatIsTooDeepAndNamesTheByte) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(again(nested(64)), nested(64));
  const auto deep = Document::parse(Secret::copy_of(nested(65)));
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().code(), Errc::limit);
  EXPECT_EQ(deep.error().message(), "JSON nested deeper than 64 at byte 64");
  EXPECT_EQ(refusal(std::string(1'000'000, '[')), Errc::limit);
}

TEST(Document, SaysWhereItBreaksAndNothingElse) {
  const auto broken = Document::parse(Secret::copy_of(R"({"password": "hunter2-canary" oops})"));
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().message(), "not valid JSON at byte 30");
}

TEST(Document, LivesInTheArenaAndLeavesNothingThere) {
  const std::size_t before = Arena::status().used_bytes;
  {
    const Document document = parsed(R"({"a": "some\u0020value", "b": [1, 2, 3]})");
    EXPECT_TRUE(Arena::contains(document.root()["a"].string().data()));
    EXPECT_TRUE(Arena::contains(document.root().members().front().first.data()));
    const Secret text = document.root().text();
    EXPECT_TRUE(Arena::contains(text.reveal().data()));
    EXPECT_GT(Arena::status().used_bytes, before);
  }
  EXPECT_EQ(Arena::status().used_bytes, before);
}

TEST(Document, TakesLittleMoreThanItsText) {
  std::string text = "[{}";
  for (int i = 0; i < 100'000; ++i) text += ",{}";
  text += "]";
  const std::size_t before = Arena::status().used_bytes;
  const Document document = parsed(text);
  EXPECT_LT(Arena::status().used_bytes - before, 8 * text.size());
}

/// Sorted keys and no duplicates, as nlohmann writes it, but our numbers stay as they stand: compare parsed.
void expect_same_reading(const std::string& text) {
  const auto theirs = nlohmann::json::parse(text, nullptr, false);
  const auto ours = Document::parse(Secret::copy_of(text));
  if (!ours && ours.error().code() == Errc::limit) return;
  // Theirs takes no number beyond a double's range.
  if (theirs.is_discarded() && ours && text.find_first_of("eE0123456789") != std::string::npos) return;
  ASSERT_EQ(!theirs.is_discarded(), static_cast<bool>(ours)) << text;
  if (!ours) return;
  const Secret written = ours->root().text();
  EXPECT_EQ(nlohmann::json::parse(written.reveal(), nullptr, false), theirs) << text;
}

TEST(Document, ReadsLikeAnIndependentParserWhateverIsChangedInATextAtRandom) {
  const std::vector<std::string> seeds = {
      R"({"request_id":"7a","lease_id":"","renewable":false,"data":{"data":{"p":"x\u00e4\n\"","n":-1.5},"k":[1,[],{}]},"w":null})",
      R"(["\ud83d\ude00","\\u","",{"a":{"a":{"a":[true,false]}}},0,-0,10,1000000])",
      "{\"\xC3\xA4\":\"\xE2\x82\xAC\xF0\x9F\x98\x80\",\"a\":1,\"a\":2}"};
  const std::string bytes = "{}[],:\"\\u0123d8eE+-.tfn \x01\x80\xC3\xE2\xF0/";
  std::mt19937 random(20261124);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same cases each time
  for (int i = 0; i < 60'000; ++i) {
    std::string text = seeds[random() % seeds.size()];
    for (auto changes = 1 + random() % 3; changes > 0 && !text.empty(); --changes) {
      const std::size_t at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text[at] = bytes[random() % bytes.size()];
          break;
        case 1:
          text.erase(at, 1 + random() % 3);
          break;
        case 2:
          text.insert(at, 1, bytes[random() % bytes.size()]);
          break;
        default:
          text.resize(at);
          break;
      }
    }
    expect_same_reading(text);
    if (HasFatalFailure()) return;
  }
}

TEST(Text, GrowsInTheArenaAndWritesStringsAsJson) {
  const std::size_t before = Arena::status().used_bytes;
  {
    Text text;
    for (int i = 0; i < 1000; ++i) text.append("0123456789");
    text.append(text.reveal());
    text.append_json("a\"\\\n\x01z");
    const Secret done = text.finish();
    EXPECT_EQ(done.size(), 20'000U + 16U);
    EXPECT_EQ(done.reveal().substr(20'000), R"("a\"\\\n\u0001z")");
    EXPECT_TRUE(text.finish().empty());
  }
  EXPECT_EQ(Arena::status().used_bytes, before);
}

}  // namespace
}  // namespace injector::memory
