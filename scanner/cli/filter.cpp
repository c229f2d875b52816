#include "scanner/cli/filter.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <set>

#include "scanner/base/fd.h"
#include "scanner/rules/baseline.h"
#include "scanner/rules/ignore_file.h"

namespace scanner::cli {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::size_t kMaxFile = 64U << 20;
constexpr const char* kDefaultIgnoreFile = ".gitleaksignore";

std::string path_of(const Location& location) {
  std::string path = location.entry.path;
  for (const std::string& member : location.entry.inner) path += "!" + member;
  return path;
}

Result<void> check_rule_names(const std::vector<std::string>& names, const RuleSet& rules, const char* option) {
  for (const std::string& name : names) {
    if (std::ranges::none_of(rules.rules, [&](const Rule& rule) { return rule.id == name; })) {
      return fail(Errc::usage, std::string(option) + ": no rule " + name);
    }
  }
  return {};
}

void select_rules(const Options& options, Report& report) {
  const auto has = [](const std::vector<std::string>& list, const std::string& id) {
    return std::ranges::find(list, id) != list.end();
  };
  std::erase_if(report.findings, [&](const Finding& finding) {
    return (!options.enable_rules.empty() && !has(options.enable_rules, finding.rule)) ||
           has(options.disable_rules, finding.rule);
  });
}

Result<void> apply_ignores(const Options& options, Report& report, std::vector<std::string>& warnings) {
  std::string file = options.ignore_file;
  if (file.empty() && ::access(kDefaultIgnoreFile, F_OK) == 0) file = kDefaultIgnoreFile;
  if (file.empty()) return {};
  auto text = base::read_file(file, kMaxFile);
  if (!text) return fail(Errc::usage, text.error().message());
  const auto ignores = rules::IgnoreFile::parse(*text, file);
  for (const rules::Problem& problem : ignores.problems()) warnings.push_back(to_string(problem));
  std::set<std::size_t> met;
  std::erase_if(report.findings, [&](Finding& finding) {
    const std::string fingerprint = to_string(finding.fingerprint);
    std::erase_if(finding.locations, [&](const Location& location) {
      const auto matching = ignores.matching(path_of(location), finding.rule, location.line, fingerprint);
      met.insert(matching.begin(), matching.end());
      return !matching.empty();
    });
    if (finding.locations.empty()) ++report.ignored;
    return finding.locations.empty();
  });
  for (std::size_t i = 0; i < ignores.ignores().size(); ++i) {
    const Origin& origin = ignores.ignores()[i].origin;
    if (!met.contains(i)) report.stale_ignores.push_back(origin.file + ":" + std::to_string(origin.line));
  }
  return {};
}

Result<void> apply_baseline(const Options& options, Report& report) {
  if (options.baseline.empty()) return {};
  auto text = base::read_file(options.baseline, kMaxFile);
  if (!text) return fail(Errc::usage, text.error().message());
  auto baseline = rules::Baseline::parse(*text, options.baseline);
  if (!baseline) return fail(std::move(baseline).error());
  report.in_baseline = std::erase_if(
      report.findings, [&](const Finding& finding) { return baseline->contains(to_string(finding.fingerprint)); });
  return {};
}

}  // namespace

Result<void> filter_findings(const Options& options, const RuleSet& rules, Report& report,
                             std::vector<std::string>& warnings) {
  if (auto known = check_rule_names(options.enable_rules, rules, "--enable-rule"); !known) return known;
  if (auto known = check_rule_names(options.disable_rules, rules, "--disable-rule"); !known) return known;
  select_rules(options, report);
  if (auto applied = apply_ignores(options, report, warnings); !applied) return applied;
  return apply_baseline(options, report);
}

int exit_code_of(const Options& options, const Report& report) {
  const bool fails = options.fail_on && std::ranges::any_of(report.findings, [&](const Finding& finding) {
                       return finding.severity >= *options.fail_on;
                     });
  if (fails) return options.exit_code.value_or(1);
  return report.coverage.complete() ? 0 : 3;
}

}  // namespace scanner::cli
