#include "scanner/report/sarif.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "scanner/report/document.h"
#include "scanner/report/harmless.h"
#include "scanner/report/instruction.h"
#include "scanner/report/page.h"
#include "scanner/report/place.h"
#include "scanner/report/uri.h"

namespace scanner::report {
namespace {

using base::Json;

// Limits of the services that read the file.
constexpr std::size_t kMaxResults = 5000;
constexpr std::size_t kMaxLocations = 100;
constexpr std::size_t kMaxTags = 20;
constexpr unsigned kMaxText = 1000;
constexpr unsigned kMaxName = 255;
constexpr unsigned kMaxPlace = 300;
constexpr std::uint64_t kMaxNumber = std::numeric_limits<std::int32_t>::max();

constexpr std::string_view kHardCodedCredentials = "https://cwe.mitre.org/data/definitions/798.html";

std::string visible(std::string_view bytes, unsigned longest) { return cut_middle(bytes, Charset::utf8, longest).text; }

// In a SARIF message brackets make links and braces placeholders.
std::string message_part(std::string_view bytes) {
  std::string out;
  for (const char c : visible(bytes, kMaxPlace)) {
    switch (c) {
      case '[':
        out += "\\x5b";
        break;
      case ']':
        out += "\\x5d";
        break;
      case '{':
        out += "\\x7b";
        break;
      case '}':
        out += "\\x7d";
        break;
      default:
        out += c;
    }
  }
  return out;
}

Json text(std::string words) { return {{"text", std::move(words)}}; }

std::string first_not_empty(std::initializer_list<std::string_view> choices) {
  for (const std::string_view choice : choices) {
    if (choice.find_first_not_of(" \t\n\r") != std::string_view::npos) return std::string(choice);
  }
  return {};
}

std::string_view level_of(Severity severity) {
  static constexpr std::array<std::string_view, 4> kLevels = {"note", "warning", "error", "error"};
  return kLevels[static_cast<std::size_t>(severity)];
}

std::string_view score_of(Severity severity) {
  static constexpr std::array<std::string_view, 4> kScores = {"2.0", "5.5", "8.0", "9.5"};
  return kScores[static_cast<std::size_t>(severity)];
}

// "aws-access-key" -> "AwsAccessKey"
std::string pascal_case(std::string_view id) {
  std::string name;
  bool upper = true;
  for (const char c : id) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && (c < '0' || c > '9')) {
      upper = true;
      continue;
    }
    name += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    upper = false;
  }
  return name.empty() || (name[0] >= '0' && name[0] <= '9') ? "Rule" + name : name;
}

// ---- rules

Json rule_object(const Finding& finding) {
  const std::string title = first_not_empty({finding.title, finding.rule});
  const std::string description = first_not_empty({finding.description, title});
  const std::string fix =
      first_not_empty({finding.fix, "Revoke the credential at its issuer, then build the image again without it."});
  Json tags = {"security", "secret", "external/cwe/cwe-798"};
  for (const std::string& tag : finding.tags) {
    if (tags.size() < kMaxTags && std::ranges::find(tags, Json(tag)) == tags.end()) tags.push_back(tag);
  }
  const bool has_docs = finding.docs.starts_with("https://") || finding.docs.starts_with("http://");
  return {{"id", finding.rule},
          {"name", pascal_case(finding.rule).substr(0, kMaxName)},
          {"shortDescription", text(visible(title, kMaxText))},
          {"fullDescription", text(visible(description, kMaxText))},
          {"help", {{"text", fix}, {"markdown", "**" + visible(title, kMaxText) + "**\n\n" + fix}}},
          {"helpUri", has_docs ? finding.docs : std::string(kHardCodedCredentials)},
          {"defaultConfiguration", {{"level", level_of(finding.severity)}}},
          {"properties",
           {{"tags", std::move(tags)},
            {"precision", to_string(finding.confidence)},
            {"security-severity", score_of(finding.severity)}}}};
}

struct Rules {
  std::map<std::string, std::size_t> index;
  Json objects = Json::array();
};

