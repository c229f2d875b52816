#include "injector/cli/sidecar.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "injector/cli/commands.h"
#include "injector/cli/notifier.h"
#include "injector/cli/place.h"
#include "injector/cli/say.h"
#include "injector/cli/stores.h"
#include "injector/cli/vitals.h"
#include "injector/config/yaml.h"
#include "injector/deliver/handover.h"
#include "injector/memory/document.h"
#include "injector/memory/process.h"
#include "injector/memory/text.h"
#include "injector/memory/zeroing.h"
#include "injector/net/loop.h"
#include "injector/net/retry.h"
#include "injector/net/start.h"
#include "injector/watch/group.h"
#include "scanner/base/fd.h"
#include "scanner/base/hash.h"

namespace injector::cli {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using scanner::base::Errc;
using scanner::base::Error;
using scanner::base::fail;
using scanner::base::Ok;
using scanner::base::Result;
using telemetry::Level;

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr auto kBeat = 500ms;
constexpr unsigned kBeatsToTidy = 10;  ///< Connections and the stack are cleared of what they were used for.
/// Beyond shutdown.timeout: for the watch to end, the files to go, and the server's last answers.
constexpr auto kSlack = 300ms;

std::string milliseconds_text(Clock::duration time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()) + " ms";
}

/// What one configuration makes; replaced as a whole when there is another.
struct Crew {
  Crew(const asio::any_io_executor& executor, config::Config config_in)
      : config(std::move(config_in)), notifier(executor, config.files), group(executor) {}

  config::Config config;
  Stores stores;
  Notifier notifier;
  std::optional<watch::Watch> watch;
  watch::Group group;  ///< Runs the watch.
};

/// The program while it runs: one loop, on one thread.
class Sidecar {
 public:
  Sidecar(const Options& options, const Environment& environment, config::Config config)
      : options_(&options),
        environment_(&environment),
        log_(log_for(config)),
        signals_(io_, SIGTERM, SIGINT),
        hangups_(io_),
        last_resort_(io_),
        crew_(std::make_unique<Crew>(io_.get_executor(), std::move(config))) {}

  /// Everything that can be refused before the first question to a store.
  Ok prepare() {
    tell_memory();
    auto place = open_place(crew_->config, log_);
    if (!place) return fail(std::move(place).error());
    place_ = std::move(*place);
    auto stores = Stores::open(io_.get_executor(), crew_->config, environment_->aws);
    if (!stores) return fail(std::move(stores).error());
    crew_->stores = std::move(*stores);
    make_watch(*crew_);
    return {};
  }
  Ok serve() {
    hangups_.add(SIGHUP);
    auto server = listen(crew_->config.health);
    if (!server) return fail(std::move(server).error());
    server_ = std::move(*server);
    auto quit = listen_for_quit(crew_->config.quit);
    if (!quit) return fail(std::move(quit).error());
    quit_server_ = std::move(*quit);
    return {};
  }

  /// Runs `work` and what belongs to its side until it ends; gives its exit code.
  int spin(asio::awaitable<int> work) {
    int code = kFailed;
    asio::co_spawn(io_, std::move(work), [&](const std::exception_ptr& thrown, int result) {
      code = thrown ? kFailed : result;
      if (thrown) log_.error("ended by an error of the program");
      io_.stop();
    });
    try {
      io_.run();
    } catch (const std::exception&) {  // Of a coroutine that nobody waits for: a bug.
      log_.error("ended by an error of the program");
      leave_message(*options_, "ended by an error of the program");
      memory::Arena::wipe();
      std::_Exit(kFailed);
    }
    return code;
  }

  asio::awaitable<int> run();
  asio::awaitable<int> init();

