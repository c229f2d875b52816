#pragma once

namespace scanner::base {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace scanner::base

/// Stops the process when an invariant of ours is broken: a bug, never bad input. Stays in release builds.
#define SCANNER_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::scanner::base::check_failed(#condition, __FILE__, __LINE__))
