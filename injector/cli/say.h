#pragma once

#include <string>
#include <string_view>

#include "injector/cli/environment.h"
#include "injector/cli/options.h"
#include "injector/config/config.h"
#include "injector/telemetry/log.h"
#include "scanner/base/result.h"

/// How the program speaks where there is no log: one line on standard error, and the line that Kubernetes shows beside
/// a container that ended.
namespace injector::cli {

/// "secret-injector: MESSAGE" on standard error.
void say(std::string_view message);

/// Leaves `text` as the termination message, at most the 4,096 bytes that Kubernetes takes. Without --termination-log
/// only where /dev/termination-log is there already. What fails here fails unheard.
void leave_message(const Options& options, std::string_view text);

/// Says it, leaves it as the termination message (for the commands that have one), and gives the exit code that fits:
/// kUsage.
int refuse(const Options& options, const scanner::base::Error& error);
/// Likewise for a configuration that could not be had: its mistakes stand at the beginnings of lines, for editors.
int refuse_config(const Options& options, const scanner::base::Error& error);

/// The configuration that the command line or the environment names.
scanner::base::Result<config::Config> load_config(const Options& options, const Environment& environment);

/// The log that the configuration asks for, on standard error.
telemetry::Log log_for(const config::Config& config);

}  // namespace injector::cli
