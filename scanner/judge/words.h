#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace scanner::judge {

/// Words to look for in a text, all at once and without regard to ASCII case. Linear in the text, whatever the number
/// of words.
class Words {
 public:
  Words() = default;
  explicit Words(const std::vector<std::string>& words);

  [[nodiscard]] bool empty() const { return words_.empty(); }
  /// Whether some word stands somewhere in `text`.
  [[nodiscard]] bool any_in(std::string_view text) const;

 private:
  [[nodiscard]] std::uint32_t bucket_of(std::uint32_t key) const;

  // A word is filed under its first bytes, as many as the shortest word has, and at most four.
  std::uint32_t key_size_ = 0;
  std::uint32_t key_mask_ = 0;
  std::uint32_t shift_ = 0;
  std::vector<std::string> words_;      // Lower case, ordered by bucket.
  std::vector<std::uint32_t> buckets_;  // Where each begins in words_, and the end of the last.
};

}  // namespace scanner::judge