 private:
  void tell_memory();
  void make_watch(Crew& crew);
  Result<std::unique_ptr<net::HttpServer>> listen(const config::Health& health);
  Result<std::unique_ptr<net::HttpServer>> listen_for_quit(const config::Quit& quit);
  asio::awaitable<void> give_up_in_time();
  [[nodiscard]] int exit_code() const { return gave_up_ ? kFailed : kGood; }
  void start(Crew& crew, std::chrono::milliseconds jitter);
  asio::awaitable<void> keep_watch(Crew& crew, std::chrono::milliseconds jitter);
  asio::awaitable<void> beat();
  asio::awaitable<void> reload_on_hangup();
  asio::awaitable<void> reload();
  asio::awaitable<Ok> take(config::Config config);
  asio::awaitable<void> stop();
  asio::awaitable<void> deliver_once(std::optional<Error>& error);
  void hand_over();
  void take_over();
  [[nodiscard]] std::string config_digest() const;
  [[nodiscard]] Vitals vitals() const;
  void end_hard_after(std::chrono::milliseconds time, int code);

  const Options* options_;
  const Environment* environment_;
  telemetry::Log log_;
  asio::io_context io_{1};
  asio::signal_set signals_;
  asio::signal_set hangups_;  ///< Heeded from serve() on, so that an early one does not end us.
  asio::steady_timer last_resort_;
  Place place_;
  std::unique_ptr<Crew> crew_;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<net::HttpServer> quit_server_;
  Clock::time_point last_beat_ = Clock::now();
  Clock::duration longest_lag_{0};
  std::uint64_t reloads_ = 0;
  std::uint64_t failed_reloads_ = 0;
  bool last_reload_good_ = true;
  bool stopping_ = false;
  bool gave_up_ = false;
};

void Sidecar::tell_memory() {
  const memory::Arena::Status arena = memory::Arena::status();
  const bool wiped = net::start() && memory::heap_is_zeroed();
  const bool well = wiped && arena.tier != memory::Tier::plain;
  log_.write(well ? Level::info : Level::warn, "memory for secrets",
             {{"memory.tier", std::string(memory::to_string(arena.tier))}, {"memory.freed", wiped ? "wiped" : "left"}});
}

void Sidecar::make_watch(Crew& crew) {
  watch::Watch::Parts parts;
  parts.executor = io_.get_executor();
  parts.config = &crew.config;
  parts.stores = crew.stores.named();
  parts.delivery = place_.delivery.get();
  parts.notify = [&crew](const OnChange& how) { return crew.notifier.tell(how); };
  parts.log = &log_;
  parts.random = net::random_number;
  crew.watch.emplace(std::move(parts));
}

Result<std::unique_ptr<net::HttpServer>> Sidecar::listen(const config::Health& health) {
  if (health.port == 0) return std::unique_ptr<net::HttpServer>();
  net::ServerSettings settings;
  settings.address = health.host;
  settings.port = health.port;
  return net::HttpServer::listen(io_.get_executor(), std::move(settings), [this](const net::ServerRequest& request) {
    static const watch::Status kNothing;
    return answer(request, crew_ && crew_->watch ? crew_->watch->status() : kNothing, vitals());
  });
}

Result<std::unique_ptr<net::HttpServer>> Sidecar::listen_for_quit(const config::Quit& quit) {
  if (quit.port == 0) return std::unique_ptr<net::HttpServer>();
  net::ServerSettings settings;
  settings.address = quit.host;
  settings.port = quit.port;
  return net::HttpServer::listen(io_.get_executor(), std::move(settings), [this](const net::ServerRequest& request) {
    if (request.target != "/agent/v1/quit") return net::ServerResponse{.status = 404};
    if (request.method != "POST") return net::ServerResponse{.status = 405};
    log_.info("asked to end", {{"event.action", "quit"}});
    std::raise(SIGTERM);
    return net::ServerResponse{};
  });
}