// Only the rules that fired, by id. Findings come most severe first, so the first of a rule gives its severity.
Rules rules_of(std::span<const Finding> findings) {
  std::map<std::string, const Finding*> first;
  for (const Finding& finding : findings) first.emplace(finding.rule, &finding);
  Rules rules;
  for (const auto& [id, finding] : first) {
    rules.index.emplace(id, rules.objects.size());
    rules.objects.push_back(rule_object(*finding));
  }
  return rules;
}

// ---- results

std::uint64_t bounded(std::uint64_t number) { return std::clamp<std::uint64_t>(number, 1, kMaxNumber); }

// Our columns count bytes, SARIF's count UTF-16 units: they differ where the frame shows the line from its start.
std::uint64_t utf16_column(const Location& location) {
  const bool from_line_start = location.mark_begin + std::uint64_t{1} == location.column;
  if (!from_line_start || location.mark_begin > location.frame.size()) return location.column;
  return utf16_units(std::string_view(location.frame).substr(0, location.mark_begin)) + 1;
}

Json region_of(const Location& location) {
  Json region = {{"startLine", 1}, {"startColumn", 1}, {"endLine", 1}, {"endColumn", 1}};
  if (location.entry.kind == Kind::file && location.line > 0) {
    const std::uint64_t start = bounded(utf16_column(location));
    const bool one_line = location.end_line <= location.line;
    const std::uint64_t length = location.end_column > location.column ? location.end_column - location.column : 0;
    region = {{"startLine", bounded(location.line)},
              {"startColumn", start},
              {"endLine", bounded(std::max(location.line, location.end_line))},
              {"endColumn", bounded(one_line ? start + length : location.end_column)}};
  }
  if (!location.frame.empty()) region["snippet"] = text(visible(location.frame, kMaxText));
  return region;
}

std::string qualified_name(const Report& report, Location location) {
  location.line = 0;  // A name, not a position.
  std::string name;
  if (const Image* const image = image_of(report, location)) {
    const Layer* const layer = layer_of(report, location);
    name = repository_of(report, *image) + "@" + image->digest + "!";
    name += layer == nullptr ? "config!" : layer->diff_id + "!";
  } else if (location.entry.kind == Kind::env) {
    name = location.entry.path + "!";
  }
  return name + place_of(location);
}

Json properties_of(const Report& report, const Location& location) {
  Json properties = {
      {"kind", to_string(location.entry.kind)}, {"state", to_string(location.state)}, {"offset", location.offset}};
  if (const Image* const image = image_of(report, location)) {
    properties["image"] = image->name;
    properties["platform"] = image->platform;
  }
  if (const Layer* const layer = layer_of(report, location)) {
    properties["layerIndex"] = location.layer + 1;
    properties["layerDigest"] = layer->digest;
    properties["base"] = to_string(layer->base);
  }
  const std::string_view instruction_text = created_by(report, location);
  if (!instruction_text.empty()) properties["createdBy"] = visible(instruction(instruction_text), kMaxText);
  if (location.changed_in >= 0) properties["changedIn"] = location.changed_in + 1;
  if (!location.entry.decoding.empty()) properties["decoding"] = location.entry.decoding;
  return properties;
}

Json location_object(const Report& report, const Location& location) {
  return {{"physicalLocation",
           {{"artifactLocation", {{"uri", uri_of(report, location)}}}, {"region", region_of(location)}}},
          {"logicalLocations",
           Json::array(
               {{{"fullyQualifiedName", visible(qualified_name(report, location), kMaxText)}, {"kind", "resource"}}})},
          {"properties", properties_of(report, location)}};
}

