#include "injector/cli/options.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "injector/cli/commands.h"
#include "scanner/base/edit_distance.h"

namespace injector::cli {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

const char* const kExamples = R"(Examples:
  secret-injector demo                          a delivery and a rotation, with made-up secrets
  secret-injector check --config app.yaml       will it work here?
  secret-injector run --config app.yaml         the sidecar
  secret-injector health --ready                a probe for images without a shell
  secret-injector inject -f pod.yaml            what the webhook would do to it
)";

const char* const kExitCodes = R"(Exit codes:
  0  all is well
  1  a file could not be delivered; a check or a probe says no
  2  wrong usage, configuration or mount
)";

/// The first help a person sees: what it does, examples, commands, and only then the options.
std::string first_help(const CLI::App* app, const std::string&, CLI::AppFormatMode mode) {
  std::string help = "Delivers secrets of Vault, OpenBao and AWS Secrets Manager as files on a tmpfs,\n";
  help += "and keeps them fresh.\n\nUsage: secret-injector COMMAND [OPTIONS]\n\n";
  help += std::string(kExamples) + "\nCommands (secret-injector COMMAND --help tells more):\n";
  for (const Command& command : commands()) {
    std::string name(command.name);
    name.resize(10, ' ');
    help += "  " + name + std::string(command.help) + "\n";
  }
  CLI::Formatter options;
  options.column_width(28);
  return help + options.make_groups(app, mode) + "\n" + kExitCodes;
}

/// The command that the first word may have been meant as.
std::string suggestion(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.empty() || word[0] == '-') continue;
    for (const Command& command : commands()) {
      const std::string name(command.name);
      if (word != name && scanner::base::edit_distance(word, name) <= 2)
        return "did you mean `secret-injector " + name + "`?";
    }
    break;
  }
  return {};
}

Parsed wrong(const std::string& message) {
  return {std::nullopt, "", "secret-injector: " + message + "\nTry `secret-injector --help`.\n", kUsage};
}

void add_config(CLI::App& app, Options& options) {
  app.add_option("-c,--config", options.config, "The configuration; without it, SECRET_INJECTOR_CONFIG holds it inline")
      ->type_name("FILE");
}

void add_time(CLI::App& app, const char* name, milliseconds& out, milliseconds preset, const std::string& help) {
  out = preset;
  app.add_option_function<std::string>(
         name, [&out](const std::string& text) { out = *duration_of(text); }, help)
      ->type_name("TIME")
      ->check(CLI::Validator(
          [](const std::string& text) {
            return duration_of(text) ? std::string() : "not a time such as 500ms, 10s or 2m";
          },
          ""));
}

void add_timeout(CLI::App& app, Options& options, milliseconds preset, const std::string& help) {
  add_time(app, "--timeout", options.timeout, preset, help);
}

void add_termination_log(CLI::App& app, Options& options) {
  app.add_option_function<std::string>(
         "--termination-log",
         [&options](const std::string& path) {
           options.termination_log = path;
           options.default_termination_log = false;
         },
         "Where the reason of a failure is left (/dev/termination-log, where it is there)")
      ->type_name("FILE");
}

void add_handover(CLI::App& app, Options& options, bool takes) {
  app.add_option("--handover", options.handover,
                 takes ? "Go on with what init left here, without asking anew"
                       : "Leave tokens and leases on this tmpfs, for run to go on with")
      ->type_name("DIR");
}

void add_probe(CLI::App& app, Options& options) {
  const auto add = [&](const char* name, Probe probe, const char* help) {
    return app.add_flag_callback(
        name, [&options, probe] { options.probe = probe; }, help);
  };
  CLI::Option* ready =
      add("--ready", Probe::ready, "Whether all files are delivered and none is too old (the default)");
  CLI::Option* live = add("--live", Probe::live, "Whether it runs and is not stuck");
  CLI::Option* started = add("--started", Probe::started, "Whether all files were delivered once");
  ready->excludes(live)->excludes(started);
  live->excludes(started);
  add_time(app, "--wait", options.wait, 0ms, "How long to ask again while the answer is no; not at all unless set");
  app.add_option("--address", options.address, "Where it listens, in the place of the configuration's")
      ->type_name("HOST:PORT");
}

void add_render(CLI::App& app, Options& options) {
  app.add_option("--values", options.values,
                 R"(JSON: {"store:path": what is there, ...}; of a template, {"path": the answer's data, ...})")
      ->type_name("FILE")
      ->required();
  CLI::Option* output = app.add_option("-o,--output", options.output, "Write the files beneath this directory");
  output->type_name("DIR");
  app.add_option("--file", options.file, "Write this one file to standard output instead")
      ->type_name("PATH")
      ->excludes(output);
  app.add_flag("--force", options.force, "Write into a directory that is not empty")->needs(output);
  CLI::Option* templ = app.add_option("--template", options.template_file,
                                      "Render this one template to standard output, without a configuration");
  templ->type_name("FILE")->excludes(output)->excludes("--file")->excludes("--config");
  app.add_option("--left-delimiter", options.left_delimiter, "Of the template; {{ unless set")
      ->type_name("TEXT")
      ->needs(templ);
  app.add_option("--right-delimiter", options.right_delimiter, "Likewise; }} unless set")
      ->type_name("TEXT")
      ->needs(templ);
  app.add_flag("--error-on-missing-key", options.error_on_missing_key, "A field that is not there is an error")
      ->needs(templ);
}

