#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/judge/judge.h"

namespace scanner::judge {

/// A rule with nothing but an id and a regex.
Rule rule(std::string id, std::string regex);
RuleSet set_of(std::vector<Rule> rules);
Entry file(std::string path);

/// A slow stand-in for the matcher: for every rule, and every place where it matches in `bytes` taken as a whole text,
/// a candidate that ends with that match and begins `width` bytes earlier.
std::vector<Candidate> candidates_in(std::string_view bytes, const RuleSet& rules, std::size_t width = 200);

/// The windows of `text`, each of at most `size` bytes: a match may be `width` bytes wide, and what matters around it
/// reaches `reach` further.
std::vector<Chunk> windows_of(std::string_view text, std::size_t size, std::size_t width, std::size_t reach);

/// What comes of `text`, given in the windows `chunks`.
Verdict judged(const RuleSet& rules, const std::vector<Chunk>& chunks, Options options = {},
               const Entry& entry = file("a.txt"));
/// The same in one window.
Verdict judged(const RuleSet& rules, std::string_view text, Options options = {}, const Entry& entry = file("a.txt"));

/// The secrets found, as they stand in `text`, by offset.
std::vector<std::string> secrets(const RuleSet& rules, std::string_view text, const Entry& entry = file("a.txt"));

}  // namespace scanner::judge
