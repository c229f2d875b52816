#include "scanner/report/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "samples.h"
#include "scanner/base/json.h"
#include "scanner/report/harmless.h"

namespace scanner::report {
namespace {

using base::Json;
using testing::HasSubstr;
using testing::Not;

Json document(const Report& report) {
  auto parsed = base::parse_json(render_json(report, {}));
  EXPECT_TRUE(parsed);
  return parsed ? *parsed : Json();
}

std::vector<Json> lines(const Report& report) {
  std::vector<Json> out;
  const std::string text = render_jsonl(report, {});
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    auto parsed = base::parse_json(std::string_view(text).substr(at, end - at));
    EXPECT_TRUE(parsed);
    if (parsed) out.push_back(*parsed);
    at = end + 1;
  }
  return out;
}

TEST(Json, CountsLayersFromOneAndEverythingElseFromZero) {
  const Json report = document(leaky_report());
  EXPECT_EQ(report["images"][0]["layers"][0]["index"], 1);
  const Json& location = report["findings"][0]["locations"][0];
  EXPECT_EQ(location["layer"]["index"], 3);
  EXPECT_EQ(location["changed_in"], 5);
  EXPECT_EQ(location["state"], "deleted");
  EXPECT_EQ(location["image"], 0);
  EXPECT_EQ(report["findings"][2]["locations"][1]["history_index"], 2);
}

TEST(Json, SaysNullWhereThereIsNoLayerOrImage) {
  const Json configured = document(leaky_report())["findings"][2]["locations"][0];
  EXPECT_TRUE(configured["layer"].is_null());
  EXPECT_TRUE(configured["changed_in"].is_null());
  EXPECT_TRUE(configured["history_index"].is_null());
  EXPECT_EQ(configured["kind"], "env");
  EXPECT_EQ(configured["field"], "DB_PASSWORD");
  EXPECT_TRUE(document(directory_report())["findings"][0]["locations"][0]["image"].is_null());
}

TEST(Json, CarriesTheVerdict) {
  const Json leaky = document(leaky_report());
  EXPECT_EQ(leaky["exit_code"], 1);
  EXPECT_EQ(leaky["complete"], true);
  EXPECT_EQ(leaky["summary"]["total"], 4);
  EXPECT_EQ(leaky["summary"]["critical"], 2);
  EXPECT_EQ(leaky["summary"]["low"], 0);
  EXPECT_EQ(leaky["summary"]["in_baseline"], 1);
  EXPECT_TRUE(leaky["fail_on"].is_null());
  EXPECT_EQ(document(directory_report())["fail_on"], "high");

  const Json incomplete = document(incomplete_report());
  EXPECT_EQ(incomplete["complete"], false);
  EXPECT_EQ(incomplete["coverage"]["skipped"][0]["reason"], "digest_mismatch");
  EXPECT_EQ(incomplete["coverage"]["more_skipped"], 3);
  EXPECT_EQ(incomplete["exit_code"], 3);
}

TEST(Json, HoldsTheSecretOnlyWhenTheReportDoes) {
  Report report = leaky_report();
  EXPECT_FALSE(document(report)["findings"][0].contains("secret"));
  report.findings[0].secret = kSecret;
  EXPECT_EQ(document(report)["findings"][0]["secret"], kSecret);
  EXPECT_FALSE(document(report)["findings"][1].contains("secret"));
}

TEST(Json, KeepsTheExactBytesOfPathsThatAreNoUtf8) {
  Report report = leaky_report();
  Location& location = report.findings[0].locations[0];
  location.entry.path = "caf\xe9/.env";
  location.entry.inner = {"plain", "\xff"};
  const Json printed = document(report)["findings"][0]["locations"][0];
  EXPECT_EQ(printed["path"], "caf\xef\xbf\xbd/.env");
  EXPECT_EQ(printed["path_base64"], "Y2Fm6S8uZW52");
  EXPECT_EQ(printed["inner_base64"], Json::array({"cGxhaW4=", "/w=="}));
  EXPECT_FALSE(document(leaky_report())["findings"][0]["locations"][0].contains("path_base64"));
}

TEST(Json, GivesBackWhatItWasGiven) {
  const std::string text = "a\x1b[2J </script> ##vso[x] ##[y] \xe2\x80\xae \xc2\x9b \xef\xbb\xbf \x7f \\## \"<!--";
  Report report = leaky_report();
  report.findings[0].locations[0].frame = text;
  EXPECT_EQ(document(report)["findings"][0]["locations"][0]["frame"], text);
}

TEST(Json, CanDoNothingToATerminalOrALog) {
  for (const auto& text :
       {render_json(filled_report(hostile_text()), {}), render_jsonl(filled_report(hostile_text()), {})}) {
    EXPECT_TRUE(is_utf8(text));
    for (const std::string_view bad : {"\x1b", "\r", "\x7f", "\xc2\x9b", "\xe2\x80\xae", "\xe2\x80\x8b", "\xef\xbb\xbf",
                                       "##", "</script", "<!--", "\n::", " ::x\n"}) {
      EXPECT_THAT(text, Not(HasSubstr(bad)));
    }
    EXPECT_EQ(text.find('\0'), std::string::npos);
  }
}

TEST(Jsonl, HasALineForEachFindingAndTheSummaryLast) {
  const std::vector<Json> all = lines(leaky_report());
  ASSERT_EQ(all.size(), 5U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(all[i]["type"], "finding");
  EXPECT_EQ(all[0]["fingerprint"], document(leaky_report())["findings"][0]["fingerprint"]);
  EXPECT_EQ(all[4]["type"], "summary");
  EXPECT_EQ(all[4]["summary"]["total"], 4);
  EXPECT_FALSE(all[4].contains("findings"));
}

TEST(Jsonl, OfACleanRunIsTheSummaryAlone) {
  const std::vector<Json> all = lines(clean_report());
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0]["complete"], true);
}

// Every member that a report prints is in the schema, and every object of the schema is closed.
void expect_described(const Json& value, const Json& node, const Json& schema, const std::string& where) {
  const Json* described = &node;
  while (described->contains("$ref")) {
    described = &schema.at(Json::json_pointer((*described)["$ref"].get<std::string>().substr(1)));
  }
  if (described->contains("oneOf")) described = &(*described)["oneOf"][0];
  while (described->contains("$ref")) {
    described = &schema.at(Json::json_pointer((*described)["$ref"].get<std::string>().substr(1)));
  }
  if (value.is_object()) {
    EXPECT_EQ(described->value("additionalProperties", true), false) << where;
    for (const auto& [name, member] : value.items()) {
      ASSERT_TRUE((*described)["properties"].contains(name)) << where << "/" << name;
      expect_described(member, (*described)["properties"][name], schema, std::string(where).append("/").append(name));
    }
  }
  if (value.is_array()) {
    for (const Json& element : value) expect_described(element, (*described)["items"], schema, where + "/*");
  }
}

TEST(Schema, DescribesEveryMemberThatIsPrinted) {
  const auto schema = base::parse_json(json_schema());
  ASSERT_TRUE(schema);
  for (const Sample& sample : samples()) {
    expect_described(document(sample.report), *schema, *schema, sample.name);
    for (const Json& line : lines(sample.report)) {
      const std::string kind = line["type"].get<std::string>() + "_line";
      expect_described(line, (*schema)["$defs"][kind], *schema, sample.name + " " + kind);
    }
  }
}

}  // namespace
}  // namespace scanner::report