void add_inject(CLI::App& app, Options& options) {
  app.add_option("-f,--filename", options.manifests,
                 "Manifests: YAML of several documents, or JSON; - for standard input")
      ->type_name("FILE")
      ->required();
  app.add_option_function<std::string>(
         "-o,--output",
         [&options](const std::string& form) {
           options.form = form == "json"    ? Manifests::json
                          : form == "patch" ? Manifests::patch
                          : form == "diff"  ? Manifests::diff
                                            : Manifests::yaml;
         },
         "yaml, json, patch (RFC 6902) or diff; yaml unless set")
      ->type_name("FORM")
      ->check(CLI::IsMember({"yaml", "json", "patch", "diff"}));
  app.add_option("--policy", options.policy, "The operator's policy, as the webhook has it; a preset one unless set")
      ->type_name("FILE");
  app.add_option("-n,--namespace", options.name_space, "Of objects that name none; default unless set")
      ->type_name("NAME");
}

/// The options that a command has.
void add_options(CLI::App& app, const std::string& name, Options& options) {
  if (name == "run" || name == "init" || name == "check" || name == "health" || name == "render") {
    add_config(app, options);
  }
  if (name == "run" || name == "init") {
    add_termination_log(app, options);
    add_handover(app, options, name == "run");
  }
  if (name == "init") add_timeout(app, options, 2min, "How long to try; 2m unless set");
  if (name == "check") {
    add_timeout(app, options, 30s, "How long each store may take; 30s unless set");
    app.add_option_function<std::string>(
           "--output", [&options](const std::string& format) { options.json = format == "json"; }, "text or json")
        ->type_name("FORMAT")
        ->check(CLI::IsMember({"text", "json"}));
  }
  if (name == "health") {
    add_probe(app, options);
    add_timeout(app, options, 1s, "How long it may take; 1s unless set");
  }
  if (name == "render") add_render(app, options);
  if (name == "inject") add_inject(app, options);
}

std::string problem_with(const Options& options) {
  if (options.command == "render" && options.output.empty() && options.file.empty() && options.template_file.empty()) {
    return "render needs --output DIR, or --file PATH or --template FILE for standard output";
  }
  return {};
}

}  // namespace

std::optional<milliseconds> duration_of(const std::string& text) {
  std::int64_t count = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failed != std::errc() || count < 0 || count > 1'000'000) return std::nullopt;
  const std::string unit(end, text.data() + text.size());
  if (unit == "ms") return milliseconds(count);
  if (unit == "s") return std::chrono::seconds(count);
  if (unit == "m") return std::chrono::minutes(count);
  if (unit == "h") return std::chrono::hours(count);
  return std::nullopt;
}

Parsed parse(int argc, const char* const* argv) {
  // Each command has its own, so that defaults do not mix.
  std::vector<Options> candidates(commands().size());
  const Options* chosen = nullptr;
  Color color = Color::automatic;

  CLI::App app("", "secret-injector");
  app.formatter_fn(&first_help);
  app.set_version_flag("--version", "secret-injector " SECRET_INJECTOR_VERSION);
  app.require_subcommand(0, 1);
  app.fallthrough();
  app.add_option_function<std::string>(
         "--color",
         [&color](const std::string& when) {
           color = when == "always" ? Color::always : when == "never" ? Color::never : Color::automatic;
         },
         "Colours: auto, always or never")
      ->type_name("WHEN")
      ->check(CLI::Validator(
          [](const std::string& when) {
            return when == "auto" || when == "always" || when == "never" ? std::string() : "not auto, always or never";
          },
          ""));
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Command& command = commands()[i];
    Options& options = candidates[i];
    options.command = command.name;
    CLI::App* sub = app.add_subcommand(options.command, std::string(command.help));
    sub->fallthrough();
    sub->formatter(std::make_shared<CLI::Formatter>());
    sub->footer("Exit codes: secret-injector --help");
    sub->final_callback([&options, &chosen] { chosen = &options; });
    add_options(*sub, options.command, options);
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    const int code = app.exit(error, out, err);
    if (code == 0) return {std::nullopt, out.str(), "", kGood};
    const std::string hint = suggestion(argc, argv);
    return wrong(hint.empty() ? error.what() : "there is no such command; " + hint);
  }
  if (chosen == nullptr) return {std::nullopt, app.help(), "", kGood};
  Options options = *chosen;
  options.color = color;
  if (std::string problem = problem_with(options); !problem.empty()) return wrong(problem);
  return {std::move(options), "", "", kGood};
}

}  // namespace injector::cli
