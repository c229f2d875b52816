#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "scanner/judge/checks.h"

namespace scanner::judge {

inline CheckResult answer(CheckResult::Answer value) {
  CheckResult result;
  result.answer = value;
  return result;
}
inline CheckResult refused() { return answer(CheckResult::Answer::refuse); }
inline CheckResult accepted() { return answer(CheckResult::Answer::accept); }
inline CheckResult confirmed() { return answer(CheckResult::Answer::confirm); }
inline CheckResult confirmed_or_refused(bool holds) { return holds ? confirmed() : refused(); }
inline bool is_refused(const CheckResult& result) { return result.answer == CheckResult::Answer::refuse; }

inline CheckResult with_severity(CheckResult result, Severity severity, std::string note) {
  result.has_severity = true;
  result.severity = severity;
  result.notes.push_back(std::move(note));
  return result;
}

/// Severity low and a note with the day, when `expiry_unix` is before `now_unix`; else `result` as it is. Times before
/// 1970 and after the year 9999 are taken for mistakes and left alone.
CheckResult with_expiry(CheckResult result, std::int64_t expiry_unix, std::int64_t now_unix);

}  // namespace scanner::judge