std::string message_of(const Finding& finding) {
  std::string message = message_part(first_not_empty({finding.title, finding.rule}));
  if (finding.locations.empty()) return message + ".";
  const Location& location = finding.locations.front();
  message += " in " + message_part(place_of(location));
  if (location.layer >= 0) message += ", layer " + std::to_string(location.layer + 1);
  message += ".";
  if (std::string fate = fate_of(location); !fate.empty()) {
    fate[0] = static_cast<char>(fate[0] - 'a' + 'A');
    message += " " + fate + ".";
  }
  const std::size_t more = finding.locations.size() - 1;
  if (more > 0) message += " Also in " + std::to_string(more) + (more == 1 ? " more place." : " more places.");
  return message;
}

Json result_object(const Report& report, const Finding& finding, std::size_t rule_index) {
  const std::string fingerprint = to_string(finding.fingerprint);
  Json locations = Json::array();
  for (std::size_t i = 0; i < std::min(finding.locations.size(), kMaxLocations); ++i) {
    locations.push_back(location_object(report, finding.locations[i]));
  }
  Json properties = {{"severity", to_string(finding.severity)},
                     {"confidence", to_string(finding.confidence)},
                     {"redacted", visible(finding.redacted, kMaxText)}};
  if (finding.locations.size() > kMaxLocations) properties["moreLocations"] = finding.locations.size() - kMaxLocations;
  if (!finding.notes.empty()) properties["notes"] = finding.notes;
  // Services compare results by primaryLocationLineHash, and can hash no line of a layer. Ours comes from the
  // fingerprint: it outlives a move of the file, and says nothing about the line.
  return {{"ruleId", finding.rule},
          {"ruleIndex", rule_index},
          {"level", level_of(finding.severity)},
          {"message", text(message_of(finding))},
          {"locations", std::move(locations)},
          {"partialFingerprints",
           {{"primaryLocationLineHash", fingerprint.substr(3, 16) + ":1"}, {"scanSecrets/v1", fingerprint}}},
          {"properties", std::move(properties)}};
}

// ---- what was scanned

std::string hex_of(std::string_view digest) {
  static constexpr std::string_view kPrefix = "sha256:";
  const std::string_view digits = digest.starts_with(kPrefix) ? digest.substr(kPrefix.size()) : std::string_view();
  const bool is_hex = digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return digits.size() == 64 && is_hex ? std::string(digits) : std::string();
}

void add_artifact(Json& artifacts, Json artifact, std::string_view digest) {
  if (const std::string hex = hex_of(digest); !hex.empty()) artifact["hashes"] = {{"sha-256", hex}};
  artifacts.push_back(std::move(artifact));
}

Json artifacts_of(const Report& report) {
  Json artifacts = Json::array();
  for (const Image& image : report.images) {
    const std::size_t parent = artifacts.size();
    Json object = {{"location", {{"uri", encoded_path(repository_of(report, image))}}},
                   {"mimeType", "application/vnd.oci.image.manifest.v1+json"},
                   {"properties", {{"name", image.name}, {"platform", image.platform}}}};
    add_artifact(artifacts, std::move(object), image.digest);
    int index = 0;
    for (const Layer& layer : image.layers) {
      Json child = {{"parentIndex", parent},
                    {"description", text("Layer " + std::to_string(++index) + ".")},
                    {"properties",
                     {{"layerIndex", index},
                      {"diffId", layer.diff_id},
                      {"createdBy", visible(instruction(layer.created_by), kMaxText)},
                      {"read", layer.read}}}};
      if (!layer.media_type.empty()) child["properties"]["mediaType"] = layer.media_type;
      add_artifact(artifacts, std::move(child), layer.digest);
    }
  }
  return artifacts;
}

// ---- the run

Json notification(std::string_view id, std::string_view level, std::string message) {
  return {{"descriptor", {{"id", id}}}, {"level", level}, {"message", text(std::move(message))}};
}

