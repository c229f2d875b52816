#include "scanner/cli/options.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>
#include <sstream>

#include "scanner/base/edit_distance.h"
#include "scanner/cli/commands.h"
#include "scanner/match/database.h"
#include "scanner/report/formats.h"

namespace scanner::cli {
namespace {

constexpr int kUsage = 2;

const char* const kExamples = R"(Examples:
  docker save app | scan-secrets image -        an image, from a pipe
  scan-secrets image app.tar --format sarif=app.sarif
  scan-secrets dir .                            a directory
  scan-secrets demo                             a small leaky image, and what is found in it
)";

const char* const kExitCodes = R"(Exit codes:
  0  clean: everything was looked at, and nothing found
  1  secrets found (--exit-code changes it)
  2  wrong usage, configuration or rules
  3  nothing found, but not everything could be looked at
)";

/// The first help a person sees: what it does, examples, commands, and only then the options.
std::string first_help(const CLI::App* app, const std::string&, CLI::AppFormatMode mode) {
  std::string help = "Finds credentials in container images, directories, streams and environments.\n\n";
  help += "Usage: scan-secrets COMMAND [OPTIONS]   or   scan-secrets TARGET\n\n";
  help += std::string(kExamples) + "\nCommands (scan-secrets COMMAND --help tells more):\n";
  for (const Command& command : commands()) {
    std::string name(command.name);
    name.resize(10, ' ');
    help += "  " + name + std::string(command.help) + "\n";
  }
  CLI::Formatter options;
  options.column_width(28);
  return help + options.make_groups(app, mode) + "\n" + kExitCodes;
}

/// "sarif=out.sarif" -> format and file.
Output output_of(const std::string& text) {
  const std::size_t equals = text.find('=');
  Output output;
  output.format = text.substr(0, equals);
  if (equals != std::string::npos) output.file = text.substr(equals + 1);
  return output;
}

void add_output_options(CLI::App& app, Options& options, std::vector<std::string>& formats, std::string& file,
                        std::string& fail_on) {
  std::string names;
  for (const report::Format& format : report::formats()) names += (names.empty() ? "" : "|") + std::string(format.name);
  app.add_option("-f,--format", formats, "Report: " + names + ", or FORMAT=FILE; may be given several times")
      ->group("Output");
  app.add_option("-o,--output", file, "Write the report to FILE instead of standard output")->group("Output");
  app.add_flag("--all", options.all, "List every finding, not only the first 20")->group("Output");
  app.add_option_function<std::string>(
         "--color",
         [&options](const std::string& when) {
           options.color = when == "always" ? Color::always : when == "never" ? Color::never : Color::automatic;
         },
         "Colours: auto, always or never")
      ->group("Output")
      ->type_name("WHEN")
      ->check(CLI::Validator(
          [](const std::string& when) {
            return when == "auto" || when == "always" || when == "never" ? std::string() : "not auto, always or never";
          },
          ""));
  app.add_flag("-q,--quiet", options.quiet, "No progress, no hints")->group("Output");
  app.add_flag("--show-secrets", options.show_secrets, "Show secrets in full (refused in a CI log)")->group("Output");
  app.add_option("--exit-code", options.exit_code, "Exit code when secrets are found, instead of 1")
      ->check(CLI::Range(0, 255))
      ->group("Output");
  app.add_option("--fail-on", fail_on,
                 "Only findings of this severity or above fail: low, medium, high, critical, none")
      ->check(CLI::IsMember({"none", "low", "medium", "high", "critical"}))
      ->group("Output");
}

