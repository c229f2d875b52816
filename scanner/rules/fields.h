#pragma once

#include "scanner/model/rule.h"

/// The fields of a rule set, named once, in the order in which they are stored and hashed. `see` is called with each;
/// what cannot change a result goes to `see.text`. Examples are in neither.
namespace scanner::rules {

template <typename See, typename AllowlistT>
void allowlist_fields(See& see, AllowlistT& list) {
  see.text(list.description);
  see(list.condition);
  see(list.commits);
  see(list.paths);
  see(list.target);
  see(list.regexes);
  see(list.stopwords);
  see(list.target_rules);
}

template <typename See, typename RequiredT>
void required_fields(See& see, RequiredT& required) {
  see(required.rule_id);
  see(required.within_lines);
  see(required.within_columns);
}

template <typename See, typename RuleT>
void rule_fields(See& see, RuleT& rule) {
  see(rule.id);
  see.text(rule.title);
  see.text(rule.description);
  see.text(rule.fix);
  see.text(rule.docs);
  see(rule.severity);
  see(rule.confidence);
  see(rule.generic);
  see(rule.skip_report);
  see(rule.regex);
  see(rule.path);
  see(rule.literal);
  for (auto& run : rule.runs) {
    see(run.length);
    see(run.before);
    see(run.after);
  }
  see(rule.secret_group);
  see(rule.entropy);
  see(rule.keywords);
  see(rule.context.words);
  see(rule.context.lines);
  see(rule.checks);
  see(rule.required);
  see(rule.allowlists);
  see.text(rule.tags);
  see.text(rule.origin.file);
  see.text(rule.origin.line);
}

template <typename See, typename RuleSetT>
void rule_set_fields(See& see, RuleSetT& set) {
  see(set.rules);
  see(set.allowlists);
}

}  // namespace scanner::rules
