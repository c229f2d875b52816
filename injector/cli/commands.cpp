#include "injector/cli/commands.h"

#include <array>
#include <cstdio>

#include "injector/cli/demo.h"
#include "injector/cli/inject.h"
#include "injector/cli/offline.h"
#include "injector/cli/preflight.h"
#include "injector/cli/probe.h"
#include "injector/cli/sidecar.h"
#include "injector/config/config.h"

namespace injector::cli {
namespace {

int print(const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0 ? kGood : kUsage;
}

int schema(const Options&, const Environment&) { return print(config::schema()); }

int version(const Options&, const Environment&) { return print("secret-injector " SECRET_INJECTOR_VERSION "\n"); }

}  // namespace

std::span<const Command> commands() {
  static constexpr std::array<Command, 9> kCommands = {{
      {"run", "Deliver the secrets and keep them right until told to stop", &run_sidecar},
      {"init", "Deliver the secrets once, and end", &run_init},
      {"check", "Look whether all is well: configuration, mount, stores; reads no value", &run_check},
      {"health", "Ask a running sidecar how it is (an exec probe)", &run_probe},
      {"render", "Make the files from a configuration and a file of values, offline", &run_render},
      {"inject", "Put the sidecar into manifests, as the webhook does, offline", &run_inject},
      {"demo", "Watch a delivery and a rotation, with made-up secrets", &run_demo},
      {"schema", "Print the JSON Schema of the configuration", &schema},
      {"version", "Print the version", &version},
  }};
  return kCommands;
}

}  // namespace injector::cli
