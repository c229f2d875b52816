#pragma once

#include <memory>
#include <string>
#include <vector>

#include "scanner/base/result.h"
#include "scanner/cli/options.h"
#include "scanner/judge/judge.h"
#include "scanner/match/database.h"
#include "scanner/model/rule.h"

namespace scanner::cli {

/// Rules, and the machines made of them. Keeps their addresses.
struct LoadedRules {
  std::unique_ptr<RuleSet> rules;
  std::unique_ptr<match::Database> database;
  std::unique_ptr<judge::Judge> judge;
  std::vector<std::string> warnings;
};

/// The built-in rules as values, without their machines.
base::Result<RuleSet> builtin_rules();

/// The rules that `options` ask for: the built-in ones, ready in milliseconds, or a user's own, compiled once and then
/// kept under $XDG_CACHE_HOME/scan-secrets. A cache that is damaged, of another engine or of other rules, or that
/// somebody else could have written, is not used.
base::Result<LoadedRules> load_rules(const Options& options);

/// Rule files as values; for `rules check` and `rules test` too.
base::Result<RuleSet> load_rule_files(const std::vector<std::string>& files, std::vector<std::string>& warnings);

}  // namespace scanner::cli
