#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/model/rule.h"
#include "scanner/rules/loader.h"

namespace scanner::rules {

/// What is wrong with rule files (they are refused), and what may surprise their author (they are taken).
struct Problems {
  std::vector<Problem> errors;
  std::vector<Problem> warnings;
};

/// A rule as one table writes it: perhaps only changes to a rule of the file that is extended.
struct Draft {
  Rule rule;
  /// The keys that are there and not empty, as patterns/README.md spells them, and where each stands.
  std::map<std::string, Origin, std::less<>> given;
};

/// An allowlist for all rules, or for its `target_rules`.
struct GlobalAllowlist {
  Allowlist list;
  Origin origin;
};

struct Extend {
  std::string path;  ///< As written; empty: none.
  bool use_default = false;
  std::vector<std::string> disabled_rules;
  Origin origin;
};

/// One rule file, each value checked by itself: types, names, ranges, regexes (translated). What needs other rules or
/// files is left to the loader.
struct RuleFile {
  std::optional<Extend> extend;
  std::vector<Draft> rules;
  std::vector<GlobalAllowlist> allowlists;
};

/// Adds every mistake in `toml` to `problems`; what is returned is then of no use but for finding further mistakes.
RuleFile parse_rule_file(std::string_view toml, const std::string& file, Problems& problems);

}  // namespace scanner::rules
