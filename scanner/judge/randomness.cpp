#include "scanner/judge/randomness.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>

#include "scanner/judge/checks_chars.h"
#include "scanner/judge/randomness_table.h"

namespace scanner::judge {
namespace {

enum class Charset : std::uint8_t { hex, base32, alnum_one_case, base62 };

constexpr std::size_t kLengths = 9;
constexpr std::array<double, kLengths> kLength = {8, 12, 16, 20, 24, 32, 40, 64, 128};

/// One row a charset, one column a length of kLength.
using Lines = std::array<std::array<double, kLengths>, 4>;

/// The 0.1st percentile of Shannon entropy, over 30 thousand random values each.
constexpr Lines kEntropyFloor = {{
    {1.54, 2.11, 2.45, 2.68, 2.87, 3.12, 3.28, 3.54, 3.78},
    {1.90, 2.51, 2.88, 3.15, 3.36, 3.69, 3.88, 4.26, 4.64},
    {2.00, 2.58, 2.95, 3.24, 3.44, 3.75, 3.97, 4.37, 4.76},
    {2.15, 2.79, 3.16, 3.48, 3.72, 4.08, 4.33, 4.81, 5.34},
}};

/// Mean bits a pair by kPairCost, below which a value reads like words: what 99 % of 20 thousand random values exceed
/// below 16 characters, where identifiers come close, and 99.5 % from there on.
constexpr Lines kPairFloor = {{
    {4.14, 4.47, 4.55, 4.68, 4.77, 4.93, 5.01, 5.17, 5.33},
    {4.59, 4.99, 5.09, 5.22, 5.35, 5.50, 5.60, 5.79, 6.00},
    {4.79, 5.17, 5.23, 5.40, 5.50, 5.64, 5.76, 5.93, 6.13},
    {4.50, 4.95, 5.01, 5.18, 5.30, 5.46, 5.56, 5.76, 5.97},
}};

double interpolate(const Lines& lines, Charset charset, double length) {
  const auto& line = lines[static_cast<std::size_t>(charset)];
  if (length >= kLength.back()) return line.back();
  std::size_t right = 1;
  while (kLength[right] < length) ++right;
  const double part = (length - kLength[right - 1]) / (kLength[right] - kLength[right - 1]);
  return line[right - 1] + part * (line[right] - line[right - 1]);
}

Charset charset_of(std::string_view text) {
  const bool lower = any_of(text, is_lower);
  const bool upper = any_of(text, is_upper);
  if (lower && upper) return Charset::base62;
  if (all_of(text, is_hex)) return Charset::hex;
  const auto outside_base32 = [](char c) { return c == '0' || c == '1' || c == '8' || c == '9'; };
  return any_of(text, outside_base32) ? Charset::alnum_one_case : Charset::base32;
}

std::size_t pair_index(char lower) {
  return static_cast<std::size_t>(is_digit(lower) ? lower - '0' + 26 : lower - 'a');
}

}  // namespace

double shannon_entropy(std::string_view text) {
  if (text.empty()) return 0;
  std::array<std::uint32_t, 256> counts{};
  for (const char c : text) ++counts[static_cast<std::uint8_t>(c)];
  const auto size = static_cast<double>(text.size());
  double bits = 0;
  for (const auto count : counts) {
    if (count != 0) bits -= count / size * std::log2(count / size);
  }
  return bits;
}

double pair_bits(std::string_view text) {
  double cost = 0;
  double pairs = 0;
  char before = 0;
  for (const char c : text) {
    const char now = is_alnum(c) ? to_lower(c) : '\0';
    if (before != 0 && now != 0) {
      cost += kPairCost[pair_index(before)][pair_index(now)];
      ++pairs;
    }
    before = now;
  }
  constexpr double kUnitsPerBit = 10;
  return pairs == 0 ? 0 : cost / pairs / kUnitsPerBit;
}

bool looks_random(std::string_view text) {
  std::string drawn;
  drawn.reserve(text.size());
  std::copy_if(text.begin(), text.end(), std::back_inserter(drawn), is_alnum);
  constexpr std::size_t kFewest = 8;
  if (drawn.size() < kFewest || all_of(drawn, is_digit)) return false;
  const Charset charset = charset_of(drawn);
  const auto length = static_cast<double>(drawn.size());
  return pair_bits(text) > interpolate(kPairFloor, charset, length) &&
         shannon_entropy(drawn) >= interpolate(kEntropyFloor, charset, length);
}

}  // namespace scanner::judge
