#pragma once

#include <string_view>

namespace scanner::builtin {

/// The rules of patterns/ as they were when the program was built: what rules::deserialize takes.
std::string_view rules();

/// Their database, compiled by the library that the program was built with: what match::Database::deserialize takes,
/// unless another version of that library is there at run time.
std::string_view database();

}  // namespace scanner::builtin
