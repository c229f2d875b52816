#include "scanner/report/sarif.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>

#include "samples.h"
#include "scanner/base/json.h"
#include "scanner/report/harmless.h"

namespace scanner::report {
namespace {

using base::Json;
using testing::HasSubstr;
using testing::Not;

Json run_of(const Report& report) {
  auto parsed = base::parse_json(render_sarif(report, {}));
  EXPECT_TRUE(parsed);
  return parsed ? (*parsed)["runs"][0] : Json();
}

const Json& first_region(const Json& run, std::size_t result) {
  return run["results"][result]["locations"][0]["physicalLocation"]["region"];
}

TEST(Sarif, NeverHoldsTheSecret) {
  Report report = leaky_report();
  for (Finding& finding : report.findings) finding.secret = kSecret;
  report.findings[0].locations[0].entry.kind = Kind::file_name;
  report.findings[0].locations[0].entry.path = "keys/" + std::string(kSecret);
  EXPECT_THAT(render_sarif(report, {}), Not(HasSubstr(kSecret)));
}

TEST(Sarif, HasTheRulesThatFiredAndNoOthers) {
  const Json run = run_of(long_report());
  const Json& rules = run["tool"]["driver"]["rules"];
  ASSERT_EQ(rules.size(), 2U);
  for (const Json& result : run["results"])
    EXPECT_EQ(rules[result["ruleIndex"].get<std::size_t>()]["id"], result["ruleId"]);
  EXPECT_EQ(rules[0]["properties"]["security-severity"], "9.5");
  EXPECT_EQ(rules[1]["properties"]["security-severity"], "8.0");
  EXPECT_TRUE(run_of(clean_report())["tool"]["driver"]["rules"].is_array());
  EXPECT_EQ(run_of(clean_report())["results"], Json::array());
}

TEST(Sarif, IdentifiesAResultByItsFingerprintAlone) {
  Report report = leaky_report();
  const Json before = run_of(report)["results"][0]["partialFingerprints"];
  report.findings[0].locations[0].line = 999;
  report.findings[0].locations[0].layer = 4;
  const Json after = run_of(report)["results"][0]["partialFingerprints"];
  EXPECT_EQ(before, after);
  EXPECT_EQ(
      before["primaryLocationLineHash"].get<std::string>() + "|" + before["scanSecrets/v1"].get<std::string>(),
      to_string(report.findings[0].fingerprint).substr(3, 16) + ":1|" + to_string(report.findings[0].fingerprint));
}

TEST(Sarif, PointsIntoTheImageWithoutTagAndDigest) {
  const Json run = run_of(leaky_report());
  EXPECT_EQ(run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            "registry.acme.example%3A5000/shop/api/app/.env");
  EXPECT_EQ(run["results"][2]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            "registry.acme.example%3A5000/shop/api/.config/env/DB_PASSWORD");
  EXPECT_EQ(run["automationDetails"]["id"], "scan-secrets/image/registry.acme.example%3A5000/shop/api/");
}

TEST(Sarif, GivesEveryRegionAllFourNumbers) {
  for (const Sample& sample : samples()) {
    const Json run = run_of(sample.report);
    for (const Json& result : run["results"]) {
      for (const Json& location : result["locations"]) {
        const Json& region = location["physicalLocation"]["region"];
        for (const char* const number : {"startLine", "startColumn", "endLine", "endColumn"}) {
          ASSERT_TRUE(region.contains(number)) << sample.name;
          EXPECT_GE(region[number].get<std::int64_t>(), 1) << sample.name;
        }
      }
    }
  }
}

TEST(Sarif, CountsColumnsInUtf16Units) {
  const Json region = first_region(run_of(directory_report()), 0);
  EXPECT_EQ(region["startColumn"], 18);  // Two letters before it take two bytes each.
  EXPECT_EQ(region["endColumn"], 38);
}

TEST(Sarif, SaysThatADeletedFileIsStillThere) {
  const Json result = run_of(leaky_report())["results"][0];
  EXPECT_EQ(result["message"]["text"],
            "AWS access key in /app/.env:3:19, layer 3. Deleted in layer 5, still in the image.");
  EXPECT_EQ(result["level"], "error");
}

TEST(Sarif, NotesEveryGapAndSaysThatTheRunFailed) {
  const Json complete = run_of(leaky_report())["invocations"][0];
  EXPECT_EQ(complete["executionSuccessful"], true);
  EXPECT_EQ(complete["exitCode"], 1);
  EXPECT_EQ(complete["startTimeUtc"], "2026-11-24T08:39:19.000Z");
  EXPECT_EQ(complete["endTimeUtc"], "2026-11-24T08:39:21.134Z");

  const Json gaps = run_of(incomplete_report())["invocations"][0];
  EXPECT_EQ(gaps["executionSuccessful"], false);
  EXPECT_EQ(gaps["toolExecutionNotifications"].size(), 17U);
  EXPECT_EQ(gaps["toolExecutionNotifications"][0]["level"], "error");
  EXPECT_THAT(gaps["toolExecutionNotifications"][16]["message"]["text"].get<std::string>(), HasSubstr("3 more places"));

  const Json excluded = run_of(directory_report())["invocations"][0];
  EXPECT_EQ(excluded["executionSuccessful"], true);
  EXPECT_EQ(excluded["toolExecutionNotifications"][0]["level"], "note");
}

TEST(Sarif, LeavesOutATimeThatIsNone) {
  Report report = clean_report();
  for (const char* const started : {"", "yesterday", "2026-13-01T00:00:00Z", "2026-01-01T25:00:00Z"}) {
    report.started = started;
    EXPECT_FALSE(run_of(report)["invocations"][0].contains("startTimeUtc")) << started;
  }
}

TEST(Sarif, KeepsTheFiveThousandMostSevereResultsAndCountsTheRest) {
  Report report = leaky_report();
  Finding low = report.findings[0];
  low.severity = Severity::low;
  low.rule = "only-low";
  report.findings.resize(4);
  report.findings.insert(report.findings.end(), 5100, low);
  const Json run = run_of(report);
  EXPECT_EQ(run["results"].size(), 5000U);
  EXPECT_EQ(run["results"][0]["level"], "error");
  EXPECT_EQ(run["properties"]["resultsLeftOut"], 104);
  EXPECT_EQ(run["invocations"][0]["toolExecutionNotifications"][0]["level"], "warning");
}

TEST(Sarif, KeepsAHundredLocationsAndCountsTheRest) {
  Report report = leaky_report();
  report.findings[0].locations.resize(130, report.findings[0].locations[0]);
  const Json result = run_of(report)["results"][0];
  EXPECT_EQ(result["locations"].size(), 100U);
  EXPECT_EQ(result["properties"]["moreLocations"], 30);
}

TEST(Sarif, MakesMessagesHarmless) {
  const Json run = run_of(filled_report(hostile_text()));
  for (const Json& result : run["results"]) {
    const std::string message = result["message"]["text"];
    EXPECT_EQ(message.find_first_of("[]{}"), std::string::npos) << message;
    EXPECT_EQ(harmless(message, Charset::utf8), message);
  }
}

TEST(Sarif, NamesTheLayersOfEveryImage) {
  const Json run = run_of(platforms_report());
  ASSERT_EQ(run["artifacts"].size(), 14U);
  EXPECT_EQ(run["artifacts"][8]["parentIndex"], 7);
  EXPECT_EQ(run["artifacts"][8]["properties"]["layerIndex"], 1);
  EXPECT_EQ(run["artifacts"][8]["hashes"]["sha-256"].get<std::string>().size(), 64U);
  EXPECT_FALSE(run_of(directory_report()).contains("artifacts"));
}

TEST(Formats, AreFoundByName) {
  for (const Format& format : formats()) EXPECT_EQ(find_format(format.name), &format);
  EXPECT_EQ(find_format("xml"), nullptr);
}

}  // namespace
}  // namespace scanner::report
