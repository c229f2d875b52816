#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace injector::cli {

enum class Color : std::uint8_t { automatic, always, never };
/// What the probe asks for.
enum class Probe : std::uint8_t { ready, live, started };
/// How `inject` prints what it made.
enum class Manifests : std::uint8_t { yaml, json, patch, diff };

/// What the command line says.
struct Options {
  std::string command;
  std::string config;  ///< A path; empty: the environment's.
  std::string termination_log;
  std::string handover;                 ///< A directory: where init leaves, and run takes, what goes on.
  bool default_termination_log = true;  ///< Nobody named it, so it is only written where it is there already.

  std::chrono::milliseconds timeout{0};  ///< Of init, check and health.
  Probe probe = Probe::ready;
  std::string address;                ///< Of health; empty: the configuration's.
  std::chrono::milliseconds wait{0};  ///< Of health: how long a no is asked again.
  bool json = false;                  ///< Of check.

  std::string values;  ///< Of render.
  std::string output;
  std::string file;
  bool force = false;
  std::string template_file;  ///< In the place of a configuration.
  std::string left_delimiter;
  std::string right_delimiter;
  bool error_on_missing_key = false;

  std::string manifests;  ///< Of inject: a path, or "-".
  std::string policy;     ///< A path; empty: the preset one.
  std::string name_space = "default";
  Manifests form = Manifests::yaml;

  Color color = Color::automatic;
};

/// Either options, or what to print and how to end.
struct Parsed {
  std::optional<Options> options;
  std::string out;
  std::string err;
  int exit_code = 0;
};

Parsed parse(int argc, const char* const* argv);

/// "500ms", "10s", "2m", "1h"; nothing when it is none of them.
std::optional<std::chrono::milliseconds> duration_of(const std::string& text);

}  // namespace injector::cli
