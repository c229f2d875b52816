#include "scanner/cli/run.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "scanner/base/fd.h"
#include "scanner/cli/commands.h"
#include "scanner/cli/engine.h"
#include "scanner/cli/filter.h"
#include "scanner/cli/options.h"
#include "scanner/cli/rules_command.h"
#include "scanner/cli/terminal.h"
#include "scanner/report/formats.h"
#include "scanner/scan/scan.h"

namespace scanner::cli {
namespace {

using base::Errc;
using base::Result;

constexpr int kUsage = 2;

int failed(const std::string& message) {
  std::fprintf(stderr, "scan-secrets: %s\n", message.c_str());
  return kUsage;
}

void say(const Options& options, const std::string& message) {
  if (!options.quiet) std::fprintf(stderr, "scan-secrets: %s\n", message.c_str());
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

Result<void> write_report(const Report& report, const Options& options) {
  for (const Output& output : options.outputs) {
    const bool to_stdout = output.file.empty();
    report::Style style;
    style.all = options.all;
    if (to_stdout) style = style_of_stdout(options);
    const std::string text = report::find_format(output.format)->render(report, style);
    if (!to_stdout) {
      if (auto written = base::write_file(output.file, text); !written) return written;
    } else if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
      return fail(Errc::io, "standard output: cannot be written");
    }
  }
  return {};
}

const Command* find_command(const std::string& name) {
  const auto all = commands();
  const auto it = std::ranges::find(all, name, &Command::name);
  return it != all.end() ? &*it : nullptr;
}

Result<void> scan_target(const Options& options, const LoadedRules& loaded, Report& report) {
  auto source = find_command(options.command)->open(options);
  if (!source) return fail(std::move(source).error());
  scan::Options scanning;
  scanning.jobs = options.jobs != 0 ? options.jobs : std::max(1U, std::thread::hardware_concurrency());
  scanning.limits = options.limits;
  scanning.secrets = options.show_secrets ? scan::Secrets::show : scan::Secrets::mask;
  const scan::Engine engine{loaded.database.get(), loaded.judge.get()};
  scan::Progress progress;
  const ProgressLine line(progress, !options.quiet);
  return scan::run(**source, engine, *loaded.rules, scanning, progress, report);
}

int scan_and_report(Options options) {
  const auto start = std::chrono::steady_clock::now();
  Report report;
  report.started = utc_now();
  auto loaded = load_rules(options);
  if (!loaded) return failed(loaded.error().message());
  for (const std::string& warning : loaded->warnings) say(options, warning);

  const bool guessed = options.command == "guess";
  if (guessed) {
    auto why = guess(options);
    if (!why) return failed(why.error().message());
    say(options, options.targets.front() + ": " + *why + "; scanning it with `" + options.command + "`");
  }
  report.command = options.command;
  report.target = options.targets.empty() ? options.command : options.targets.front();
  for (std::size_t i = 1; i < options.targets.size(); ++i) report.target += " " + options.targets[i];
  report.tool_version = SCAN_SECRETS_VERSION;
  report.engine = match::Database::engine();
  report.rules_hash = loaded->rules->hash;
  report.rules = loaded->rules->rules.size();
  report.fail_on = options.fail_on;

  auto scanned = scan_target(options, *loaded, report);
  if (!scanned && guessed && options.command == "image" && scanned.error().code() == Errc::unsupported) {
    say(options, options.targets.front() + ": no image after all; scanning it with `dir`");
    report.command = options.command = "dir";
    scanned = scan_target(options, *loaded, report);
  }
  if (!scanned) return failed(scanned.error().message());

  std::vector<std::string> warnings;
  if (auto filtered = filter_findings(options, *loaded->rules, report, warnings); !filtered) {
    return failed(filtered.error().message());
  }
  for (const std::string& warning : warnings) say(options, warning);
  report.exit_code = exit_code_of(options, report);
  report.duration_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count());
  if (auto written = write_report(report, options); !written) return failed(written.error().message());
  return report.exit_code;
}

}  // namespace

int run(int argc, const char* const* argv) {
  Parsed parsed = parse(argc, argv);
  std::fputs(parsed.out.c_str(), stdout);
  std::fputs(parsed.err.c_str(), stderr);
  if (!parsed.options) return parsed.exit_code;
  const std::string& command = parsed.options->command;
  if (command == "rules") return run_rules(*parsed.options);
  if (command == "baseline") return run_baseline(*parsed.options);
  if (command == "schema") {
    const std::string_view schema = report::json_schema();
    return std::fwrite(schema.data(), 1, schema.size(), stdout) == schema.size() ? 0 : kUsage;
  }
  return scan_and_report(std::move(*parsed.options));
}

}  // namespace scanner::cli
