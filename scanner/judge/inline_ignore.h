#pragma once

#include <string_view>

namespace scanner::judge {

/// Whether `lines` hold a comment that suppresses findings of the rule: `gitleaks:allow` or `scan-secrets:allow`, for
/// every rule, or followed by "=" and the rule's id.
bool has_inline_ignore(std::string_view lines, std::string_view rule_id);

}  // namespace scanner::judge
