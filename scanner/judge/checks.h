#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/model/rule.h"

namespace scanner::judge {

/// What an offline check says of a value that a rule's regex has found.
struct CheckResult {
  enum class Answer : std::uint8_t {
    refuse,   ///< It cannot be what the rule is for: its checksum or its structure is wrong.
    accept,   ///< Nothing speaks against it.
    confirm,  ///< A checksum or a structure that does not arise by chance holds: confidence becomes high.
  };
  Answer answer = Answer::accept;
  /// Lowers or raises the rule's severity, e.g. for an encrypted key or an expired token.
  bool has_severity = false;
  Severity severity = Severity::high;
  std::vector<std::string> notes;  ///< For people; never holds the secret.
};

/// Looks at one value: `secret` is the capture group, `match` the whole match, which contains it. Pure: no clock but
/// the one `now_unix` gives, no files, no network.
using Check = CheckResult (*)(std::string_view secret, std::string_view match, std::int64_t now_unix);

/// Null when there is none of that name.
Check find_check(std::string_view name);

}  // namespace scanner::judge
