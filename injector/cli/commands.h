#pragma once

#include <span>
#include <string_view>

#include "injector/cli/environment.h"
#include "injector/cli/options.h"

namespace injector::cli {

/// How the program ends.
inline constexpr int kGood = 0;
inline constexpr int kFailed = 1;  ///< A file could not be delivered, a check or probe says no.
inline constexpr int kUsage = 2;   ///< Wrong usage, configuration or mount.

/// A command of the program. `--help`, parsing and dispatch read these rows.
struct Command {
  std::string_view name;
  std::string_view help;
  int (*run)(const Options& options, const Environment& environment);
};

std::span<const Command> commands();

}  // namespace injector::cli
