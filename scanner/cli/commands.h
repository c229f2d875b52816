#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "scanner/cli/options.h"
#include "scanner/source/source.h"

namespace scanner::cli {

/// A command of the program. `--help`, parsing and dispatch read these rows.
struct Command {
  std::string_view name;
  std::string_view help;
  /// Opens what the command scans; null for commands that scan nothing.
  base::Result<std::unique_ptr<source::Source>> (*open)(const Options& options);
};

std::span<const Command> commands();

/// What a bare target is: fills in `options.command`, and says why in one line.
base::Result<std::string> guess(Options& options);

}  // namespace scanner::cli
