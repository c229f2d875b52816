#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace scanner::report {

/// "12,481"
std::string grouped(std::uint64_t number);

/// "1 layer", "12,481 files". `noun` takes an "s".
std::string counted(std::uint64_t number, std::string_view noun);

/// "0 B", "1.1 KiB", "396 MiB"; at most eight columns.
std::string size_of(std::uint64_t bytes);

/// "35 ms", "2.1 s", "4 min 10 s".
std::string time_of(std::uint64_t milliseconds);

}  // namespace scanner::report
