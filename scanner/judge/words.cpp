#include "scanner/judge/words.h"

#include <algorithm>
#include <cstdint>

namespace scanner::judge {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::size_t pair_of(char first, char second) {
  return (static_cast<std::uint8_t>(first) * 61U + static_cast<std::uint8_t>(second)) % 4096;
}

bool starts_with(std::string_view text, std::string_view word) {
  return text.size() >= word.size() &&
         std::equal(word.begin(), word.end(), text.begin(), [](char w, char t) { return w == lower(t); });
}

}  // namespace

Words::Words(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word.empty()) continue;
    std::string& kept = words_.emplace_back(word);
    std::transform(kept.begin(), kept.end(), kept.begin(), lower);
    if (kept.size() == 1) {
      single_.set(static_cast<std::uint8_t>(kept[0]));
    } else {
      pairs_.set(pair_of(kept[0], kept[1]));
    }
  }
  std::sort(words_.begin(), words_.end());
}

bool Words::any_in(std::string_view text) const {
  if (words_.empty()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char first = lower(text[i]);
    if (single_.test(static_cast<std::uint8_t>(first))) return true;
    if (i + 1 == text.size()) break;
    const char second = lower(text[i + 1]);
    if (!pairs_.test(pair_of(first, second))) continue;
    const char prefix[] = {first, second};
    const std::string_view wanted(prefix, 2);
    for (auto word = std::lower_bound(words_.begin(), words_.end(), wanted);
         word != words_.end() && word->starts_with(wanted); ++word) {
      if (starts_with(text.substr(i), *word)) return true;
    }
  }
  return false;
}

}  // namespace scanner::judge
