#include "scanner/cli/rules_command.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "scanner/base/fd.h"
#include "scanner/base/json.h"
#include "scanner/cli/engine.h"
#include "scanner/rules/baseline.h"
#include "scanner/rules/lint.h"
#include "scanner/scan/searcher.h"

namespace scanner::cli {
namespace {

constexpr int kUsage = 2;
constexpr std::size_t kMaxReport = 256U << 20;

int failed(const std::string& message) {
  std::fprintf(stderr, "scan-secrets: %s\n", message.c_str());
  return kUsage;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

void show(const Rule& rule) {
  const auto line = [](const char* name, const std::string& value) {
    if (!value.empty()) std::printf("%-12s %s\n", name, value.c_str());
  };
  line("id", rule.id);
  line("title", rule.title);
  line("about", rule.description);
  line("severity", std::string(to_string(rule.severity)));
  line("confidence", std::string(to_string(rule.confidence)));
  line("regex", rule.regex);
  line("path", rule.path);
  line("literal", rule.literal);
  line("keywords", joined(rule.keywords));
  line("context", joined(rule.context.words));
  line("checks", joined(rule.checks));
  if (rule.entropy > 0) line("entropy", "> " + std::to_string(rule.entropy));
  line("tags", joined(rule.tags));
  line("fix", rule.fix);
  line("docs", rule.docs);
}

int list(const RuleSet& rules) {
  std::vector<const Rule*> sorted;
  sorted.reserve(rules.rules.size());
  for (const Rule& rule : rules.rules) sorted.push_back(&rule);
  std::ranges::sort(sorted, {}, &Rule::id);
  for (const Rule* rule : sorted) {
    std::printf("%-9s %-44s %s\n", std::string(to_string(rule->severity)).c_str(), rule->id.c_str(),
                rule->title.c_str());
  }
  return 0;
}

/// How many findings of rule `number` the text gives.
std::size_t count_hits(const std::string& text, std::uint32_t number, scan::Searcher& searcher) {
  scan::Outcome outcome;
  searcher.text(Entry(), text, outcome);
  return static_cast<std::size_t>(
      std::ranges::count_if(outcome.found, [&](const scan::Found& found) { return found.hit.rule == number; }));
}

/// Runs every example of every rule, through everything that a scan goes through.
int test(const RuleSet& rules, const match::Database& database, const judge::Judge& judge) {
  const Limits limits;
  scan::Progress progress;
  auto searcher = scan::Searcher::create({&database, &judge}, limits, progress);
  if (!searcher) return failed(searcher.error().message());
  std::size_t passed = 0;
  std::size_t wrong = 0;
  for (std::uint32_t number = 0; number < rules.rules.size(); ++number) {
    const Rule& rule = rules.rules[number];
    const auto check = [&](const std::vector<std::string>& examples, const char* kind, std::size_t expected) {
      for (std::size_t i = 0; i < examples.size(); ++i) {
        const std::size_t found = count_hits(examples[i], number, *searcher);
        if (found == expected) {
          ++passed;
          continue;
        }
        ++wrong;
        std::printf("%s:%u: rule %s: %s %zu gives %zu findings, not %zu\n", rule.origin.file.c_str(), rule.origin.line,
                    rule.id.c_str(), kind, i + 1, found, expected);
      }
    };
    check(rule.matches, "match", 1);
    check(rule.near_misses, "near miss", 0);
  }
  std::printf("%zu passed, %zu failed\n", passed, wrong);
  return wrong == 0 ? 0 : 1;
}

int check_or_test(const Options& options) {
  std::vector<std::string> problems;
  auto rules = load_rule_files(options.targets, problems);
  if (!rules) return failed(rules.error().message());
  if (options.action == "check") {
    for (const Rule& rule : rules->rules) {
      for (const rules::Problem& problem : rules::lint(rule)) problems.push_back(to_string(problem));
    }
  }
  auto judge = judge::Judge::create(*rules, {});
  if (!judge) return failed(judge.error().message());
  if (auto compiled = judge->compile_all(); !compiled) return failed(compiled.error().message());
  auto database = match::Database::compile(*rules);
  if (!database) return failed(database.error().message());
  for (const std::string& problem : problems) std::printf("%s\n", problem.c_str());
  if (options.action == "test") return test(*rules, *database, *judge);
  std::printf("%zu rules, %zu remarks\n", rules->rules.size(), problems.size());
  return problems.empty() ? 0 : 1;
}

}  // namespace

int run_rules(const Options& options) {
  if (options.action == "check" || options.action == "test") return check_or_test(options);
  std::vector<std::string> warnings;
  auto rules = options.config.empty() ? builtin_rules() : load_rule_files({options.config}, warnings);
  if (!rules) return failed(rules.error().message());
  if (options.action == "list") return list(*rules);
  bool first = true;
  for (const std::string& id : options.targets) {
    const auto rule = std::ranges::find(rules->rules, id, &Rule::id);
    if (rule == rules->rules.end()) return failed("no rule " + id);
    if (!first) std::printf("\n");
    show(*rule);
    first = false;
  }
  return 0;
}

int run_baseline(const Options& options) {
  const std::string& path = options.targets.front();
  auto text = base::read_file(path == "-" ? "/dev/stdin" : path, kMaxReport);
  if (!text) return failed(text.error().message());
  const auto report = base::parse_json(*text);
  if (!report) return failed(path + ": " + report.error().message());
  if (!report->is_object() || !report->contains("findings") || !report->at("findings").is_array()) {
    return failed(path + ": no report in JSON: it has no findings");
  }
  std::vector<rules::Known> known;
  for (const base::Json& finding : report->at("findings")) {
    const std::string fingerprint = base::string_member(finding, "fingerprint");
    if (fingerprint.empty()) return failed(path + ": a finding has no fingerprint");
    known.push_back({fingerprint, base::string_member(finding, "rule"), ""});
  }
  const std::string baseline = rules::to_json(known);
  const std::string& file = options.outputs.front().file;
  if (file.empty()) return std::fwrite(baseline.data(), 1, baseline.size(), stdout) == baseline.size() ? 0 : kUsage;
  if (auto written = base::write_file(file, baseline); !written) return failed(written.error().message());
  return 0;
}

}  // namespace scanner::cli
