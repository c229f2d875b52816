#pragma once

#include <cstddef>
#include <string_view>

namespace scanner::base {

/// How many letters must be put in, taken out or changed, two neighbours swapped counting once: for "did you mean".
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace scanner::base