void add_rule_options(CLI::App& app, Options& options) {
  app.add_option("-c,--config", options.config, "Rules to use instead of the built-in ones (.gitleaks.toml works)")
      ->envname("SCAN_SECRETS_CONFIG")
      ->group("Rules");
  app.add_option("--enable-rule", options.enable_rules, "Report only these rules (repeatable)")->group("Rules");
  app.add_option("--disable-rule", options.disable_rules, "Do not report these rules (repeatable)")->group("Rules");
  app.add_option("-b,--baseline", options.baseline, "Leave out the findings that this baseline knows")->group("Rules");
  app.add_option("-i,--ignore-file", options.ignore_file,
                 "Leave out what this .gitleaksignore names (default: ./.gitleaksignore)")
      ->group("Rules");
  app.add_flag("!--no-inline-ignore", options.inline_ignores, "Report secrets although their line says gitleaks:allow")
      ->group("Rules");
  app.add_option("--fingerprint-key", options.fingerprint_key, "File whose content keys the fingerprints")
      ->group("Rules");
}

void add_limit_options(CLI::App& app, Options& options) {
  Limits& limits = options.limits;
  app.add_option("-j,--jobs", options.jobs, "Layers or batches of files at the same time (default: cores)")
      ->check(CLI::Range(1, 256))
      ->group("Limits");
  const auto size = [&](const char* name, std::uint64_t& value, const char* help) {
    app.add_option(name, value, help)->transform(CLI::AsSizeValue(false))->capture_default_str()->group("Limits");
  };
  size("--max-entry-bytes", limits.max_entry_bytes, "Bytes of one file, decompressed");
  size("--max-nested-bytes", limits.max_nested_bytes, "Bytes that the archives within one file may expand to");
  app.add_option("--max-entries", limits.max_entries, "Entries of one layer or archive")
      ->capture_default_str()
      ->group("Limits");
  app.add_option("--max-ratio", limits.max_ratio, "Decompressed to compressed, beyond the first 64 MiB")
      ->check(CLI::Range(1U, 1U << 30))
      ->capture_default_str()
      ->group("Limits");
  app.add_option("--max-archive-depth", limits.max_archive_depth, "Archives within archives")
      ->capture_default_str()
      ->group("Limits");
  app.add_option("--zstd-window-log", limits.zstd_window_log, "A zstd frame may need 2^N bytes of memory")
      ->check(CLI::Range(10, 31))
      ->capture_default_str()
      ->group("Limits");
  app.add_option("--max-findings", limits.max_hits, "Places of secrets in all")->capture_default_str()->group("Limits");
}

void add_selection_options(CLI::App& app, source::Selection& selection) {
  app.add_option("--platform", selection.platform, "os/arch[/variant] to take from an index (default: this machine's)")
      ->group("Image");
  app.add_flag("--all-platforms", selection.all_platforms, "Every platform of an index")->group("Image");
  app.add_option("--image", selection.image, "Name or digest, where an archive holds several images (default: all)")
      ->group("Image");
  app.add_option("--base", selection.base,
                 "The base image: an archive or layout, a name or digest in the target, or a layer's digest")
      ->group("Image");
}

/// Which word of the command line may have been meant as a command.
std::string suggestion(const CLI::App& app, int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.empty() || word[0] == '-') continue;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
      if (word != command->get_name() && base::edit_distance(word, command->get_name()) <= 2) {
        return "did you mean `scan-secrets " + command->get_name() + "`?";
      }
    }
    break;
  }
  return {};
}

Parsed wrong(const std::string& message) {
  return {std::nullopt, "", "scan-secrets: " + message + "\nTry `scan-secrets --help`.\n", kUsage};
}

/// What words alone can be wrong about outputs.
std::string problem_with(const Options& options) {
  int to_stdout = 0;
  for (const Output& output : options.outputs) {
    if (report::find_format(output.format) == nullptr) return "no format " + output.format;
    if (output.file.empty()) ++to_stdout;
  }
  if (to_stdout > 1) return "only one report can go to standard output: write the others as FORMAT=FILE";
  const char* ci = std::getenv("CI");
  if (options.show_secrets && to_stdout > 0 && ci != nullptr && *ci != '\0') {
    return "--show-secrets is refused where standard output is a CI log (CI is set): write the report to a file";
  }
  return {};
}

}  // namespace

