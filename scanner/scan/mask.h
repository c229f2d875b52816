#pragma once

#include <set>
#include <string>
#include <string_view>

namespace scanner::scan {

/// Masks known secrets in texts of the target that a report quotes for other reasons than the secret: an instruction, a
/// path, a label's name. Rules may have confirmed a secret in one place only; it is masked in all.
class Mask {
 public:
  /// Secrets shorter than kShortest are left to the frames: masking them everywhere would hide ordinary words.
  void add(std::string_view secret);
  void apply(std::string& text) const;
  [[nodiscard]] bool empty() const { return secrets_.empty(); }

  static constexpr std::size_t kShortest = 6;

 private:
  /// So many secrets in names and settings are no image that anybody runs; each costs a search of every text.
  static constexpr std::size_t kMost = 2000;

  std::set<std::string, std::less<>> secrets_;
  bool full_ = false;
};

}  // namespace scanner::scan
