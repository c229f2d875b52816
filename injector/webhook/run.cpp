#include "injector/webhook/run.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <utility>

#include "injector/memory/arena.h"
#include "injector/memory/process.h"
#include "injector/memory/zeroing.h"
#include "injector/net/https_client.h"
#include "injector/net/loop.h"
#include "injector/net/retry.h"
#include "injector/net/start.h"
#include "injector/webhook/certificate_files.h"
#include "injector/webhook/message.h"
#include "injector/webhook/options.h"
#include "injector/webhook/policy_file.h"
#include "injector/webhook/self_managed.h"
#include "injector/webhook/server.h"
#include "injector/webhook/vitals.h"
#include "scanner/base/fd.h"
#include "scanner/base/hash.h"

namespace injector::webhook {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Ok;
using telemetry::Level;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr auto kBeat = 1s;
constexpr auto kGrace = 10s;  // As long as a request may take.
constexpr unsigned kBeatsToTidy = 10;
constexpr std::string_view kPath = "/mutate";

telemetry::Log log_for(const Options& options) {
  const auto usual = ::isatty(STDERR_FILENO) != 0 ? telemetry::Log::Format::text : telemetry::Log::Format::json;
  return {STDERR_FILENO, options.log_format.value_or(usual), options.log_level};
}

/// Every connection is a descriptor.
void raise_descriptor_limit() {
  ::rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::size_t most_connections() {
  ::rlimit limit{};
  const std::size_t wished = ServerLimits().connections;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wished + 64) return wished;
  return limit.rlim_cur > 128 ? static_cast<std::size_t>(limit.rlim_cur) - 64 : 64;
}

/// A large review's memory goes back to the system when it is answered, instead of staying for the next.
void keep_heap_small() {
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_MMAP_THRESHOLD, 256 << 10);
  ::mallopt(M_TRIM_THRESHOLD, 512 << 10);
}

std::string text_in(const memory::Environment& all, std::string_view name) {
  const auto found = all.find(name);
  return found == all.end() ? std::string() : std::string(found->second.reveal());
}

/// The API server as the kubelet names it to pods; empty: it does not.
std::string api_server_of(const memory::Environment& all) {
  const std::string host = text_in(all, "KUBERNETES_SERVICE_HOST");
  const std::string port = text_in(all, "KUBERNETES_SERVICE_PORT");
  if (host.empty()) return {};
  const bool is_v6 = host.find(':') != std::string::npos;
  return "https://" + (is_v6 ? "[" + host + "]" : host) + ":" + (port.empty() ? "443" : port);
}

std::string holder_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  const auto random = static_cast<std::uint64_t>(net::random_number() * 1e15);
  return std::string(name.data()) + "_" + std::to_string(random);
}

/// The gate: what is refused by its head.
std::optional<HttpReply> gate(const net::ServerRequest& head) {
  const auto refuse = [](int status, std::string_view why) {
    HttpReply reply;
    reply.status = status;
    reply.body = write_status(status, why);
    return reply;
  };
  if (head.target.substr(0, head.target.find('?')) != kPath) return refuse(404, "only /mutate is served here");
  if (head.method != "POST") {
    HttpReply reply = refuse(405, "reviews are sent with POST");
    reply.allow = "POST";
    return reply;
  }
  std::string type = head.header("content-type");
  type.erase(std::min(type.find(';'), type.size()));
  while (!type.empty() && type.back() == ' ') type.pop_back();
  if (type != "application/json") return refuse(415, "reviews are sent as application/json");
  if (!head.header("content-encoding").empty()) return refuse(415, "reviews are sent without a content coding");
  return std::nullopt;
}

/// The program while it runs: one loop, on one thread.
class Webhook {
 public:
  Webhook(const Options& options, std::string api_server)
      : options_(&options),
        log_(log_for(options)),
        signals_(io_, SIGTERM, SIGINT),
        policy_(options.policy),
        files_(options.tls_cert, options.tls_key),
        api_server_(std::move(api_server)) {}

  /// Everything that can be refused at the start.
  Ok prepare();
  int spin();

 private:
  Ok listen();
  Ok prepare_self_managed();
  asio::awaitable<void> run();
  asio::awaitable<void> beat();
  void look_at_policy();
  void look_at_files();
  Ok use(const Pair& leaf);
  void serve_with(std::shared_ptr<const TlsIdentityInUse> identity);
  HttpReply answer(std::string_view body);
  [[nodiscard]] Vitals vitals() const;

  const Options* options_;
  telemetry::Log log_;
  asio::io_context io_{1};
  asio::signal_set signals_;
  PolicyFile policy_;
  CertificateFiles files_;
  std::string api_server_;
  net::HttpsClient* client_ = nullptr;  ///< Of kubernetes_.
  std::unique_ptr<Kubernetes> kubernetes_;
  std::unique_ptr<SelfManaged> self_managed_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<net::HttpServer> probes_;
  std::shared_ptr<const TlsIdentityInUse> identity_;
  AdmissionTimes times_;
  std::uint64_t certificate_reloads_ = 0;
  std::uint64_t certificate_failures_ = 0;
  std::uint64_t policy_reloads_ = 0;
  std::uint64_t policy_failures_ = 0;
  Clock::time_point last_beat_ = Clock::now();
  bool draining_ = false;
};