Parsed parse(int argc, const char* const* argv) {
  Options options;
  std::vector<std::string> formats;
  std::string file;
  std::string fail_on = "low";

  CLI::App app("", "scan-secrets");
  app.formatter_fn(&first_help);
  app.set_version_flag("--version", "scan-secrets " SCAN_SECRETS_VERSION " (" + match::Database::engine() + ")");
  app.require_subcommand(0, 1);
  app.fallthrough();
  app.add_option("TARGET", options.targets, "A target to guess at, when no command is given")->group("");
  add_output_options(app, options, formats, file, fail_on);
  add_rule_options(app, options);
  add_limit_options(app, options);

  for (const Command& command : commands()) {
    CLI::App* sub = app.add_subcommand(std::string(command.name), std::string(command.help));
    sub->fallthrough();
    sub->formatter(std::make_shared<CLI::Formatter>());
    sub->footer("Options that all commands take: scan-secrets --help");
    const std::string name(command.name);
    sub->final_callback([&options, name] { options.command = name; });
    if (name == "image") {
      sub->add_option("TARGET", options.targets,
                      "Archive, layout or directory; docker-archive:, oci-archive:, oci:, dir: PATH; - for a pipe")
          ->required()
          ->expected(1);
      add_selection_options(*sub, options.selection);
    } else if (name == "dir") {
      sub->add_option("PATH", options.targets, "Directories and files")->required();
    } else if (name == "env") {
      sub->add_option("--pid", options.processes.pids, "Process to read instead of this one (repeatable)");
      sub->add_flag("--all-processes", options.processes.all, "Every process that can be read");
    } else if (name == "rules") {
      sub->require_subcommand(1);
      for (const auto& [action, help] :
           std::map<std::string, std::string>{{"list", "Every rule, a line each"},
                                              {"show", "One rule, whole"},
                                              {"check", "Whether rule files are right and fast"},
                                              {"test", "Whether rules do what their examples say"}}) {
        CLI::App* inner = sub->add_subcommand(action, help);
        inner->fallthrough();
        inner->final_callback([&options, act = action] { options.action = act; });
        if (action != "list") inner->add_option(action == "show" ? "ID" : "FILE", options.targets, "")->required();
      }
    } else if (name == "baseline") {
      sub->require_subcommand(1);
      CLI::App* create = sub->add_subcommand("create", "Writes a baseline from a report (--format json)");
      create->fallthrough();
      create->add_option("REPORT", options.targets, "A report in JSON; - for standard input")->required()->expected(1);
      create->final_callback([&options] { options.action = "create"; });
    }
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    const int code = app.exit(error, out, err);
    if (code == 0) return {std::nullopt, out.str(), "", 0};
    const std::string hint = suggestion(app, argc, argv);
    return wrong(error.what() + (hint.empty() ? "" : "; " + hint));
  }
  if (options.command.empty()) {
    if (options.targets.empty()) return {std::nullopt, app.help(), "", 0};
    if (options.targets.size() > 1) {
      const std::string hint = suggestion(app, argc, argv);
      return wrong("without a command there is one TARGET" + (hint.empty() ? "" : "; " + hint));
    }
    options.command = "guess";
  }
  for (const std::string& format : formats) options.outputs.push_back(output_of(format));
  if (options.outputs.empty()) options.outputs.emplace_back();
  if (!file.empty()) {
    if (options.outputs.size() > 1 || !options.outputs[0].file.empty()) return wrong("-o goes with one --format");
    options.outputs[0].file = file == "-" ? "" : file;
  }
  if (std::string problem = problem_with(options); !problem.empty()) return wrong(problem);
  options.fail_on = severity_from(fail_on);
  return {std::move(options), "", "", 0};
}

}  // namespace scanner::cli
