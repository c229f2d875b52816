#pragma once

#include <cstdint>

#include "scanner/rules/lint.h"

namespace scanner::rules {

// Widths add and multiply without wrapping: whatever is too large has no limit.

constexpr std::uint64_t plus(std::uint64_t a, std::uint64_t b) {
  return a > RegexShape::kNoLimit - b ? RegexShape::kNoLimit : a + b;
}
constexpr std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  return b != 0 && a > RegexShape::kNoLimit / b ? RegexShape::kNoLimit : a * b;
}

}  // namespace scanner::rules
