#include "scanner/report/document.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "scanner/report/harmless.h"
#include "scanner/report/place.h"

namespace scanner::report {
namespace {

using base::Json;

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view three = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (k < three.size() ? static_cast<unsigned char>(three[k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) out += k <= three.size() ? kDigits[bits >> (18 - 6 * k) & 63U] : '=';
  }
  return out;
}

Json number_or_null(int index, int first) { return index < 0 ? Json(nullptr) : Json(index + first); }

Json layer_of_location(const Report& report, const Location& location) {
  const Layer* const layer = layer_of(report, location);
  if (layer == nullptr) return nullptr;
  return {{"index", location.layer + 1},
          {"digest", layer->digest},
          {"diff_id", layer->diff_id},
          {"created_by", layer->created_by},
          {"base", to_string(layer->base)}};
}

Json location_object(const Report& report, const Location& location) {
  const Entry& entry = location.entry;
  const std::string path = path_of(location);
  Json object = {{"kind", to_string(entry.kind)},
                 {"image", number_or_null(location.image, 0)},
                 {"layer", layer_of_location(report, location)},
                 {"path", path},
                 {"inner", entry.inner},
                 {"decoding", entry.decoding},
                 {"field", entry.field},
                 {"history_index", number_or_null(entry.history_index, 0)},
                 {"line", location.line},
                 {"column", location.column},
                 {"end_line", location.end_line},
                 {"end_column", location.end_column},
                 {"offset", location.offset},
                 {"state", to_string(location.state)},
                 {"changed_in", number_or_null(location.changed_in, 1)},
                 {"frame", location.frame}};
  if (!is_utf8(path)) object["path_base64"] = base64(path);
  if (!std::ranges::all_of(entry.inner, is_utf8)) {
    Json members = Json::array();
    for (const std::string& member : entry.inner) members.push_back(base64(member));
    object["inner_base64"] = std::move(members);
  }
  return object;
}

Json layer_object(const Layer& layer, std::size_t index) {
  return {{"index", index + 1},
          {"digest", layer.digest},
          {"diff_id", layer.diff_id},
          {"created_by", layer.created_by},
          {"media_type", layer.media_type},
          {"base", to_string(layer.base)},
          {"size", layer.size},
          {"read", layer.read}};
}

Json image_object(const Image& image) {
  Json layers = Json::array();
  for (std::size_t i = 0; i < image.layers.size(); ++i) layers.push_back(layer_object(image.layers[i], i));
  return {{"name", image.name},         {"digest", image.digest},      {"config_digest", image.config_digest},
          {"platform", image.platform}, {"layers", std::move(layers)}, {"history", image.history}};
}

Json coverage_object(const Coverage& coverage) {
  Json skipped = Json::array();
  for (const Skipped& one : coverage.skipped) {
    skipped.push_back(
        {{"reason", to_string(one.reason)}, {"place", one.place}, {"detail", one.detail}, {"bytes", one.bytes}});
  }
  return {{"complete", coverage.complete()}, {"layers", coverage.layers},
          {"files", coverage.files},         {"texts", coverage.texts},
          {"bytes", coverage.bytes},         {"unselected_blobs", coverage.unselected_blobs},
          {"skipped", std::move(skipped)},   {"more_skipped", coverage.more_skipped}};
}

Json counts_object(const Report& report) {
  Json counts = {{"total", report.findings.size()}, {"ignored", report.ignored}, {"in_baseline", report.in_baseline}};
  for (const Severity severity : {Severity::critical, Severity::high, Severity::medium, Severity::low}) {
    counts[std::string(to_string(severity))] = std::ranges::count(report.findings, severity, &Finding::severity);
  }
  return counts;
}

// The character at the start of `text` when it must be escaped, else 0: DEL and C1, soft hyphen, marks that are
// invisible or reorder, U+FEFF. All of them are two or three bytes, which dump_json leaves as they are.
char32_t hidden(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  if (at(0) == 0x7f) return 0x7f;
  if (at(0) == 0xc2 && (at(1) < 0xa0 || at(1) == 0xad)) return at(1);
  if (at(0) == 0xd8 && at(1) == 0x9c) return 0x61c;
  if (at(0) == 0xef && at(1) == 0xbb && at(2) == 0xbf) return 0xfeff;
  if (at(0) != 0xe2 || (at(1) != 0x80 && at(1) != 0x81)) return 0;
  const char32_t character = 0x2000U | (at(1) & 0x3fU) << 6 | (at(2) & 0x3fU);
  const bool is_hidden = (character >= 0x200b && character <= 0x200f) || (character >= 0x2028 && character <= 0x202e) ||
                         (character >= 0x2060 && character <= 0x206f);
  return is_hidden ? character : 0;
}

}  // namespace

Json finding_object(const Report& report, const Finding& finding) {
  Json locations = Json::array();
  for (const Location& location : finding.locations) locations.push_back(location_object(report, location));
  Json object = {{"rule", finding.rule},
                 {"title", finding.title},
                 {"description", finding.description},
                 {"severity", to_string(finding.severity)},
                 {"confidence", to_string(finding.confidence)},
                 {"fingerprint", to_string(finding.fingerprint)},
                 {"redacted", finding.redacted},
                 {"tags", finding.tags},
                 {"notes", finding.notes},
                 {"fix", finding.fix},
                 {"docs", finding.docs},
                 {"locations", std::move(locations)}};
  if (!finding.secret.empty()) object["secret"] = finding.secret;
  return object;
}

Json summary_object(const Report& report) {
  Json images = Json::array();
  for (const Image& image : report.images) images.push_back(image_object(image));
  return {{"schema_version", 1},
          {"tool",
           {{"name", "scan-secrets"},
            {"version", report.tool_version},
            {"engine", report.engine},
            {"rules_hash", report.rules_hash},
            {"rules", report.rules}}},
          {"command", report.command},
          {"target", report.target},
          {"started", report.started},
          {"duration_ms", report.duration_ms},
          {"complete", report.coverage.complete()},
          {"exit_code", report.exit_code},
          {"fail_on", report.fail_on ? Json(to_string(*report.fail_on)) : Json(nullptr)},
          {"summary", counts_object(report)},
          {"images", std::move(images)},
          {"coverage", coverage_object(report.coverage)},
          {"stale_ignores", report.stale_ignores}};
}

std::string printed(const Json& value, int indent) {
  const std::string text = base::dump_json(value, indent);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = std::string_view(text).substr(i);
    if (const char32_t character = hidden(rest)) {
      out += hex_escape('u', character, 4);
      i += character < 0x80 ? 0 : character < 0x800 ? 1 : 2;
    } else if (rest.starts_with("##") || rest.starts_with("</") || rest.starts_with("<!")) {
      // Outside of strings JSON has none of these, and within them no escape ends in one.
      out += hex_escape('u', static_cast<unsigned char>(text[i]), 4);
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace scanner::report
