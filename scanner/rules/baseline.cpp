#include "scanner/rules/baseline.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <set>
#include <utility>

#include "scanner/base/json.h"
#include "scanner/rules/fingerprint_text.h"

namespace scanner::rules {
namespace {

using base::Errc;
using base::Json;

constexpr const char* kTool = "scan-secrets";
constexpr int kVersion = 1;

/// The mistake in an object's keys, if there is one.
std::optional<std::string> wrong_keys(const Json& object, std::initializer_list<std::string_view> allowed) {
  if (!object.is_object()) return "is no object";
  for (const auto& [key, value] : object.items()) {
    if (std::ranges::find(allowed, std::string_view(key)) == allowed.end()) return "has an unknown member";
  }
  return std::nullopt;
}

std::optional<std::string> wrong_finding(const Json& finding) {
  if (auto mistake = wrong_keys(finding, {"fingerprint", "rule", "reason"})) return mistake;
  if (!is_fingerprint(base::string_member(finding, "fingerprint"))) return ".fingerprint is not v1: and 32 hex digits";
  if (base::string_member(finding, "rule").empty()) return ".rule is missing";
  if (finding.contains("reason") && !finding["reason"].is_string()) return ".reason is no text";
  return std::nullopt;
}

std::optional<std::string> wrong_document(const Json& document) {
  if (auto mistake = wrong_keys(document, {"version", "tool", "findings"})) return "the document " + *mistake;
  if (base::string_member(document, "tool") != kTool) return std::string("tool is not ") + kTool;
  const auto version = document.find("version");
  if (version == document.end() || *version != Json(kVersion)) return "version is not " + std::to_string(kVersion);
  const auto findings = document.find("findings");
  if (findings == document.end() || !findings->is_array()) return "findings is no list";
  return std::nullopt;
}

Json encoded(const Known& known) {
  Json finding = {{"fingerprint", known.fingerprint}, {"rule", known.rule}};
  if (!known.reason.empty()) finding["reason"] = known.reason;
  return finding;
}

}  // namespace

base::Result<Baseline> Baseline::parse(std::string_view json, const std::string& file) {
  const auto document = base::parse_json(json);
  if (!document) return base::fail(Errc::config, file + ": " + document.error().message());
  if (const auto mistake = wrong_document(*document)) return base::fail(Errc::config, file + ": " + *mistake);
  Baseline baseline;
  std::size_t position = 0;
  for (const Json& finding : (*document)["findings"]) {
    if (const auto mistake = wrong_finding(finding)) {
      std::string place = file + ": findings[" + std::to_string(position) + "]";
      if (!mistake->starts_with('.')) place += ' ';
      return base::fail(Errc::config, place + *mistake);
    }
    Known known{base::string_member(finding, "fingerprint"), base::string_member(finding, "rule"),
                base::string_member(finding, "reason")};
    std::string fingerprint = known.fingerprint;
    baseline.by_fingerprint_.emplace(std::move(fingerprint), std::move(known));
    ++position;
  }
  return baseline;
}

std::vector<Known> Baseline::known() const {
  std::vector<Known> all;
  all.reserve(by_fingerprint_.size());
  for (const auto& [fingerprint, known] : by_fingerprint_) all.push_back(known);
  return all;
}

std::string to_json(const std::vector<Known>& findings) {
  std::vector<Known> sorted = findings;
  std::ranges::stable_sort(sorted, [](const Known& a, const Known& b) {
    return std::pair(std::string_view(a.rule), std::string_view(a.fingerprint)) <
           std::pair(std::string_view(b.rule), std::string_view(b.fingerprint));
  });
  std::string text =
      "{\n \"version\": " + std::to_string(kVersion) + ",\n \"tool\": \"" + kTool + "\",\n \"findings\": [";
  std::set<std::string> written;
  for (const Known& known : sorted) {
    if (!written.insert(known.fingerprint).second) continue;
    text += written.size() == 1 ? "\n  " : ",\n  ";
    text += base::dump_json(encoded(known));
  }
  text += written.empty() ? "]\n}\n" : "\n ]\n}\n";
  return text;
}

}  // namespace scanner::rules
