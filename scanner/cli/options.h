#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scanner/base/result.h"
#include "scanner/model/limits.h"
#include "scanner/model/rule.h"
#include "scanner/source/files.h"
#include "scanner/source/plan.h"

namespace scanner::cli {

/// One report: what it looks like and where it goes.
struct Output {
  std::string format = "text";
  std::string file;  ///< Empty: standard output.
};

enum class Color : std::uint8_t { automatic, always, never };

/// What the command line says, checked as far as words alone can be.
struct Options {
  std::string
      command;  ///< "image", "dir", "stdin", "env", "demo", "rules", "baseline", "schema"; "guess" for a bare target.
  std::string action;  ///< Of `rules` (list, show, check, test) and `baseline` (create).
  std::vector<std::string> targets;

  source::Selection selection;
  source::Processes processes;

  std::vector<Output> outputs;
  Color color = Color::automatic;
  bool all = false;
  bool quiet = false;
  bool show_secrets = false;
  std::optional<int> exit_code;
  std::optional<Severity> fail_on = Severity::low;  ///< Nothing: findings never fail the run.

  std::string config;
  std::vector<std::string> enable_rules;
  std::vector<std::string> disable_rules;
  std::string baseline;
  std::string ignore_file;
  bool inline_ignores = true;
  std::string fingerprint_key;

  unsigned jobs = 0;  ///< 0: as many as there are cores.
  Limits limits;
};

/// Either options, or a text to print and the exit code to end with (--help, --version, a mistake).
struct Parsed {
  std::optional<Options> options;
  std::string out;
  std::string err;
  int exit_code = 0;
};

Parsed parse(int argc, const char* const* argv);

}  // namespace scanner::cli
