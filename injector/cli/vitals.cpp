#include "injector/cli/vitals.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

namespace injector::cli {

using telemetry::Exposition;
using watch::FileStatus;
using watch::Status;
using watch::StoreStatus;

namespace {

using Type = Exposition::Type;
using State = FileStatus::State;

constexpr std::array<State, 4> kStates = {State::absent, State::fresh, State::stale, State::adopted};
constexpr std::array<memory::Tier, 3> kTiers = {memory::Tier::secret, memory::Tier::locked, memory::Tier::plain};

double seconds_of(std::chrono::system_clock::time_point time) {
  return static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count()) /
         1000;
}

double seconds_of(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

std::uint64_t one_if(bool yes) { return yes ? 1 : 0; }

void add_state(Exposition& page, const Status& status, const Vitals& vitals) {
  page.family("secret_injector_build_info", Type::gauge, "The version that runs.");
  page.sample(std::uint64_t{1}, {{"version", SECRET_INJECTOR_VERSION}});
  page.family("secret_injector_started", Type::gauge, "Whether every file was delivered once, or taken over.");
  page.sample(one_if(status.started));
  page.family("secret_injector_ready", Type::gauge, "Whether readiness says yes.");
  page.sample(one_if(status.ready && !vitals.stopping));
  page.family("secret_injector_loop_lag_max_seconds", Type::gauge,
              "The latest that the event loop ever was, in seconds.");
  page.sample(seconds_of(vitals.longest_lag));
  page.family("secret_injector_config_reloads_total", Type::counter, "Times that the configuration was read again.");
  page.sample(vitals.reloads, {{"result", "success"}});
  page.sample(vitals.failed_reloads, {{"result", "failure"}});
  page.family("secret_injector_config_last_reload_successful", Type::gauge, "Whether the last reload was taken.");
  page.sample(one_if(vitals.last_reload_good));
}

void add_stores(Exposition& page, const Status& status) {
  const auto labels = [](const StoreStatus& store) {
    return Exposition::Labels{{"store", store.name}, {"provider", store.kind}};
  };
  const auto each = [&](std::string_view name, Type type, std::string_view help, const auto& add) {
    page.family(name, type, help);
    for (const StoreStatus& store : status.stores) add(store);
  };
  each("secret_injector_store_up", Type::gauge, "Whether the store could be had when last asked.",
       [&](const StoreStatus& store) { page.sample(one_if(!store.away), labels(store)); });
  each("secret_injector_fetch_total", Type::counter, "Secrets that were asked for.", [&](const StoreStatus& store) {
    auto with_result = labels(store);
    with_result.emplace_back("result", "success");
    page.sample(store.fetched, with_result);
    with_result.back().second = "failure";
    page.sample(store.failed, with_result);
  });
  each("secret_injector_fetch_duration_seconds", Type::histogram, "How long they took, in seconds.",
       [&](const StoreStatus& store) {
         page.histogram(watch::kFetchBuckets, store.buckets, store.seconds, labels(store));
       });
  each("secret_injector_lease_renewals_total", Type::counter, "Leases that were extended.",
       [&](const StoreStatus& store) { page.sample(store.renewed, labels(store)); });
}

void add_files(Exposition& page, const Status& status) {
  page.family("secret_injector_file_state", Type::gauge, "Which of the states each file is in: 1 for that one.");
  for (const FileStatus& file : status.files) {
    for (const State state : kStates) {
      page.sample(one_if(file.state == state), {{"file", file.path}, {"state", to_string(state)}});
    }
  }
  page.family("secret_injector_file_unready", Type::gauge, "Whether the file's policy makes readiness say no.");
  for (const FileStatus& file : status.files) page.sample(one_if(file.unready), {{"file", file.path}});
  page.family("secret_injector_file_failing", Type::gauge, "Whether the last attempt for the file failed.");
  for (const FileStatus& file : status.files) page.sample(one_if(!file.error.empty()), {{"file", file.path}});
  page.family("secret_injector_secret_last_success_timestamp_seconds", Type::gauge,
              "When a store last said that the file is right, since the epoch.");
  for (const FileStatus& file : status.files) {
    if (file.confirmed) page.sample(seconds_of(*file.confirmed), {{"file", file.path}});
  }
  page.family("secret_injector_lease_expiry_timestamp_seconds", Type::gauge,
              "When the lease or certificate in the file ends, since the epoch.");
  for (const FileStatus& file : status.files) {
    if (file.ends) page.sample(seconds_of(*file.ends), {{"file", file.path}});
  }
}

void add_delivery(Exposition& page, const Status& status) {
  page.family("secret_injector_generation", Type::gauge, "The generation that is published; 0 before the first.");
  page.sample(status.generation);
  page.family("secret_injector_publications_total", Type::counter, "Generations that were published.");
  page.sample(status.publications);
  page.family("secret_injector_publish_failures_total", Type::counter, "Times that the mount refused.");
  page.sample(status.publish_failures);
  page.family("secret_injector_render_changes_total", Type::counter, "Files that were written because they differ.");
  page.sample(status.changes);
  page.family("secret_injector_notify_total", Type::counter, "Calls of on_change.");
  page.sample(status.notified, {{"result", "success"}});
  page.sample(status.notify_failures, {{"result", "failure"}});
}

void add_memory(Exposition& page, const memory::Arena::Status& arena) {
  page.family("secret_injector_memory_tier", Type::gauge, "How memory for secrets is kept: 1 for that one.");
  for (const memory::Tier tier : kTiers) {
    page.sample(one_if(arena.tier == tier), {{"tier", std::string(memory::to_string(tier))}});
  }
  page.family("secret_injector_arena_fallen_segments", Type::gauge, "Segments of it from a lower tier than the first.");
  page.sample(static_cast<std::uint64_t>(arena.fallen));
  page.family("secret_injector_arena_mapped_bytes", Type::gauge, "Address space of memory for secrets, in bytes.");
  page.sample(static_cast<std::uint64_t>(arena.mapped_bytes));
  page.family("secret_injector_arena_used_bytes", Type::gauge, "What of it holds secrets, in bytes.");
  page.sample(static_cast<std::uint64_t>(arena.used_bytes));
  page.family("secret_injector_arena_peak_bytes", Type::gauge, "The most that ever did, in bytes.");
  page.sample(static_cast<std::uint64_t>(arena.peak_bytes));
}

std::string lines_of(const Status& status, const Vitals& vitals) {
  std::string out = "generation " + std::to_string(status.generation) + "\n";
  for (const FileStatus& file : status.files) {
    out += "file " + file.path + ": " + to_string(file.state);
    if (!file.source.empty()) out += ", from " + file.source;
    if (!file.version.empty()) out += ", version " + file.version;
    if (file.confirmed) out += ", confirmed " + span_text(vitals.now - *file.confirmed) + " ago";
    if (file.ends) {
      const bool over = *file.ends < vitals.now;
      out += over ? ", ended " + span_text(vitals.now - *file.ends) + " ago"
                  : ", ends in " + span_text(*file.ends - vitals.now);
    }
    if (file.unready) out += ", not ready by its max_stale";
    if (!file.error.empty()) out += ", the last attempt failed";
    out += "\n";
  }
  for (const StoreStatus& store : status.stores) {
    out += "store " + store.name + " (" + store.kind + "): " + (store.away ? "away" : "up") + "\n";
  }
  return out;
}

struct Verdict {
  bool good = false;
  std::string line;
};

std::string counted(const Status& status, const auto& which, const char* what) {
  const auto count = std::ranges::count_if(status.files, which);
  return std::to_string(count) + " of " + std::to_string(status.files.size()) + " files " + what;
}

Verdict live(const Status&, const Vitals& vitals) {
  if (vitals.heartbeat_age < kStuck) return {true, "live"};
  return {false, "stuck: the loop has not turned for " + span_text(vitals.heartbeat_age)};
}

/// With why the first of them is not there: a failed startup probe is an event of the pod, where people look first.
Verdict started(const Status& status, const Vitals&) {
  if (status.started) return {true, "started"};
  const auto absent = [](const FileStatus& file) { return file.state == State::absent; };
  std::string line = "not started: " + counted(status, absent, "not delivered yet");
  const auto told =
      std::ranges::find_if(status.files, [&](const FileStatus& file) { return absent(file) && !file.error.empty(); });
  if (told != status.files.end()) line += "; " + told->path + ": " + told->error;
  return {false, std::move(line)};
}

Verdict ready(const Status& status, const Vitals& vitals) {
  if (vitals.stopping) return {false, "not ready: stopping"};
  if (!status.started) {
    Verdict verdict = started(status, vitals);
    verdict.line.replace(0, std::string("not started").size(), "not ready");
    return verdict;
  }
  if (status.ready) return {true, "ready"};
  return {false, "not ready: " + counted(
                                     status, [](const FileStatus& file) { return file.unready; }, "too old")};
}

struct Endpoint {
  std::string_view path;
  Verdict (*judge)(const Status& status, const Vitals& vitals);
};
constexpr std::array<Endpoint, 4> kEndpoints = {
    {{"/livez", &live}, {"/readyz", &ready}, {"/healthz", &ready}, {"/startupz", &started}}};

}  // namespace

std::string to_string(State state) {
  switch (state) {
    case State::absent:
      return "absent";
    case State::fresh:
      return "fresh";
    case State::stale:
      return "stale";
    case State::adopted:
      return "adopted";
  }
  return "unknown";
}

std::string span_text(std::chrono::nanoseconds time) {
  const auto seconds = std::max<std::int64_t>(0, std::chrono::round<std::chrono::seconds>(time).count());
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 120L * 60) return std::to_string(seconds / 60) + " min";
  if (seconds < 48L * 3600) return std::to_string(seconds / 3600) + " h";
  return std::to_string(seconds / 86400) + " d";
}

