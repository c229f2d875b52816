#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace scanner::rules {

inline constexpr std::size_t kFingerprintLength = 35;

/// Whether `text` is written as a fingerprint of ours: "v1:" and 32 lower-case hex digits.
inline bool is_fingerprint(std::string_view text) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == kFingerprintLength && text.starts_with("v1:") && std::ranges::all_of(text.substr(3), is_hex);
}

}  // namespace scanner::rules
