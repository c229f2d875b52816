#include "scanner/builtin/builtin.h"

// From embed.S.
extern "C" {
extern const char scanner_builtin_rules_begin[];
extern const char scanner_builtin_rules_end[];
extern const char scanner_builtin_database_begin[];
extern const char scanner_builtin_database_end[];
}

namespace scanner::builtin {

std::string_view rules() { return {scanner_builtin_rules_begin, scanner_builtin_rules_end}; }

std::string_view database() { return {scanner_builtin_database_begin, scanner_builtin_database_end}; }

}  // namespace scanner::builtin
