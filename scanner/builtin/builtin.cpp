#include "scanner/builtin/builtin.h"

// From embed.S.
extern "C" {
extern const char kScannerBuiltinRulesBegin[];
extern const char kScannerBuiltinRulesEnd[];
extern const char kScannerBuiltinDatabaseBegin[];
extern const char kScannerBuiltinDatabaseEnd[];
}

namespace scanner::builtin {

std::string_view rules() { return {kScannerBuiltinRulesBegin, kScannerBuiltinRulesEnd}; }

std::string_view database() { return {kScannerBuiltinDatabaseBegin, kScannerBuiltinDatabaseEnd}; }

}  // namespace scanner::builtin
