#include "injector/telemetry/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <string>

#include "injector/telemetry/harmless.h"
#include "scanner/base/fd.h"
#include "scanner/base/json.h"

namespace injector::telemetry {
namespace {

using ::testing::MatchesRegex;

constexpr std::string_view kNoon = "2026-11-24T12:00:00.000Z";

std::string json(std::string_view message, const Fields& fields = {}) {
  return line_of(Log::Format::json, Level::info, message, fields, kNoon);
}

std::string text(std::string_view message, const Fields& fields = {}) {
  return line_of(Log::Format::text, Level::warn, message, fields, kNoon);
}

/// What a log that takes `least` and more writes.
std::string written(Level least, const std::function<void(Log&)>& act) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  const scanner::base::Fd in(ends[0]);
  scanner::base::Fd out(ends[1]);
  Log log(out.get(), Log::Format::text, least);
  act(log);
  out.reset();
  std::string all(4096, '\0');
  all.resize(static_cast<std::size_t>(::read(in.get(), all.data(), all.size())));
  return all;
}

TEST(Log, IsOneObjectWithTheNamesOfEcs) {
  EXPECT_EQ(json("delivered", {{"file.path", "db/password"}, {"event.duration", "1200"}}),
            R"({"@timestamp":"2026-11-24T12:00:00.000Z","log.level":"info","message":"delivered",)"
            R"("ecs.version":"8.11.0","service.name":"secret-injector","service.version":")" SECRET_INJECTOR_VERSION
            R"(","file.path":"db/password","event.duration":1200})");
}

TEST(Log, IsALineForAPerson) {
  EXPECT_EQ(text("the store is away", {{"store", "bao"}, {"error.message", "connection refused"}, {"x", ""}}),
            R"(2026-11-24T12:00:00.000Z warn  the store is away store=bao error.message="connection refused" x="")");
}

TEST(Log, GivesBackWhateverTextItWasGivenAsJson) {
  std::string all;
  for (char32_t c = 1; c < 0x80; ++c) all += static_cast<char>(c);
  all += "\u00e9\u202e\u2028\U0001f511\U000e0041";
  const auto parsed = scanner::base::parse_json(json(all));
  ASSERT_TRUE(parsed);
  EXPECT_EQ((*parsed)["message"], all);
}

TEST(Log, SpellsOutWhatWouldMoveACursorOrForgeALine) {
  const std::string evil = "a\n\x1b[2J\u009b1m\u202eb\xff";
  EXPECT_EQ(harmless(evil), R"(a\x0a\x1b[2J\x9b1m\u202eb\xff)");
  EXPECT_EQ(json_text(evil), R"("a\u000a\u001b[2J\u009b1m\u202eb\ufffd")");
  EXPECT_THAT(json(evil), Not(::testing::ContainsRegex("[\x01-\x1f]")));
}

TEST(Log, TakesNoOverlongFormsAndNoSurrogatesForCharacters) {
  EXPECT_EQ(harmless("\xc0\x8a"), R"(\xc0\x8a)");
  EXPECT_EQ(harmless("\xe0\x80\x8a"), R"(\xe0\x80\x8a)");
  EXPECT_EQ(harmless("\xed\xa0\x80"), R"(\xed\xa0\x80)");
  EXPECT_EQ(harmless("\xf4\x90\x80\x80"), R"(\xf4\x90\x80\x80)");
  EXPECT_EQ(harmless("\xe2\x82"), R"(\xe2\x82)");
}

TEST(Log, WritesANumberAsTextUnlessItIsOne) {
  EXPECT_THAT(json("x", {{"event.duration", "fast"}}), ::testing::HasSubstr(R"("event.duration":"fast")"));
  EXPECT_THAT(json("x", {{"event.duration", "007"}}), ::testing::HasSubstr(R"("event.duration":"007")"));
  EXPECT_THAT(json("x", {{"secret.version", "7"}}), ::testing::HasSubstr(R"("secret.version":"7")"));
}

TEST(Log, LeavesOutWhatIsBelowItsLevel) {
  EXPECT_THAT(written(Level::warn,
                      [](Log& log) {
                        log.info("quiet");
                        log.warn("loud");
                      }),
              MatchesRegex("....-..-..T..:..:......Z warn  loud\n"));
}

}  // namespace
}  // namespace injector::telemetry
