#include "scanner/judge/judge.h"

#include <algorithm>
#include <ctime>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "scanner/judge/compiled_rules.h"

namespace scanner::judge {
namespace {

using base::Errc;
using base::fail;
using base::Ok;

std::string place_of(const Rule& rule) {
  return rule.origin.file + ":" + std::to_string(rule.origin.line) + ": rule " + rule.id;
}

CompiledAllowlist& add_list(Judge::Impl& impl, const Allowlist& source) {
  CompiledAllowlist& list = impl.lists.emplace_back();
  list.source = &source;
  list.number = impl.lists.size() - 1;
  for (const std::string& path : source.paths) list.paths.emplace_back(path);
  for (const std::string& regex : source.regexes) list.regexes.emplace_back(regex);
  list.stopwords = Words(source.stopwords);
  return list;
}

Ok add_checks(const Rule& rule, CompiledRule& compiled) {
  for (const std::string& name : rule.checks) {
    const Check check = find_check(name);
    if (check == nullptr) return fail(Errc::config, place_of(rule) + ": no check is called " + name);
    compiled.checks.push_back(check);
  }
  return {};
}

using Numbers = std::unordered_map<std::string_view, std::uint32_t>;

Ok add_required(const Rule& rule, const Numbers& numbers, CompiledRule& compiled) {
  for (const Required& required : rule.required) {
    const auto found = numbers.find(required.rule_id);
    if (found == numbers.end()) {
      return fail(Errc::config, place_of(rule) + ": requires rule " + required.rule_id + ", which does not exist");
    }
    compiled.required.push_back(found->second);
  }
  return {};
}

Ok add_rule(Judge::Impl& impl, const Rule& rule, const Numbers& numbers) {
  CompiledRule& compiled = impl.rules.emplace_back();
  compiled.source = &rule;
  if (rule.regex.empty()) {
    impl.path_only.push_back(static_cast<std::uint32_t>(impl.rules.size() - 1));
  } else {
    compiled.regex.emplace(rule.regex, rule.secret_group);
  }
  if (!rule.path.empty()) compiled.path.emplace(rule.path);
  compiled.keywords = Words(rule.keywords);
  compiled.context = Words(rule.context.words);
  for (const Allowlist& list : rule.allowlists) compiled.allowlists.push_back(&add_list(impl, list));
  if (auto done = add_checks(rule, compiled); !done) return done;
  return add_required(rule, numbers, compiled);
}

void add_global_list(Judge::Impl& impl, const Allowlist& source, const Numbers& numbers) {
  const CompiledAllowlist& list = add_list(impl, source);
  if (source.target_rules.empty()) {
    impl.for_all.push_back(&list);
    for (CompiledRule& rule : impl.rules) rule.allowlists.push_back(&list);
    return;
  }
  for (const std::string& id : source.target_rules) {
    if (const auto found = numbers.find(id); found != numbers.end()) {
      impl.rules[found->second].allowlists.push_back(&list);
    }
  }
}

void note(const Regex& regex, const std::string& place, std::string& problems) {
  if (regex.problem().empty()) return;
  if (!problems.empty()) problems += '\n';
  problems += place + ": " + regex.problem();
}

void note(const CompiledAllowlist& list, const std::string& place, std::string& problems) {
  for (const Regex& path : list.paths) note(path, place + ": path of an allowlist", problems);
  for (const Regex& regex : list.regexes) note(regex, place + ": regex of an allowlist", problems);
}

}  // namespace

Judge::Judge(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Judge::Judge(Judge&&) noexcept = default;
Judge& Judge::operator=(Judge&&) noexcept = default;
Judge::~Judge() = default;

base::Result<Judge> Judge::create(const RuleSet& rules, Options options) {
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
  impl->now_unix = static_cast<std::int64_t>(std::time(nullptr));
  Numbers numbers;
  for (std::uint32_t i = 0; i < rules.rules.size(); ++i) numbers.emplace(rules.rules[i].id, i);
  for (const Rule& rule : rules.rules) {
    if (auto done = add_rule(*impl, rule, numbers); !done) return fail(std::move(done).error());
  }
  for (const Allowlist& list : rules.allowlists) add_global_list(*impl, list, numbers);
  return Judge(std::move(impl));
}

Ok Judge::compile_all() const {
  std::string problems;
  std::vector<bool> noted(impl_->lists.size());
  for (const CompiledRule& rule : impl_->rules) {
    const std::string place = place_of(*rule.source);
    if (rule.regex) note(*rule.regex, place + ": regex", problems);
    if (rule.path) note(*rule.path, place + ": path", problems);
    for (std::size_t i = 0; i < rule.source->allowlists.size(); ++i) {
      note(*rule.allowlists[i], place, problems);
      noted[rule.allowlists[i]->number] = true;
    }
  }
  for (const CompiledAllowlist& list : impl_->lists) {
    if (!noted[list.number]) note(list, "global allowlist \"" + list.source->description + "\"", problems);
  }
  if (!problems.empty()) return fail(Errc::config, problems);
  return {};
}

}  // namespace scanner::judge
