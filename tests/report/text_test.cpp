#include "scanner/report/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "samples.h"
#include "scanner/report/harmless.h"

namespace scanner::report {
namespace {

using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr Style kPlain = {.width = 80};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

unsigned columns_of(std::string_view line) {
  unsigned columns = 0;
  for (const Glyph& glyph : glyphs(line, Charset::utf8)) columns += glyph.columns;
  return columns;
}

std::string verdict_of(const Report& report) { return lines_of(render_text(report, kPlain)).back(); }

std::string without_colour(const std::string& text) {
  return std::regex_replace(text, std::regex("\x1b\\[[0-9;]*m"), "");
}

// The line with `words`, and the one below it.
std::pair<std::string, std::string> two_lines_at(const std::string& text, std::string_view words) {
  const std::vector<std::string> lines = lines_of(text);
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    if (lines[i].find(words) != std::string::npos) return {lines[i], lines[i + 1]};
  }
  return {};
}

// What stands above the carets, or nothing where there are none.
std::string underlined(const std::string& text, std::string_view words) {
  const auto [line, carets] = two_lines_at(text, words);
  const std::vector<Glyph> above = glyphs(line, Charset::utf8);
  std::string marked;
  unsigned column = 0;
  for (const Glyph& glyph : above) {
    const std::vector<Glyph> below = glyphs(carets, Charset::utf8);
    unsigned at = 0;
    for (const Glyph& caret : below) {
      if (at == column && caret.text == "^") marked += glyph.text;
      at += caret.columns;
    }
    column += glyph.columns;
  }
  return marked;
}

void expect_harmless(const std::string& text, std::string_view what) {
  EXPECT_TRUE(is_utf8(text)) << what;
  for (const std::string& line : lines_of(text)) {
    for (const Glyph& glyph : glyphs(line, Charset::utf8)) {
      const bool escaped = glyph.text != line.substr(glyph.offset, glyph.text.size());
      const bool printable = glyph.text.starts_with("\\x3a") || glyph.text.starts_with("\\x23");
      EXPECT_TRUE(!escaped || printable) << what << ": " << line;
    }
    const std::size_t first = line.find_first_not_of(' ');
    EXPECT_FALSE(first != std::string::npos && line.substr(first, 2) == "::") << what << ": " << line;
    EXPECT_FALSE(std::regex_search(line, std::regex("##[A-Za-z]*\\["))) << what << ": " << line;
  }
}

TEST(Text, EndsWithTheVerdictAndTheExitCode) {
  const std::string verdict = verdict_of(leaky_report());
  EXPECT_THAT(verdict, HasSubstr("4 secrets"));
  EXPECT_THAT(verdict, HasSubstr("2 critical"));
  EXPECT_THAT(verdict, HasSubstr("2 high"));
  EXPECT_THAT(verdict, HasSubstr("1 in the baseline"));
  EXPECT_THAT(verdict, HasSubstr("3 ignored"));
  EXPECT_THAT(verdict, EndsWith("exit 1"));
}

TEST(Text, OfACleanRunIsShortAndSaysWhatWasLookedAt) {
  const std::string text = render_text(clean_report(), kPlain);
  EXPECT_LE(lines_of(text).size(), 4U);
  EXPECT_THAT(text, HasSubstr("6 layers"));
  EXPECT_THAT(text, HasSubstr("12,481 files"));
  EXPECT_THAT(text, HasSubstr("396 MiB"));
  EXPECT_THAT(text, HasSubstr("clean: no secrets found"));
  EXPECT_THAT(text, EndsWith("exit 0\n"));
}

TEST(Text, OfAnIncompleteRunNeverSaysClean) {
  const std::string text = render_text(incomplete_report(), kPlain);
  EXPECT_THAT(text, Not(ContainsRegex("[Cc][Ll][Ee][Aa][Nn]")));
  EXPECT_THAT(text, HasSubstr("INCOMPLETE: 19 places were not read"));
  EXPECT_THAT(text, HasSubstr("ended after 4096 of 19188940 bytes"));
  EXPECT_THAT(text, ContainsRegex("  4 .*not read"));
  EXPECT_THAT(text, EndsWith("exit 3\n"));
}

TEST(Text, SaysIncompleteBesideFindings) {
  EXPECT_THAT(render_text(long_report(), kPlain), HasSubstr("incomplete: 1 place was not read"));
}

TEST(Text, OfARunWithFindingsAllKnownAlreadySaysSo) {
  Report report = clean_report();
  report.in_baseline = 2;
  EXPECT_THAT(verdict_of(report), HasSubstr("no new secrets found"));
  EXPECT_THAT(verdict_of(report), HasSubstr("2 in the baseline"));
}

TEST(Text, OfFindingsBelowTheThresholdSaysWhyTheRunPasses) {
  const std::string verdict = verdict_of(directory_report());
  EXPECT_THAT(verdict, HasSubstr("1 medium"));
  EXPECT_THAT(verdict, HasSubstr("none at or above high"));
  EXPECT_THAT(verdict, EndsWith("exit 0"));
}

TEST(Text, NumbersLayersFromOneAndCountsTheirFindings) {
  const std::string text = render_text(leaky_report(), kPlain);
  EXPECT_THAT(text, ContainsRegex("  1  [0-9a-f]{12} .*ADD file:5d6f in / .*base"));
  EXPECT_THAT(text, ContainsRegex("  3  [0-9a-f]{12} .*COPY .env /app/.env .*1 critical"));
  EXPECT_THAT(text, ContainsRegex("config .*ENV DB_PASSWORD.*1 high"));
  EXPECT_THAT(text, HasSubstr("deletes 3:/app/.env"));
}

TEST(Text, SaysOfADeletedFileThatItIsStillThere) {
  const std::string text = render_text(leaky_report(), kPlain);
  EXPECT_THAT(text, HasSubstr("layer 3 · /app/.env:3:19 · deleted in layer 5, still in the image"));
  EXPECT_THAT(text, HasSubstr("made by  COPY .env /app/.env\n"));
}

TEST(Text, PutsCaretsUnderTheSecret) {
  const std::string text = render_text(leaky_report(), kPlain);
  EXPECT_EQ(underlined(text, "AWS_ACCESS_KEY_ID="), "AKIA************MPLE");
  EXPECT_EQ(underlined(text, "_authToken="), "npm_****************************Xy3f");
}

TEST(Text, PutsCaretsUnderTheSecretBehindWideAndEscapedCharacters) {
  Report report = leaky_report();
  Location& location = report.findings[0].locations[0];
  location.frame = "\t\t密码 \x1b[1m e\xcc\x81 \xff key=****";
  location.mark_begin = static_cast<std::uint32_t>(location.frame.find("****"));
  location.mark_end = location.mark_begin + 4;
  EXPECT_EQ(underlined(render_text(report, kPlain), "key="), "****");
}

TEST(Text, SurvivesMarksThatLieOutsideOfTheFrame) {
  Report report = leaky_report();
  report.findings[0].locations[0].mark_begin = 1000;
  report.findings[0].locations[0].mark_end = 7;
  report.findings[2].locations[0].mark_end = 4'000'000'000U;
  EXPECT_THAT(render_text(report, kPlain), HasSubstr("AWS_ACCESS_KEY_ID=AKIA************MPLE"));
}

TEST(Text, SurvivesIndexesThatLieOutsideOfTheReport) {
  Report report = leaky_report();
  report.findings[0].locations[0].layer = 77;
  report.findings[0].locations[0].changed_in = 99;
  report.findings[1].locations[0].image = 5;
  report.findings[3].locations.clear();
  EXPECT_THAT(render_text(report, kPlain), HasSubstr("deleted in layer 100"));
}

TEST(Text, ShowsTwentyFindingsThenCountsTheRest) {
  const std::string text = render_text(long_report(), kPlain);
  EXPECT_THAT(text, HasSubstr("… 10 more: --all"));
  const std::string all = render_text(long_report(), {.all = true, .width = 80});
  EXPECT_THAT(all, Not(HasSubstr("more: --all")));
  EXPECT_GT(lines_of(all).size(), lines_of(text).size() + 20);
}

TEST(Text, ShowsSixOtherPlacesThenCountsTheRest) {
  const std::string text = render_text(long_report(), kPlain);
  EXPECT_THAT(text, HasSubstr("/srv/copy5/.env:3:19"));
  EXPECT_THAT(text, Not(HasSubstr("/srv/copy6/")));
  EXPECT_THAT(text, HasSubstr("and 5 more places"));
  EXPECT_THAT(render_text(long_report(), {.all = true}), HasSubstr("/srv/copy10/.env:3:19"));
}

TEST(Text, ShowsTenSkipsThenCountsTheRest) {
  EXPECT_THAT(render_text(incomplete_report(), kPlain), HasSubstr("and 9 more: --all"));
  const std::string all = render_text(incomplete_report(), {.all = true, .width = 80});
  EXPECT_THAT(all, HasSubstr("var/cache/13.zip"));
  EXPECT_THAT(all, HasSubstr("and 3 more, only counted"));
}

TEST(Text, TellsWhatWasLeftOutOnPurposeFromWhatIsMissing) {
  Report report = clean_report();
  report.coverage.skip({SkipReason::excluded, "node_modules", "", 0});
  report.coverage.skip({SkipReason::raw_only, "layer 2: a.zip", "no end record", 0});
  const std::string text = render_text(report, kPlain);
  EXPECT_THAT(text, HasSubstr("left out 1 place on purpose"));
  EXPECT_THAT(text, HasSubstr("1 place searched without being opened"));
  EXPECT_THAT(text, Not(HasSubstr("not read")));
  EXPECT_THAT(render_text(report, {.all = true}), HasSubstr("node_modules"));
}

TEST(Text, NamesIgnoreEntriesThatMetNothing) {
  EXPECT_THAT(render_text(directory_report(), kPlain), HasSubstr(".gitleaksignore:4"));
}

TEST(Text, TellsThePlatformsOfSeveralImagesApart) {
  const std::string text = render_text(platforms_report(), kPlain);
  EXPECT_THAT(text, HasSubstr("2 images"));
  EXPECT_THAT(text, HasSubstr("linux/arm64/v8"));
  EXPECT_THAT(text, HasSubstr("2 blobs of other images or platforms left out"));
}

TEST(Text, ShowsTheSecretOnlyWhenTheReportHoldsIt) {
  Report report = leaky_report();
  EXPECT_THAT(render_text(report, kPlain), Not(HasSubstr(kSecret)));
  report.findings[0].secret = kSecret;
  EXPECT_THAT(render_text(report, kPlain), HasSubstr(kSecret));
}

TEST(Text, KeepsToTheWidth) {
  for (const unsigned width : {60U, 80U, 100U, 200U}) {
    for (const Sample& sample : samples()) {
      for (const bool utf8 : {true, false}) {
        if (sample.name == "hostile") continue;
        const std::string text = render_text(sample.report, {.utf8 = utf8, .all = true, .width = width});
        for (const std::string& line : lines_of(text)) {
          const bool one_word = std::regex_match(line, std::regex(" *(see +)?[^ ]+"));
          EXPECT_TRUE(columns_of(line) <= width || one_word) << sample.name << " at " << width << ": " << line;
        }
      }
    }
  }
}

TEST(Text, KeepsToTheWidthWhateverTheFieldsHold) {
  for (const std::string& text : {hostile_text(), std::string(5000, 'x'), std::string(300, '\x1b')}) {
    Report report = filled_report(text);
    report.target = "shop.tar";
    report.coverage.skipped[0].place = "layer 1: a";
    for (Finding& finding : report.findings) {
      for (Location& location : finding.locations) {
        location.entry.path = "a/b";
        location.entry.inner.clear();
        if (location.entry.kind == Kind::file_name) location.frame = "a/b";
      }
    }
    for (const unsigned width : {0U, 60U, 80U, 100U}) {
      for (const std::string& line : lines_of(render_text(report, {.all = true, .width = width}))) {
        EXPECT_TRUE(columns_of(line) <= std::max(width, 60U) || line.find("see") == 4) << width << ": " << line;
      }
    }
  }
}

TEST(Text, ShowsALongPathWhole) {
  Report report = leaky_report();
  std::string path;
  for (int i = 0; i < 30; ++i) path += "directory" + std::to_string(i) + "/";
  report.findings[0].locations[0].entry.path = path + "key";
  EXPECT_THAT(render_text(report, kPlain), HasSubstr(path + "key:3:19"));
}

TEST(Text, MakesEverythingThatWasScannedHarmless) {
  for (const unsigned width : {60U, 80U, 100U}) {
    const Report report = filled_report(hostile_text());
    const std::string text = render_text(report, {.all = true, .width = width});
    expect_harmless(text, "hostile");
    EXPECT_THAT(text, HasSubstr("\\x1b[2J"));
    EXPECT_THAT(text, HasSubstr("\\u202e"));
    EXPECT_THAT(text, HasSubstr("\\xff"));
  }
}

TEST(Text, MakesEveryMixtureOfHostilePiecesHarmless) {
  const std::vector<std::string> pieces = {"::",
                                           ":",
                                           "#",
                                           "##",
                                           "[",
                                           "vso[",
                                           " ",
                                           "\n",
                                           "\t",
                                           "\x1b[31m",
                                           "a",
                                           "é",
                                           "密",
                                           "\r",
                                           "\xff",
                                           "\xc2",
                                           "\xc2\xa0",
                                           "\xe2\x80\xae",
                                           "error::",
                                           std::string(1, '\0'),
                                           std::string(70, 'y')};
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp,cert-msc32-c): the same cases in every run.
  for (unsigned round = 0; round < 300; ++round) {
    std::string text;
    for (auto left = random() % 12; left > 0; --left) text += pieces[random() % pieces.size()];
    const std::string rendered = render_text(filled_report(text), {.all = true, .width = 60 + round % 3 * 20});
    expect_harmless(rendered, "round " + std::to_string(round));
  }
}

TEST(Text, IsAsciiForAnAsciiReader) {
  for (const Sample& sample : samples()) {
    const std::string text = render_text(sample.report, {.utf8 = false, .all = true, .width = 80});
    const bool ascii = std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); });
    EXPECT_TRUE(ascii) << sample.name;
  }
  EXPECT_THAT(render_text(directory_report(), {.utf8 = false}), HasSubstr("gr\\u00f6\\u00dfe.py"));
}

TEST(Text, AddsNothingButColourWhenAskedForColour) {
  for (const Sample& sample : samples()) {
    const std::string plain = render_text(sample.report, {.width = 80});
    const std::string coloured = render_text(sample.report, {.color = true, .width = 80});
    EXPECT_NE(plain, coloured) << sample.name;
    EXPECT_EQ(plain.find('\x1b'), std::string::npos) << sample.name;
    EXPECT_EQ(without_colour(coloured), plain) << sample.name;
  }
}

TEST(Text, NeverGuessesThatALayerIsBase) {
  Report report = leaky_report();
  for (Layer& layer : report.images[0].layers) layer.base = Base::unknown;
  EXPECT_THAT(render_text(report, kPlain), Not(HasSubstr("base ")));
}

}  // namespace
}  // namespace scanner::report
