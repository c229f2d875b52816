#include "scanner/report/amounts.h"

#include <array>

namespace scanner::report {
namespace {

// The number in tenths with one decimal, or without it from 100 on.
std::string decimal(std::uint64_t tenths) {
  if (tenths >= 1000) return std::to_string((tenths + 5) / 10);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

}  // namespace

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::string counted(std::uint64_t number, std::string_view noun) {
  return grouped(number).append(" ").append(noun).append(number == 1 ? "" : "s");
}

std::string size_of(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  std::size_t unit = 0;
  std::uint64_t whole = bytes;
  while (unit + 1 < kUnits.size() && whole >= 1000 * 1024ULL) {
    whole >>= 10;
    ++unit;
  }
  return decimal((whole * 10 + 512) >> 10).append(" ").append(kUnits[unit]);
}

std::string time_of(std::uint64_t milliseconds) {
  if (milliseconds < 1000) return std::to_string(milliseconds) + " ms";
  const std::uint64_t seconds = milliseconds / 1000;
  if (seconds < 60) return decimal(milliseconds / 100) + " s";
  return std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
}

}  // namespace scanner::report
