#include "injector/cli/say.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "injector/cli/commands.h"
#include "injector/telemetry/harmless.h"
#include "scanner/base/fd.h"

namespace injector::cli {

using scanner::base::Errc;
using scanner::base::Error;
using scanner::base::fail;
using scanner::base::Fd;
using scanner::base::Result;

namespace {

constexpr std::size_t kMostMessage = 4096;

void print(const std::string& line) { std::fputs((line + "\n").c_str(), stderr); }

}  // namespace

void say(std::string_view message) { print("secret-injector: " + telemetry::harmless(message)); }

void leave_message(const Options& options, std::string_view text) {
  const bool preset = options.default_termination_log;
  const std::string path = preset ? "/dev/termination-log" : options.termination_log;
  const Fd fd(
      ::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (preset ? 0 : O_CREAT), 0644));
  if (!fd) return;
  text = text.substr(0, kMostMessage);
  while (!text.empty()) {
    const ssize_t n = ::write(fd.get(), text.data(), text.size());
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

int refuse(const Options& options, const Error& error) {
  say(error.message());
  if (options.command == "run" || options.command == "init") leave_message(options, error.message());
  return kUsage;
}

int refuse_config(const Options& options, const Error& error) {
  if (error.code() != Errc::config) return refuse(options, error);
  std::string_view rest = error.message();
  std::size_t mistakes = 0;
  while (!rest.empty()) {
    const auto end = std::min(rest.size(), rest.find('\n'));
    print(telemetry::harmless(rest.substr(0, end)));
    rest.remove_prefix(std::min(rest.size(), end + 1));
    ++mistakes;
  }
  say("the configuration has " + std::to_string(mistakes) + (mistakes == 1 ? " mistake" : " mistakes"));
  if (options.command == "run" || options.command == "init") leave_message(options, error.message());
  return kUsage;
}

Result<config::Config> load_config(const Options& options, const Environment& environment) {
  if (!options.config.empty()) return config::load(options.config);
  if (!environment.config.empty()) return config::parse(environment.config, "SECRET_INJECTOR_CONFIG");
  return fail(Errc::usage, "no configuration: give --config FILE, or set SECRET_INJECTOR_CONFIG to its text");
}

telemetry::Log log_for(const config::Config& config) {
  using Format = telemetry::Log::Format;
  using Wanted = config::Log::Format;
  const bool person = ::isatty(STDERR_FILENO) == 1;
  const bool text = config.log.format == Wanted::text || (config.log.format == Wanted::automatic && person);
  // The levels of both are in the same order.
  return {STDERR_FILENO, text ? Format::text : Format::json, static_cast<telemetry::Level>(config.log.level)};
}

}  // namespace injector::cli
