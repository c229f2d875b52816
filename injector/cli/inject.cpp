#include "injector/cli/inject.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <string>

#include "injector/cli/commands.h"
#include "injector/cli/say.h"
#include "injector/pod/manifest.h"
#include "injector/pod/policy.h"
#include "injector/pod/workload.h"
#include "injector/telemetry/harmless.h"
#include "scanner/base/fd.h"

namespace injector::cli {
namespace {

using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Result;

Result<std::string> read_all(const std::string& path) {
  if (path != "-") return scanner::base::read_file(path, pod::kMostManifests + 1);
  std::string out;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(Errc::io, "standard input cannot be read");
    if (count == 0) return out;
    out.append(buffer.data(), static_cast<std::size_t>(count));
    if (out.size() > pod::kMostManifests) return fail(Errc::limit, "standard input is longer than 16 MiB");
  }
}

void tell(const std::string& line) { std::fprintf(stderr, "%s\n", telemetry::harmless(line).c_str()); }

/// "shop.yaml:12: Deployment/shop: ..."; `what` has its line before it.
void tell(const std::string& file, const pod::Workload& workload, const char* kind, const std::string& what) {
  const auto colon = what.find(": ");
  tell(file + ":" + what.substr(0, colon) + ": " + workload.title() + ": " + kind + what.substr(colon + 2));
}

std::string outcome(const pod::Workload& workload) {
  if (!workload.allowed) return "refused";
  return workload.patch.empty() ? "nothing to do" : "injected";
}

std::string printed(const Options& options, const std::vector<pod::Manifest>& manifests,
                    const std::vector<pod::Workload>& workloads) {
  switch (options.form) {
    case Manifests::json:
      return pod::patched_json(manifests, workloads);
    case Manifests::patch:
      return pod::patches(workloads);
    case Manifests::diff:
      return pod::patched_diff(manifests, workloads);
    case Manifests::yaml:
      break;
  }
  return pod::patched_yaml(manifests, workloads);
}

}  // namespace

int run_inject(const Options& options, const Environment&) {
  const std::string file = options.manifests == "-" ? "stdin" : options.manifests;
  auto policy = options.policy.empty() ? Result<pod::Policy>(pod::default_policy()) : pod::load_policy(options.policy);
  if (!policy) {
    std::fprintf(stderr, "%s\n", policy.error().message().c_str());
    return kUsage;
  }
  auto text = read_all(options.manifests);
  if (!text) {
    say(text.error().message());
    return kUsage;
  }
  auto manifests = pod::read_manifests(*text, file);
  if (!manifests) {
    tell(manifests.error().message());
    return kUsage;
  }
  const auto workloads = pod::review_manifests(*manifests, options.name_space, *policy);
  for (const auto& each : workloads) {
    for (const auto& warning : each.warnings) tell(file, each, "warning: ", warning);
    for (const auto& mistake : each.mistakes) tell(file, each, "", mistake);
    tell(file + ":" + std::to_string(each.line) + ": " + each.title() + ": " + outcome(each));
  }
  if (workloads.empty()) tell(file + ": holds no pod and no workload");
  if (std::ranges::any_of(workloads, [](const auto& each) { return !each.allowed; })) return kFailed;
  const std::string out = printed(options, *manifests, workloads);
  const bool written = std::fwrite(out.data(), 1, out.size(), stdout) == out.size() && std::fflush(stdout) == 0;
  return written ? kGood : kUsage;
}

}  // namespace injector::cli