Json notifications_of(const Report& report, std::size_t left_out) {
  Json all = Json::array();
  for (const Skipped& one : report.coverage.skipped) {
    const bool searched = one.reason == SkipReason::raw_only;
    std::string message = (searched ? "Searched as it is: " : "Not read: ") + message_part(one.place);
    if (!one.detail.empty()) message += " (" + message_part(one.detail) + ")";
    all.push_back(notification(std::string("skipped/").append(to_string(one.reason)),
                               leaves_complete(one.reason) ? "note" : "error", message + "."));
  }
  if (report.coverage.more_skipped > 0) {
    all.push_back(notification("skipped/more", "error",
                               "Not read: " + std::to_string(report.coverage.more_skipped) + " more places."));
  }
  if (left_out > 0) {
    all.push_back(notification("results/limit", "warning",
                               std::to_string(left_out) + " less severe results are not in this file."));
  }
  return all;
}

// "2026-11-24T08:39:19Z" and nothing else.
std::optional<std::chrono::sys_seconds> time_from(std::string_view stamp) {
  static constexpr std::string_view kForm = "0000-00-00T00:00:00Z";
  if (stamp.size() != kForm.size()) return std::nullopt;
  std::array<unsigned, 6> fields{};
  std::size_t field = 0;
  for (std::size_t i = 0; i < stamp.size(); ++i) {
    const bool digit = stamp[i] >= '0' && stamp[i] <= '9';
    if (digit != (kForm[i] == '0') || (!digit && stamp[i] != kForm[i])) return std::nullopt;
    if (digit) {
      fields[field] = fields[field] * 10 + static_cast<unsigned>(stamp[i] - '0');
    } else if (i + 1 < stamp.size()) {
      ++field;
    }
  }
  const auto& [year, month, day, hour, minute, second] = fields;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

std::string stamp_of(std::chrono::sys_time<std::chrono::milliseconds> time) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(time - days);
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return buffer.data();
}

Json invocation_of(const Report& report, std::size_t left_out) {
  Json invocation = {{"executionSuccessful", report.coverage.complete()},
                     {"exitCode", report.exit_code},
                     {"toolExecutionNotifications", notifications_of(report, left_out)}};
  if (const auto start = time_from(report.started)) {
    const auto longest = std::chrono::milliseconds(std::chrono::years(100));
    const std::chrono::milliseconds took(
        std::min<std::uint64_t>(report.duration_ms, static_cast<std::uint64_t>(longest.count())));
    invocation["startTimeUtc"] = stamp_of(*start);
    invocation["endTimeUtc"] = stamp_of(*start + took);
  }
  return invocation;
}

// The part up to the last slash is what a service files the run under: nothing in it may change from build to build.
std::string category_of(const Report& report) {
  std::string target = report.target;
  if (!report.images.empty()) target = repository_of(report, report.images.front());
  const std::string path = encoded_path(target);
  return "scan-secrets/" + encoded_path(report.command) + "/" + (path.empty() ? "" : path + "/");
}

}  // namespace

std::string render_sarif(const Report& report, const Style&) {
  const std::span<const Finding> kept(report.findings.data(), std::min(report.findings.size(), kMaxResults));
  const std::size_t left_out = report.findings.size() - kept.size();
  Rules rules = rules_of(kept);
  Json results = Json::array();
  for (const Finding& finding : kept) results.push_back(result_object(report, finding, rules.index.at(finding.rule)));

  Json run = {{"tool",
               {{"driver",
                 {{"name", "scan-secrets"},
                  {"semanticVersion", report.tool_version},
                  {"informationUri", kHardCodedCredentials},
                  {"rules", std::move(rules.objects)}}}}},
              {"automationDetails", {{"id", category_of(report)}}},
              {"columnKind", "utf16CodeUnits"},
              {"invocations", Json::array({invocation_of(report, left_out)})},
              {"results", std::move(results)},
              {"properties",
               {{"complete", report.coverage.complete()},
                {"engine", report.engine},
                {"rulesHash", report.rules_hash},
                {"ignored", report.ignored},
                {"inBaseline", report.in_baseline},
                {"resultsLeftOut", left_out}}}};
  if (!report.images.empty()) run["artifacts"] = artifacts_of(report);
  const Json log = {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                    {"version", "2.1.0"},
                    {"runs", Json::array({std::move(run)})}};
  return printed(log, 2) + "\n";
}

}  // namespace scanner::report