/// Whoever has set a start_timeout wants to see a container that fails, and not one that goes on trying.
asio::awaitable<void> Sidecar::give_up_in_time() {
  const auto limit = crew_->config.start_timeout;
  if (limit == 0ms) co_return;
  const net::Woken woken = co_await net::sleep_for(limit);
  if (woken == net::Woken::cancelled) co_return;
  const watch::Status& status = crew_->watch->status();
  if (status.started) co_return;
  std::string why = "not everything was delivered within start_timeout";
  for (const auto& file : status.files)
    if (file.state == watch::FileStatus::State::absent && !file.error.empty())
      why += "\n" + file.path + ": " + file.error;
  log_.error("giving up", {{"event.outcome", "failure"}, {"error.message", why}});
  leave_message(*options_, why);
  gave_up_ = true;
  std::raise(SIGTERM);
}

Vitals Sidecar::vitals() const {
  Vitals vitals;
  vitals.heartbeat_age = Clock::now() - last_beat_;
  vitals.longest_lag = longest_lag_;
  vitals.reloads = reloads_;
  vitals.failed_reloads = failed_reloads_;
  vitals.last_reload_good = last_reload_good_;
  vitals.stopping = stopping_;
  vitals.arena = memory::Arena::status();
  vitals.process = telemetry::this_process();
  vitals.now = std::chrono::system_clock::now();
  return vitals;
}

asio::awaitable<void> Sidecar::beat() {
  for (unsigned beats = 1;; ++beats) {
    const auto due = Clock::now() + kBeat;
    const net::Woken woken = co_await net::sleep_for(kBeat);
    if (woken == net::Woken::cancelled) co_return;
    last_beat_ = Clock::now();
    longest_lag_ = std::max(longest_lag_, last_beat_ - due);
    if (beats % kBeatsToTidy != 0) continue;
    crew_->stores.close_idle();
    memory::wipe_stack();
    memory::give_back_memory();
    if (beats == kBeatsToTidy) memory::let_go_of_start();
  }
}

asio::awaitable<void> Sidecar::keep_watch(Crew& crew, std::chrono::milliseconds jitter) {
  co_await asio::this_coro::throw_if_cancelled(false);
  if (jitter > 0ms) {
    log_.info("waiting before the first fetch (start_jitter)", {{"wait", milliseconds_text(jitter)}});
    const net::Woken woken = co_await net::sleep_for(jitter);
    if (woken == net::Woken::cancelled) co_return;
  }
  co_await crew.watch->run();
}

void Sidecar::start(Crew& crew, std::chrono::milliseconds jitter) { crew.group.start(keep_watch(crew, jitter)); }

/// The end of the process whatever its parts do: secrets are wiped, and nothing is waited for.
void Sidecar::end_hard_after(std::chrono::milliseconds time, int code) {
  last_resort_.expires_after(time);
  last_resort_.async_wait([this, code](const boost::system::error_code& stopped) {
    if (stopped) return;
    log_.warn("ended in the midst: not everything was given back in time");
    memory::Arena::wipe();
    std::_Exit(code);
  });
}

asio::awaitable<void> Sidecar::stop() {
  const auto begun = Clock::now();
  stopping_ = true;
  end_hard_after(crew_->config.shutdown.timeout + kSlack, exit_code());
  signals_.async_wait([this](const boost::system::error_code& stopped, int) {
    if (!stopped) end_hard_after(0ms, kGood);
  });
  crew_->group.cancel();
  co_await crew_->group.join();
  if (crew_->config.shutdown.remove_files) {
    if (const Ok gone = place_.delivery->withdraw(); !gone)
      log_.error("cannot remove the files", {{"error.message", gone.error().message()}});
  }
  co_await crew_->stores.close();
  for (auto* server : {&server_, &quit_server_})
    if (*server != nullptr) co_await (*server)->stop(50ms);
  log_.info("stopped", {{"event.action", "stop"},
                        {"event.duration", std::to_string(std::chrono::nanoseconds(Clock::now() - begun).count())}});
  last_resort_.cancel();
  signals_.cancel();
}

