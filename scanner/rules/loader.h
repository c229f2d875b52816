#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/base/result.h"
#include "scanner/model/rule.h"

namespace scanner::rules {

/// Something about a rule file that its author should know. `rule` may be empty.
struct Problem {
  Origin origin;
  std::string rule;
  std::string message;
};

/// "patterns/acme.toml:12: rule acme.token: secretGroup 3, but the regex has 1 group".
std::string to_string(const Problem& problem);

struct LoadOptions {
  /// Whether judge has an offline check of this name.
  std::function<bool(std::string_view)> known_check;
  /// The built-in rules, for `[extend] useDefault = true`. May be null: then that is an error.
  const RuleSet* builtin = nullptr;
};

struct Loaded {
  RuleSet rules;
  std::vector<Problem> warnings;  ///< Accepted, but not as its author may think: unknown keys, ignored features.
};

/// Reads rule files in the format of patterns/README.md, of which a `.gitleaks.toml` is a subset, in the order given,
/// as one set. `[extend] path` is relative to the file that names it.
/// `Errc::config` lists every mistake of every file, one a line, each with file, line and rule.
base::Result<Loaded> load_files(const std::vector<std::string>& paths, const LoadOptions& options);

/// The same for a text that is in memory; `file` is the name that messages use.
base::Result<Loaded> load_text(std::string_view toml, const std::string& file, const LoadOptions& options);

/// RuleSet::hash of `rules`.
std::string hash_of(const RuleSet& rules);

}  // namespace scanner::rules