std::string metrics_page(const Status& status, const Vitals& vitals) {
  Exposition page;
  add_state(page, status, vitals);
  add_stores(page, status);
  add_files(page, status);
  add_delivery(page, status);
  add_memory(page, vitals.arena);
  telemetry::add_process(page, vitals.process);
  return page.text();
}

net::ServerResponse answer(const net::ServerRequest& request, const Status& status, const Vitals& vitals) {
  if (request.method != "GET" && request.method != "HEAD") return {.status = 405, .body = "GET or HEAD\n"};
  const std::string_view target(request.target);
  const auto question = std::min(target.size(), target.find('?'));
  const std::string_view path = target.substr(0, question);
  if (path == "/metrics") {
    return {.content_type = std::string(Exposition::kContentType), .body = metrics_page(status, vitals)};
  }
  const auto* const found = std::ranges::find(kEndpoints, path, &Endpoint::path);
  if (found == kEndpoints.end()) return {.status = 404, .body = "/livez /readyz /startupz /metrics\n"};
  const Verdict verdict = found->judge(status, vitals);
  std::string body = verdict.line + "\n";
  const std::string_view query = target.substr(question);
  if (query == "?verbose" || query.starts_with("?verbose=") || query.starts_with("?verbose&")) {
    body += lines_of(status, vitals);
  }
  return {.status = verdict.good ? 200 : 503, .body = std::move(body)};
}

}  // namespace injector::cli