asio::awaitable<Ok> Sidecar::take(config::Config config) {
  std::optional<Place> place;
  if (config.mount != crew_->config.mount) {
    auto opened = open_place(config, log_);
    if (!opened) co_return fail(std::move(opened).error());
    place = std::move(*opened);
  } else if (config.require != crew_->config.require) {
    const auto mount = deliver::Mount::open(config.mount);
    if (!mount) co_return fail(mount.error());
    Ok well = attest(*mount, config.require, log_);
    if (!well) co_return well;
  }
  auto stores = Stores::open(io_.get_executor(), config, environment_->aws, &crew_->stores);
  if (!stores) co_return fail(std::move(stores).error());
  std::unique_ptr<net::HttpServer> server;
  const bool moves = config.health != crew_->config.health;
  if (moves) {
    auto listening = listen(config.health);
    if (!listening) co_return fail(std::move(listening).error());
    server = std::move(*listening);
  }
  std::unique_ptr<net::HttpServer> quit_server;
  const bool quit_moves = config.quit != crew_->config.quit;
  if (quit_moves) {
    auto listening = listen_for_quit(config.quit);
    if (!listening) co_return fail(std::move(listening).error());
    quit_server = std::move(*listening);
  }

  // From here on, nothing is refused.
  crew_->group.cancel();
  co_await crew_->group.join();
  auto next = std::make_unique<Crew>(io_.get_executor(), std::move(config));
  next->stores = std::move(*stores);
  if (place) place_ = std::move(*place);
  log_ = log_for(next->config);
  make_watch(*next);
  std::swap(crew_, next);
  start(*crew_, 0ms);
  if (moves) std::swap(server_, server);
  if (server != nullptr) co_await server->stop();
  if (quit_moves) std::swap(quit_server_, quit_server);
  if (quit_server != nullptr) co_await quit_server->stop();
  next->watch.reset();
  co_await next->stores.close(&crew_->stores);
  co_return Ok();
}

asio::awaitable<void> Sidecar::reload() {
  log_.info("reading the configuration again", {{"event.action", "reload"}});
  auto config = load_config(*options_, *environment_);
  Ok taken;
  if (!config) {
    taken = fail(std::move(config).error());
  } else if (*config == crew_->config) {
    crew_->watch->refresh();
  } else {
    taken = co_await take(std::move(*config));
  }
  last_reload_good_ = static_cast<bool>(taken);
  if (taken) {
    ++reloads_;
    log_.info("reloaded", {{"event.action", "reload"}, {"event.outcome", "success"}});
    co_return;
  }
  ++failed_reloads_;
  log_.error("the old configuration stays: the new one is wrong",
             {{"event.action", "reload"}, {"event.outcome", "failure"}, {"error.message", taken.error().message()}});
}

asio::awaitable<void> Sidecar::reload_on_hangup() {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    const auto [failed, number] = co_await hangups_.async_wait(kTuple);
    if (failed || stopping_) co_return;
    co_await reload();
  }
}

/// Both processes of a handover are told the same configuration, or there is none.
std::string Sidecar::config_digest() const {
  if (options_->config.empty()) return scanner::base::hex(scanner::base::sha256(environment_->config));
  const auto text = scanner::base::read_file(options_->config, config::kMostText);
  return text ? scanner::base::hex(scanner::base::sha256(*text)) : "";
}

/// Leaves for `run` what would cost a login and new leases to get again.
void Sidecar::hand_over() {
  if (const Ok may = deliver::may_hand_over(options_->handover); !may) {
    log_.warn("nothing is handed over", {{"error.message", may.error().message()}});
    return;
  }
  const memory::Secret kept = crew_->watch->hand_over();
  memory::Text text(kept.size() + 128);
  text.append("{\"config\":").append_json(config_digest()).append(",\"watch\":").append(kept).append('}');
  if (const Ok left = deliver::leave_handover(options_->handover, text.finish()); !left)
    log_.warn("what was to be handed over is lost", {{"error.message", left.error().message()}});
}

