#include "scanner/rules/loader.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>
#include <utility>

#include "scanner/base/fd.h"
#include "scanner/rules/lint.h"
#include "scanner/rules/rule_file.h"

namespace scanner::rules {
namespace {

using base::Errc;

constexpr std::size_t kMaxFileBytes = 8U << 20;
/// How many files deep [extend] is followed; gitleaks' number.
constexpr int kMaxExtendDepth = 2;

/// Rule files put together: each id once, in order.
struct Assembly {
  std::vector<Draft> rules;
  std::vector<GlobalAllowlist> allowlists;
  /// It changes the built-in rules, whose ids differ from those that a file written for gitleaks may name.
  bool on_builtin = false;

  Draft* find(std::string_view id) {
    const auto it = std::ranges::find(rules, id, [](const Draft& draft) -> std::string_view { return draft.rule.id; });
    return it == rules.end() ? nullptr : &*it;
  }
};

Draft draft_of(const Rule& rule) {
  Draft draft{rule, {}};
  for (const char* key : {"title", "severity", "confidence", "generic", "regex", "path"}) {
    draft.given.emplace(key, rule.origin);
  }
  return draft;
}

template <typename T>
void append(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

/// Appends the texts that are not there yet.
void add(std::vector<std::string>& to, std::vector<std::string>& from) {
  for (std::string& text : from) {
    if (std::ranges::find(to, text) == to.end()) to.push_back(std::move(text));
  }
}

/// Changes `base` as a table of the same id in an extending file says.
void merge(Draft& base, Draft changes) {
  const auto take = [&](std::string_view key, auto member) {
    if (changes.given.contains(key)) base.rule.*member = std::move(changes.rule.*member);
  };
  const bool other_regex = changes.given.contains("regex");
  take("title", &Rule::title);
  take("description", &Rule::description);
  take("fix", &Rule::fix);
  take("docs", &Rule::docs);
  take("severity", &Rule::severity);
  take("confidence", &Rule::confidence);
  take("generic", &Rule::generic);
  take("skipReport", &Rule::skip_report);
  take("regex", &Rule::regex);
  take("path", &Rule::path);
  take("secretGroup", &Rule::secret_group);
  take("entropy", &Rule::entropy);
  take("context", &Rule::context);
  take("checks", &Rule::checks);
  take("required", &Rule::required);
  if (other_regex || changes.given.contains("matches")) base.rule.matches = std::move(changes.rule.matches);
  if (other_regex || changes.given.contains("near_misses")) base.rule.near_misses = std::move(changes.rule.near_misses);
  add(base.rule.tags, changes.rule.tags);
  add(base.rule.keywords, changes.rule.keywords);
  append(base.rule.allowlists, changes.rule.allowlists);
  base.rule.origin = changes.rule.origin;
  for (auto& [key, origin] : changes.given) base.given.insert_or_assign(key, std::move(origin));
}

class Loader {
 public:
  explicit Loader(const LoadOptions& options) : options_(options) {}

  void add_file(const std::string& path) { add(resolve_path(path, {path, 0}, 0)); }

  void add_text(std::string_view toml, const std::string& file) {
    chain_ = {std::filesystem::path(file).lexically_normal()};
    add(resolve(parse_rule_file(toml, file, problems_), file, 0));
    chain_.clear();
  }

  base::Result<Loaded> finish() {
    Loaded loaded;
    drop_changes_to_nothing();
    for (Draft& draft : all_.rules) complete(draft);
    check_required();
    for (GlobalAllowlist& global : all_.allowlists) check_targets(global, loaded.rules.allowlists);
    if (all_.rules.empty() && problems_.errors.empty()) {
      problems_.errors.push_back({{}, "", "no rules: give [[rules]], or [extend] with useDefault = true"});
    }
    if (!problems_.errors.empty()) return base::fail(Errc::config, all_mistakes());
    for (Draft& draft : all_.rules) loaded.rules.rules.push_back(std::move(draft.rule));
    loaded.rules.hash = hash_of(loaded.rules);
    loaded.warnings = all_warnings();
    return loaded;
  }

 private:
  void error(const Origin& where, const std::string& rule, std::string message) {
    problems_.errors.push_back({where, rule, std::move(message)});
  }
  void warn(const Origin& where, const std::string& rule, std::string message) {
    problems_.warnings.push_back({where, rule, std::move(message)});
  }

  Assembly resolve_path(const std::string& path, const Origin& named_by, int depth) {
    std::error_code ignored;
    const std::filesystem::path real = std::filesystem::weakly_canonical(path, ignored);
    if (std::ranges::find(chain_, real) != chain_.end()) {
      error(named_by, "", "extend leads back to " + path);
      return {};
    }
    const auto text = base::read_file(path, kMaxFileBytes);
    if (!text) {
      error(named_by, "", text.error().message());
      return {};
    }
    chain_.push_back(real);
    Assembly result = resolve(parse_rule_file(*text, path, problems_), path, depth);
    chain_.pop_back();
    return result;
  }

  /// `file` on top of what it extends.
  Assembly resolve(RuleFile file, const std::string& name, int depth) {
    Assembly result;
    if (file.extend) result = extended(*file.extend, name, depth);
    std::set<std::string> own;
    for (Draft& draft : file.rules) {
      if (draft.rule.id.empty()) continue;
      Draft* known = result.find(draft.rule.id);
      if (!own.insert(draft.rule.id).second) {
        taken(draft, *known);
      } else if (known != nullptr) {
        merge(*known, std::move(draft));
      } else {
        result.rules.push_back(std::move(draft));
      }
    }
    append(result.allowlists, file.allowlists);
    return result;
  }

  Assembly extended(const Extend& extend, const std::string& name, int depth) {
    Assembly result;
    if (depth >= kMaxExtendDepth) {
      warn(extend.origin, "", "extend is not followed further than " + std::to_string(kMaxExtendDepth) + " files");
    } else if (extend.use_default) {
      result = builtin(extend);
    } else if (!extend.path.empty()) {
      const std::filesystem::path path = std::filesystem::path(name).parent_path() / extend.path;
      result = resolve_path(path.string(), extend.origin, depth + 1);
    }
    for (const std::string& id : extend.disabled_rules) {
      const auto has_id = [&](const Draft& draft) { return draft.rule.id == id; };
      if (std::erase_if(result.rules, has_id) == 0) {
        warn(extend.origin, "", "disabledRules names " + id + ", which is not among the rules that are extended");
      }
    }
    return result;
  }

  Assembly builtin(const Extend& extend) {
    Assembly result;
    if (options_.builtin == nullptr) {
      error(extend.origin, "", "there are no built-in rules to extend here");
      return result;
    }
    result.on_builtin = true;
    for (const Rule& rule : options_.builtin->rules) result.rules.push_back(draft_of(rule));
    for (const Allowlist& list : options_.builtin->allowlists) result.allowlists.push_back({list, {}});
    return result;
  }

  void taken(const Draft& draft, const Draft& by) {
    const Origin& first = by.rule.origin;
    error(draft.rule.origin, draft.rule.id, "the id is taken by " + first.file + ":" + std::to_string(first.line));
  }

  /// Puts another file beside those that are there. Files may extend the same third one: its rules count once.
  void add(Assembly other) {
    const auto same = [](const Origin& a, const Origin& b) { return a.file == b.file && a.line == b.line; };
    for (Draft& draft : other.rules) {
      const Draft* known = all_.find(draft.rule.id);
      if (known == nullptr) {
        all_.rules.push_back(std::move(draft));
      } else if (!same(known->rule.origin, draft.rule.origin)) {
        taken(draft, *known);
      }
    }
    for (GlobalAllowlist& list : other.allowlists) {
      const auto is_same = [&](const GlobalAllowlist& known) { return same(known.origin, list.origin); };
      const bool from_builtin = list.origin.file.empty() && !all_.on_builtin;
      if (from_builtin || std::ranges::none_of(all_.allowlists, is_same)) all_.allowlists.push_back(std::move(list));
    }
    all_.on_builtin = all_.on_builtin || other.on_builtin;
  }

  void drop_changes_to_nothing() {
    const auto is_empty = [](const Draft& draft) {
      return !draft.given.contains("regex") && !draft.given.contains("path");
    };
    for (const Draft& draft : all_.rules) {
      if (!is_empty(draft)) continue;
      if (all_.on_builtin) {
        warn(draft.rule.origin, draft.rule.id, "changes a rule that is not built in: ignored");
      } else {
        error(draft.rule.origin, draft.rule.id, "needs a regex or a path");
      }
    }
    if (all_.on_builtin) std::erase_if(all_.rules, is_empty);
  }

  /// Fills in what was left out, and checks what depends on several keys.
  void complete(Draft& draft) {
    Rule& rule = draft.rule;
    const bool catch_all = rule.id.find("generic") != std::string::npos;
    if (!draft.given.contains("title")) rule.title = rule.description.empty() ? rule.id : rule.description;
    if (!draft.given.contains("generic")) rule.generic = catch_all;
    if (!draft.given.contains("confidence")) rule.confidence = catch_all ? Confidence::low : Confidence::medium;
    if (!draft.given.contains("severity")) rule.severity = catch_all ? Severity::medium : Severity::high;
    for (const std::string& check : rule.checks) {
      const bool known = options_.known_check && options_.known_check(check);
      if (!known) error(origin_of(draft, "checks"), rule.id, "there is no check " + check);
    }
    if (!rule.regex.empty()) complete_regex(draft);
  }

  void complete_regex(Draft& draft) {
    Rule& rule = draft.rule;
    auto shape = shape_of(rule.regex);
    if (!shape) return;  // Reported when the file was read.
    if (shape->min_width == 0) error(origin_of(draft, "regex"), rule.id, "the regex matches the empty text");
    if (rule.secret_group > shape->groups) {
      error(origin_of(draft, "secretGroup"), rule.id,
            "secretGroup is " + std::to_string(rule.secret_group) + ", but the regex has " +
                std::to_string(shape->groups) + (shape->groups == 1 ? " group" : " groups"));
    }
    if (shape->literal.size() < kMinLiteral && rule.keywords.empty()) {
      warn(origin_of(draft, "regex"), rule.id,
           "no text of at least " + std::to_string(kMinLiteral) +
               " bytes is in every match, and there are no keywords: this rule slows every scan down");
    }
    rule.literal = std::move(shape->literal);
    rule.runs = shape->runs;
  }

  static Origin origin_of(const Draft& draft, std::string_view key) {
    const auto it = draft.given.find(key);
    return it == draft.given.end() ? draft.rule.origin : it->second;
  }

  void check_required() {
    for (const Draft& draft : all_.rules) {
      for (const Required& required : draft.rule.required) {
        if (required.rule_id.empty()) continue;
        const Origin where = origin_of(draft, "required");
        if (required.rule_id == draft.rule.id) {
          error(where, draft.rule.id, "a rule cannot require itself");
        } else if (all_.find(required.rule_id) == nullptr) {
          error(where, draft.rule.id, "requires " + required.rule_id + ", which is no rule");
        }
      }
    }
  }

  void check_targets(GlobalAllowlist& global, std::vector<Allowlist>& out) {
    std::vector<std::string>& targets = global.list.target_rules;
    const bool for_all = targets.empty();
    std::erase_if(targets, [&](const std::string& id) {
      if (all_.find(id) != nullptr) return false;
      const std::string message = "targetRules names " + id + ", which is no rule";
      all_.on_builtin ? warn(global.origin, "", message) : error(global.origin, "", message);
      return true;
    });
    // A list whose targets are all gone must not become one for every rule.
    if (for_all || !targets.empty()) out.push_back(std::move(global.list));
  }

  /// One a line. Files that extend the same third one would each repeat its mistakes.
  [[nodiscard]] std::string all_mistakes() const {
    std::set<std::string> seen;
    std::string text;
    for (const Problem& problem : problems_.errors) {
      const std::string line = to_string(problem);
      if (!seen.insert(line).second) continue;
      if (!text.empty()) text += '\n';
      text += line;
    }
    return text;
  }

  [[nodiscard]] std::vector<Problem> all_warnings() const {
    std::set<std::string> seen;
    std::vector<Problem> warnings;
    for (const Problem& problem : problems_.warnings) {
      if (seen.insert(to_string(problem)).second) warnings.push_back(problem);
    }
    return warnings;
  }

  const LoadOptions& options_;
  Problems problems_;
  std::vector<std::filesystem::path> chain_;
  Assembly all_;
};

}  // namespace

std::string to_string(const Problem& problem) {
  std::string text = problem.origin.file;
  if (problem.origin.line > 0) text += ':' + std::to_string(problem.origin.line);
  if (!text.empty()) text += ": ";
  if (!problem.rule.empty()) text += "rule " + problem.rule + ": ";
  return text + problem.message;
}

base::Result<Loaded> load_files(const std::vector<std::string>& paths, const LoadOptions& options) {
  Loader loader(options);
  for (const std::string& path : paths) loader.add_file(path);
  return loader.finish();
}

base::Result<Loaded> load_text(std::string_view toml, const std::string& file, const LoadOptions& options) {
  Loader loader(options);
  loader.add_text(toml, file);
  return loader.finish();
}

}  // namespace scanner::rules
