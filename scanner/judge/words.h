#pragma once

#include <bitset>
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
  std::vector<std::string> words_;  // Lower case, sorted.
  std::bitset<256> single_;         // Words of one byte.
  std::bitset<4096> pairs_;         // First two bytes of the others, hashed.
};

}  // namespace scanner::judge