void Webhook::serve_with(std::shared_ptr<const TlsIdentityInUse> identity) {
  ++certificate_reloads_;
  identity_ = std::move(identity);
  server_->use(identity_);
  const auto left = identity_->expires() - std::chrono::system_clock::now();
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(left).count();
  log_.write(hours < 24 ? Level::warn : Level::info, "a certificate is taken into use",
             {{"event.action", "load-certificate"}, {"hours_left", std::to_string(hours)}});
}

Ok Webhook::use(const Pair& leaf) {
  auto identity = TlsIdentityInUse::create(leaf.certificate, leaf.key);
  if (!identity) {
    ++certificate_failures_;
    return fail(std::move(identity).error());
  }
  serve_with(std::move(*identity));
  return {};
}

void Webhook::look_at_files() {
  auto found = files_.look();
  if (found && *found) serve_with(std::move(*found));
  if (found || !files_.is_news()) return;
  ++certificate_failures_;
  log_.error("the certificate in use stays: the new one is of no use",
             {{"event.action", "load-certificate"}, {"error.message", found.error().message()}});
}

void Webhook::look_at_policy() {
  const auto change = policy_.look();
  if (change && *change == PolicyFile::Change::none) return;
  if (change) {
    ++policy_reloads_;
    log_.info("a policy is taken into use", {{"event.action", "load-policy"}});
    return;
  }
  ++policy_failures_;
  log_.error("the policy in use stays: the new one is wrong",
             {{"event.action", "load-policy"}, {"error.message", change.error().message()}});
}

Ok Webhook::listen() {
  // Nothing named: both families, or the old one where the new one is turned off.
  const bool any = options_->listen.ip.empty();
  ServerLimits limits;
  limits.connections = most_connections();
  const auto open = [&](const std::string& ip) {
    return Server::listen(io_.get_executor(), {ip, options_->listen.port}, limits, gate,
                          [this](const net::ServerRequest&, std::string_view body) { return answer(body); });
  };
  auto server = open(any ? "::" : options_->listen.ip);
  if (!server && any) server = open("0.0.0.0");
  if (!server) return fail(std::move(server).error().during("--listen"));
  server_ = std::move(*server);

  const bool any_probe = options_->health.ip.empty();
  const auto open_probes = [&](const std::string& ip) {
    net::ServerSettings settings;
    settings.address = ip;
    settings.port = options_->health.port;
    return net::HttpServer::listen(io_.get_executor(), std::move(settings), [this](const net::ServerRequest& request) {
      return answer_probe(request, vitals());
    });
  };
  auto probes = open_probes(any_probe ? "::" : options_->health.ip);
  if (!probes && any_probe) probes = open_probes("0.0.0.0");
  if (!probes) return fail(std::move(probes).error().during("--health"));
  probes_ = std::move(*probes);
  return {};
}

Ok Webhook::prepare_self_managed() {
  const std::string& folder = options_->service_account;
  SelfManagedNames names;
  names.service = options_->service;
  names.own_namespace = options_->own_namespace;
  names.secret = options_->secret;
  names.webhook_configuration = options_->webhook_configuration;
  names.lease = options_->lease;
  names.holder = holder_name();
  if (names.own_namespace.empty()) {
    auto found = scanner::base::read_file(folder + "/namespace", 256);
    if (!found) return fail(Errc::config, "--namespace is needed: " + found.error().message());
    names.own_namespace = *std::move(found);
  }
  if (api_server_.empty()) {
    return fail(Errc::config, "--api-server is needed: the environment has no KUBERNETES_SERVICE_HOST");
  }
  net::ClientSettings settings;
  settings.ca_file = folder + "/ca.crt";
  settings.protocol = net::ClientSettings::Protocol::http1;
  auto client = net::HttpsClient::create(io_.get_executor(), std::move(settings));
  if (!client) return fail(std::move(client).error().during("--service-account"));
  client_ = client->get();
  kubernetes_ = std::make_unique<Kubernetes>(std::move(*client), api_server_, folder + "/token");
  self_managed_ = std::make_unique<SelfManaged>(*kubernetes_, std::move(names), SelfManagedTimes(), log_,
                                                [this](const Pair& leaf) { return use(leaf); });
  return {};
}

Ok Webhook::prepare() {
  auto looked = policy_.look();
  if (!looked) return fail(std::move(looked).error().during("--policy"));
  ++policy_reloads_;
  if (Ok listening = listen(); !listening) return listening;
  if (options_->certificates == Options::Certificates::self_managed) return prepare_self_managed();
  auto found = files_.look();
  if (!found) return fail(std::move(found).error().during("--tls-cert, --tls-key"));
  serve_with(std::move(*found));
  return {};
}

