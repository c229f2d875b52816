#include "injector/cli/run.h"

#include <algorithm>
#include <cstdio>

#include "injector/cli/commands.h"
#include "injector/cli/environment.h"
#include "injector/cli/options.h"
#include "injector/cli/say.h"

namespace injector::cli {

int run(int argc, const char* const* argv) {
  const auto environment = start_process();
  if (!environment) {
    say(environment.error().message());
    return kUsage;
  }
  const Parsed parsed = parse(argc, argv);
  std::fputs(parsed.out.c_str(), stdout);
  std::fputs(parsed.err.c_str(), stderr);
  if (!parsed.options) return parsed.exit_code;
  const auto all = commands();
  return std::ranges::find(all, parsed.options->command, &Command::name)->run(*parsed.options, *environment);
}

}  // namespace injector::cli
