#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "scanner/judge/checks.h"
#include "scanner/judge/judge.h"
#include "scanner/judge/regex.h"
#include "scanner/judge/words.h"
#include "scanner/model/rule.h"

namespace scanner::judge {

/// An allowlist with its regexes. `number` is its position in Judge::Impl::lists.
struct CompiledAllowlist {
  const Allowlist* source = nullptr;
  std::size_t number = 0;
  std::deque<Regex> paths;
  std::deque<Regex> regexes;
  Words stopwords;
};

struct CompiledRule {
  const Rule* source = nullptr;
  std::optional<Regex> regex;
  std::optional<Regex> path;
  Words keywords;
  Words context;
  std::vector<Check> checks;
  std::vector<std::uint32_t> required;               ///< Rule numbers, in the order of Rule::required.
  std::vector<const CompiledAllowlist*> allowlists;  ///< Its own, then the global ones that are for it.
};

struct Judge::Impl {
  Options options;
  std::int64_t now_unix = 0;
  std::deque<CompiledRule> rules;  // Deques, because a Regex stays where it was made.
  std::deque<CompiledAllowlist> lists;
  std::vector<const CompiledAllowlist*> for_all;  ///< The global lists without target_rules.
  std::vector<std::uint32_t> path_only;           ///< Rules without a regex.
};

}  // namespace scanner::judge
