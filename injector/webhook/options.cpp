#include "injector/webhook/options.h"

#include <CLI/CLI.hpp>

#include <charconv>
#include <sstream>
#include <utility>

namespace injector::webhook {
namespace {

using telemetry::Level;
using telemetry::Log;

const char* const kHead = R"(Answers the API server's AdmissionReviews: pods that ask for secrets by label
and annotation get the sidecar that delivers them.

Usage: secret-webhook --tls-cert FILE --tls-key FILE [--policy FILE]
       secret-webhook --self-managed --service NAME --secret NAME --lease NAME
                      --webhook-configuration NAME [--policy FILE]
)";

const char* const kFoot = R"(
POST /mutate over TLS; GET /livez, /readyz, /startupz and /metrics on --health.
The policy and the certificates are read again when their files change.
SIGTERM: readiness says no at once, --drain-delay later nobody new is taken.

Exit codes:
  0  told to end
  1  ended by itself
  2  wrong usage, policy, certificate or address
)";

std::string whole_help(const CLI::App* app, const std::string&, CLI::AppFormatMode mode) {
  CLI::Formatter options;
  options.column_width(30);
  std::string groups = options.make_groups(app, mode);
  for (std::size_t at = 0; (at = groups.find("\n\n\n", at)) != std::string::npos;) groups.erase(at, 1);
  return kHead + groups + kFoot;
}

Parsed wrong(const std::string& message) {
  return {std::nullopt, "", "secret-webhook: " + message + "\nTry `secret-webhook --help`.\n", kUsage};
}

void add_address(CLI::App& app, const std::string& name, Listen& where, const std::string& help) {
  app.add_option_function<std::string>(
         name, [&where](const std::string& text) { where = *Listen::of(text); }, help)
      ->type_name("[IP]:PORT")
      ->check(CLI::Validator(
          [](const std::string& text) {
            return Listen::of(text) ? std::string() : "not an IP address and a port, as in 127.0.0.1:8443 or :8443";
          },
          ""))
      ->group("Serving");
}

void add_certificates(CLI::App& app, Options& options, bool& self_managed) {
  const std::string files = "Certificates from files (cert-manager's Secret mounted, or your own)";
  app.add_option("--tls-cert", options.tls_cert, "The certificate, and what is between it and its\nauthority; PEM")
      ->type_name("FILE")
      ->group(files);
  app.add_option("--tls-key", options.tls_key, "Its key, without a passphrase; PEM")->type_name("FILE")->group(files);
  const std::string own = "Certificates that it makes and renews by itself";
  const auto add = [&](const std::string& name, std::string& where, const std::string& help) {
    app.add_option(name, where, help)->type_name("NAME")->group(own);
  };
  app.add_flag("--self-managed", self_managed, "Keep an authority and a leaf in a Secret")->group(own);
  add("--service", options.service, "The Service that the API server calls");
  add("--namespace", options.own_namespace, "Of the three others; this pod's unless set");
  add("--secret", options.secret, "The Secret");
  add("--lease", options.lease, "The Lease by which replicas choose who writes it");
  add("--webhook-configuration", options.webhook_configuration,
      "The MutatingWebhookConfiguration that is told\nwhom to trust");
  app.add_option("--api-server", options.api_server, "https://HOST:PORT; from the environment unless set")
      ->type_name("URL")
      ->group(own);
  app.add_option("--service-account", options.service_account, "Holds token, ca.crt and namespace")
      ->type_name("DIR")
      ->group(own);
}

Level level_of(const std::string& name) {
  if (name == "debug") return Level::debug;
  if (name == "warn") return Level::warn;
  return name == "error" ? Level::error : Level::info;
}

void add_log(CLI::App& app, Options& options) {
  app.add_option_function<std::string>(
         "--log-level", [&options](const std::string& name) { options.log_level = level_of(name); },
         "debug, info (a line an admission), warn or error")
      ->type_name("LEVEL")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}).description(""))
      ->group("Log");
  app.add_option_function<std::string>(
         "--log-format",
         [&options](const std::string& name) {
           options.log_format = name == "json" ? Log::Format::json : Log::Format::text;
         },
         "json (ECS) or text; text on a terminal unless set")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"json", "text"}).description(""))
      ->group("Log");
}

std::string problem_with(const Options& options, bool self_managed) {
  const bool has_files = !options.tls_cert.empty() || !options.tls_key.empty();
  if (!self_managed) {
    const std::string needed = "; or --self-managed";
    if (!has_files) return "--tls-cert FILE and --tls-key FILE are needed" + needed;
    if (options.tls_cert.empty()) return "--tls-key needs --tls-cert FILE";
    if (options.tls_key.empty()) return "--tls-cert needs --tls-key FILE";
    for (const auto& [name, value] : {std::pair{"--service", &options.service},
                                      {"--secret", &options.secret},
                                      {"--lease", &options.lease},
                                      {"--webhook-configuration", &options.webhook_configuration}}) {
      if (!value->empty()) return std::string(name) + " is of use with --self-managed alone";
    }
    return {};
  }
  if (has_files) return "--self-managed excludes --tls-cert and --tls-key";
  for (const auto& [name, value] : {std::pair{"--service", &options.service},
                                    {"--secret", &options.secret},
                                    {"--lease", &options.lease},
                                    {"--webhook-configuration", &options.webhook_configuration}}) {
    if (value->empty()) return "--self-managed needs " + std::string(name) + " NAME";
  }
  return {};
}

}  // namespace

std::optional<Listen> Listen::of(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  Listen out;
  out.ip = text.substr(0, colon);
  if (out.ip.starts_with('[') && out.ip.ends_with(']')) {
    out.ip = out.ip.substr(1, out.ip.size() - 2);
  } else if (out.ip.find(':') != std::string::npos) {
    return std::nullopt;
  }
  const char* const end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data() + colon + 1, end, out.port);
  if (failed != std::errc() || stop != end) return std::nullopt;
  return out;
}

Parsed parse(int argc, const char* const* argv) {
  Options options;
  bool self_managed = false;
  CLI::App app("", "secret-webhook");
  app.formatter_fn(&whole_help);
  app.set_version_flag("--version", "secret-webhook " SECRET_INJECTOR_VERSION);
  app.add_option("--policy", options.policy,
                 "What pods may ask for, YAML or JSON; without it\nstores inside the cluster")
      ->type_name("FILE")
      ->group("Serving");
  add_address(app, "--listen", options.listen, "Where the API server comes to; :8443 unless set");
  add_address(app, "--health", options.health, "Probes and metrics, without TLS; :9090 unless set");
  app.add_option_function<int>(
         "--drain-delay", [&options](int count) { options.drain_delay = std::chrono::seconds(count); },
         "How long after SIGTERM clients are still taken,\nfor the news to reach them; 3 unless set")
      ->type_name("SECONDS")
      ->check(CLI::Range(0, 300).description(""))
      ->group("Serving");
  add_certificates(app, options, self_managed);
  add_log(app, options);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    if (app.exit(error, out, err) == 0) return {std::nullopt, out.str(), "", kGood};
    return wrong(error.what());
  }
  if (self_managed) options.certificates = Options::Certificates::self_managed;
  if (std::string problem = problem_with(options, self_managed); !problem.empty()) return wrong(problem);
  return {std::move(options), "", "", kGood};
}

}  // namespace injector::webhook
