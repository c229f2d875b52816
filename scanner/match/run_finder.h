#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "scanner/model/run.h"

namespace scanner::match {

/// A run of an alphabet's bytes that neither end can extend; offsets into what was searched.
struct Stretch {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

/// Finds the long runs of all alphabets in one pass, at several gigabytes a second: it is to cost far less than the
/// search that it saves. Not thread-safe.
class RunFinder {
 public:
  /// The shortest runs that are found, by alphabet. Shorter ones are too common to save anything.
  static constexpr std::array<std::uint32_t, kAlphabets> kShortest = {16, 32};

  /// Replaces what was found before. `bytes` are fewer than 2^32.
  void search(std::string_view bytes);

  /// In the text's order.
  [[nodiscard]] const std::vector<Stretch>& found(Alphabet alphabet) const {
    return found_[static_cast<std::size_t>(alphabet)];
  }

 private:
  std::array<std::vector<Stretch>, kAlphabets> found_;
};

}  // namespace scanner::match
