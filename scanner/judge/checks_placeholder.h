#pragma once

#include "scanner/judge/checks.h"

namespace scanner::judge {

/// Whether `value` stands in for a secret rather than being one: a placeholder, a template, a reference to where the
/// secret is, code, a path, prose, a keyboard or counting run, one thing over and over, a vendor's published sample.
bool is_placeholder(std::string_view value);

// What is no secret by its looks.

CheckResult check_not_placeholder(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_random(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_not_uuid(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_not_hex_digest(std::string_view secret, std::string_view match, std::int64_t now_unix);

}  // namespace scanner::judge