/// Whatever is wrong with what was left, it is only as if nothing had been.
void Sidecar::take_over() {
  auto text = deliver::take_handover(options_->handover);
  if (!text) {
    if (text.error().code() != Errc::missing)
      log_.warn("cannot take over", {{"error.message", text.error().message()}});
    return;
  }
  auto document = memory::Document::parse(std::move(*text));
  const bool same = document && !config_digest().empty() && document->root()["config"].string() == config_digest();
  if (!same || !crew_->watch->take_over(document->root()["watch"].text())) {
    log_.warn("cannot take over: it was left by another configuration");
    return;
  }
  log_.info("took over what init delivered", {{"event.action", "take-over"}});
}

asio::awaitable<int> Sidecar::run() {
  const config::Config& config = crew_->config;
  telemetry::Fields started = {{"event.action", "start"},
                               {"files", std::to_string(config.files.size())},
                               {"stores", std::to_string(config.stores.size())},
                               {"mount", config.mount}};
  if (!environment_->pod.empty()) started.emplace_back("orchestrator.resource.name", environment_->pod);
  if (!environment_->pod_namespace.empty()) started.emplace_back("orchestrator.namespace", environment_->pod_namespace);
  log_.info("started", started);
  watch::Group aside(io_.get_executor());
  aside.start(beat());
  aside.start(reload_on_hangup());
  aside.start(give_up_in_time());
  if (!options_->handover.empty()) take_over();
  const auto jitter = std::chrono::duration<double, std::milli>(config.start_jitter) * net::random_number();
  start(*crew_, std::chrono::duration_cast<std::chrono::milliseconds>(jitter));

  const auto [failed, number] = co_await signals_.async_wait(kTuple);
  log_.info("stopping", {{"event.action", "stop"}, {"signal", number == SIGINT ? "INT" : "TERM"}});
  // A reload that is under way must come to its end before its parts go.
  aside.cancel();
  end_hard_after(crew_->config.shutdown.timeout + kSlack, exit_code());
  stopping_ = true;
  co_await aside.join();
  co_await stop();
  co_return exit_code();
}

asio::awaitable<void> Sidecar::deliver_once(std::optional<Error>& error) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto limit = crew_->config.start_timeout;
  auto delivered = co_await crew_->watch->once(limit == 0ms ? options_->timeout : limit);
  if (!delivered) error = std::move(delivered).error();
}

asio::awaitable<int> Sidecar::init() {
  std::optional<Error> error;
  bool interrupted = false;
  signals_.async_wait([&](const boost::system::error_code& stopped, int) {
    if (stopped) return;
    interrupted = true;
    crew_->group.cancel();
  });
  crew_->group.start(deliver_once(error));
  co_await crew_->group.join();
  signals_.cancel();
  if (interrupted && !error) error = Error(Errc::away, "interrupted");
  if (error) {
    log_.error("not everything was delivered", {{"event.outcome", "failure"}, {"error.message", error->message()}});
    leave_message(*options_, error->message());
  }
  if (!error && !options_->handover.empty()) hand_over();
  // The files stay, whatever shutdown.remove_files says: they are what init is for.
  end_hard_after(crew_->config.shutdown.timeout + kSlack, error ? kFailed : kGood);
  co_await crew_->stores.close();
  last_resort_.cancel();
  co_return error ? kFailed : kGood;
}

}  // namespace

int run_sidecar(const Options& options, const Environment& environment) {
  net::start();
  memory::Arena::open();
  auto config = load_config(options, environment);
  if (!config) return refuse_config(options, config.error());
  Sidecar sidecar(options, environment, std::move(*config));
  Ok prepared = sidecar.prepare();
  if (prepared) prepared = sidecar.serve();
  if (!prepared) return refuse(options, prepared.error());
  return sidecar.spin(sidecar.run());
}

int run_init(const Options& options, const Environment& environment) {
  net::start();
  memory::Arena::open();
  auto config = load_config(options, environment);
  if (!config) return refuse_config(options, config.error());
  Sidecar sidecar(options, environment, std::move(*config));
  if (Ok prepared = sidecar.prepare(); !prepared) return refuse(options, prepared.error());
  return sidecar.spin(sidecar.init());
}

}  // namespace injector::cli