HttpReply Webhook::answer(std::string_view body) {
  const auto begun = Clock::now();
  Admission admission = admit(body, policy_.policy());
  const std::chrono::nanoseconds took = Clock::now() - begun;
  times_.add(admission.ending, took);
  const bool well = admission.ending == Ending::patched || admission.ending == Ending::unchanged;
  telemetry::Fields fields = {{"event.action", "admission"},
                              {"event.outcome", well ? "success" : "failure"},
                              {"event.duration", std::to_string(took.count())},
                              {"result", std::string(to_string(admission.ending))}};
  if (!admission.pod_namespace.empty()) fields.emplace_back("orchestrator.namespace", admission.pod_namespace);
  if (!admission.kind.empty()) fields.emplace_back("orchestrator.resource.type", admission.kind);
  if (!admission.uid.empty()) fields.emplace_back("event.id", admission.uid);
  log_.write(admission.ending == Ending::failed ? Level::error : Level::info, "reviewed", fields);
  HttpReply reply;
  reply.status = admission.status;
  reply.body = std::move(admission.body);
  return reply;
}

Vitals Webhook::vitals() const {
  Vitals now;
  now.times = &times_;
  now.server = server_->counts();
  now.connections = server_->connections();
  now.body_bytes = server_->body_bytes();
  if (identity_) now.leaf_expires = identity_->expires();
  if (self_managed_) {
    now.leads = self_managed_->leads();
    if (self_managed_->authority_expires() != Time{}) now.authority_expires = self_managed_->authority_expires();
  }
  now.certificate_reloads = certificate_reloads_;
  now.certificate_failures = certificate_failures_ + (self_managed_ ? self_managed_->failures() : 0);
  now.policy_reloads = policy_reloads_;
  now.policy_failures = policy_failures_;
  now.policy_good = policy_.good();
  now.draining = draining_;
  now.heartbeat_age = Clock::now() - last_beat_;
  now.process = telemetry::this_process();
  now.now = std::chrono::system_clock::now();
  return now;
}

asio::awaitable<void> Webhook::beat() {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (unsigned beats = 1;; ++beats) {
    const net::Woken woken = co_await net::sleep_for(kBeat);
    if (woken == net::Woken::cancelled) co_return;
    last_beat_ = Clock::now();
    look_at_policy();
    if (!self_managed_) look_at_files();
    if (beats % kBeatsToTidy != 0) continue;
    if (client_ != nullptr) client_->close_idle(5s);
    memory::give_back_memory();
    if (beats == kBeatsToTidy) memory::let_go_of_start();
  }
}

asio::awaitable<void> Webhook::run() {
  log_.info("started", {{"event.action", "start"},
                        {"server.port", std::to_string(server_->port())},
                        {"health.port", std::to_string(probes_->port())}});
  asio::cancellation_signal stop_looking;
  asio::cancellation_signal stop_beating;
  if (self_managed_) {
    asio::co_spawn(io_, self_managed_->run(),
                   asio::bind_cancellation_slot(stop_looking.slot(), [](const std::exception_ptr&) {}));
  }
  asio::co_spawn(io_, beat(), asio::bind_cancellation_slot(stop_beating.slot(), [](const std::exception_ptr&) {}));

  const auto [failed, number] = co_await signals_.async_wait(kTuple);
  log_.info("stopping", {{"event.action", "stop"}, {"signal", number == SIGINT ? "INT" : "TERM"}});
  // The pod is taken out of the Service while it still serves; who comes by an old list is sent away politely.
  draining_ = true;
  server_->ask_to_leave();
  stop_looking.emit(asio::cancellation_type::terminal);
  co_await net::sleep_for(options_->drain_delay);
  co_await server_->stop(kGrace);
  if (self_managed_) co_await self_managed_->leave();
  co_await probes_->stop();
  log_.info("stopped", {{"event.action", "stop"}});
}

int Webhook::spin() {
  int code = kFailed;
  asio::co_spawn(io_, run(), [&](const std::exception_ptr& thrown) {
    code = thrown ? kFailed : kGood;
    io_.stop();
  });
  try {
    io_.run();
  } catch (const std::exception&) {  // Of a coroutine that nobody waits for: a bug.
    code = kFailed;
  }
  if (code != kGood) log_.error("ended by an error of the program");
  return code;
}

void say(std::string_view message) {
  const std::string line = "secret-webhook: " + std::string(message) + "\n";
  std::fputs(line.c_str(), stderr);
}

}  // namespace

int run(int argc, const char* const* argv) {
  if (auto hardened = memory::harden_process(); !hardened) {
    say(hardened.error().message());
    return kUsage;
  }
  const memory::Environment environment = memory::take_environment();
  const Parsed parsed = parse(argc, argv);
  std::fputs(parsed.out.c_str(), stdout);
  std::fputs(parsed.err.c_str(), stderr);
  if (!parsed.options) return parsed.exit_code;
  const Options& options = *parsed.options;
  keep_heap_small();
  raise_descriptor_limit();
  net::start();
  Webhook webhook(options, options.api_server.empty() ? api_server_of(environment) : options.api_server);
  if (Ok prepared = webhook.prepare(); !prepared) {
    say(prepared.error().message());
    return kUsage;
  }
  return webhook.spin();
}

}  // namespace injector::webhook
