#include "scanner/judge/words.h"

#include <algorithm>
#include <array>
#include <bit>

namespace scanner::judge {
namespace {

constexpr auto kLower = [] {
  std::array<std::uint8_t, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    table[i] = static_cast<std::uint8_t>(i >= 'A' && i <= 'Z' ? i + ('a' - 'A') : i);
  }
  return table;
}();

std::uint8_t lower(char c) { return kLower[static_cast<std::uint8_t>(c)]; }

std::uint32_t key_of(std::string_view text) {
  std::uint32_t key = 0;
  for (const char c : text) key = key << 8 | lower(c);
  return key;
}

bool starts_with(std::string_view text, std::string_view word) {
  return text.size() >= word.size() && std::equal(word.begin(), word.end(), text.begin(), [](char w, char t) {
           return static_cast<std::uint8_t>(w) == lower(t);
         });
}

}  // namespace

Words::Words(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word.empty()) continue;
    const auto size = static_cast<std::uint32_t>(std::min<std::size_t>(word.size(), 4));
    key_size_ = words_.empty() ? size : std::min(key_size_, size);
    std::string& kept = words_.emplace_back(word);
    for (char& c : kept) c = static_cast<char>(lower(c));
  }
  if (words_.empty()) return;
  key_mask_ = static_cast<std::uint32_t>((std::uint64_t{1} << (8 * key_size_)) - 1);
  const std::size_t count = std::bit_ceil(4 * words_.size());
  shift_ = 32 - static_cast<std::uint32_t>(std::countr_zero(count));
  const auto bucket = [this](const std::string& word) { return bucket_of(key_of(word.substr(0, key_size_))); };
  std::sort(words_.begin(), words_.end(),
            [&](const std::string& a, const std::string& b) { return bucket(a) < bucket(b); });
  buckets_.resize(count + 1);
  for (const std::string& word : words_) ++buckets_[bucket(word) + 1];
  for (std::size_t i = 1; i < buckets_.size(); ++i) buckets_[i] += buckets_[i - 1];
}

std::uint32_t Words::bucket_of(std::uint32_t key) const { return (key * 0x9E3779B1U) >> shift_; }

bool Words::any_in(std::string_view text) const {
  if (words_.empty() || text.size() < key_size_) return false;
  std::uint32_t key = key_of(text.substr(0, key_size_ - 1));
  for (std::size_t end = key_size_ - 1; end < text.size(); ++end) {
    key = (key << 8 | lower(text[end])) & key_mask_;
    const std::uint32_t bucket = bucket_of(key);
    for (std::uint32_t i = buckets_[bucket]; i < buckets_[bucket + 1]; ++i) {
      if (starts_with(text.substr(end + 1 - key_size_), words_[i])) return true;
    }
  }
  return false;
}

}  // namespace scanner::judge
