#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scanner/model/finding.h"

namespace scanner::report {

/// A value that no report may ever show. The frames of the samples hold its masked form.
inline constexpr std::string_view kSecret = "hunter2-raw-secret-value";

/// Reports as scans of several outcomes leave them.
Report clean_report();
/// An image of six layers with four secrets: in a deleted file, in the configuration and its history, in an archive.
Report leaky_report();
/// Nothing found, and gaps of several kinds.
Report incomplete_report();
/// Thirty findings, one of which stands in twelve places.
Report long_report();
/// A directory with one finding, one exclusion and one stale ignore entry.
Report directory_report();
/// Two platforms of one image.
Report platforms_report();
/// Every field that a target, a rule file or the user can fill holds `text`.
Report filled_report(const std::string& text);
/// What a hostile target would put there: escape sequences, bidirectional overrides, NUL, newlines, bytes that are no
/// UTF-8, workflow commands, HTML.
std::string hostile_text();

struct Sample {
  std::string name;
  Report report;
};
std::vector<Sample> samples();

}  // namespace scanner::report
