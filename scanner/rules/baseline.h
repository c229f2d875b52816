#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/base/result.h"

namespace scanner::rules {

/// A finding that is known and accepted. Holds no secret: a fingerprint says nothing without its key.
struct Known {
  std::string fingerprint;  ///< "v1:…"
  std::string rule;         ///< For people.
  std::string reason;       ///< For people; may be empty.
};

/// The findings of an earlier run, or of a review, that later runs leave out.
class Baseline {
 public:
  /// Takes `{"version": 1, "tool": "scan-secrets", "findings": [{"fingerprint", "rule", "reason"}]}` and nothing more;
  /// only `reason` may be missing. `Errc::config` names the place of the first mistake; `file` is for that message.
  static base::Result<Baseline> parse(std::string_view json, const std::string& file);

  [[nodiscard]] bool contains(std::string_view fingerprint) const { return by_fingerprint_.contains(fingerprint); }
  [[nodiscard]] std::size_t size() const { return by_fingerprint_.size(); }
  /// By fingerprint.
  [[nodiscard]] std::vector<Known> known() const;

 private:
  std::map<std::string, Known, std::less<>> by_fingerprint_;
};

/// What `Baseline::parse` takes, as a text that depends on nothing but the set of findings: sorted by rule and
/// fingerprint, each fingerprint once (the first one given stays), one finding a line.
std::string to_json(const std::vector<Known>& findings);

}  // namespace scanner::rules
