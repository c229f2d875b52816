#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "injector/memory/arena.h"
#include "injector/net/http_server.h"
#include "injector/telemetry/metrics.h"
#include "injector/watch/status.h"

namespace injector::cli {

/// What the sidecar tells of itself besides what its watch does.
struct Vitals {
  std::chrono::nanoseconds heartbeat_age{0};  ///< Since the loop last did what it does twice a second.
  std::chrono::nanoseconds longest_lag{0};    ///< The latest that it ever did.
  std::uint64_t reloads = 0;
  std::uint64_t failed_reloads = 0;
  bool last_reload_good = true;
  bool stopping = false;
  memory::Arena::Status arena;
  telemetry::Process process;
  std::chrono::system_clock::time_point now;
};

/// The loop is taken for stuck when its heart has not beaten for so long.
inline constexpr std::chrono::seconds kStuck{10};

/// Everything for Prometheus, as conventions go: base units, `_total`, and no label but those of the configuration.
std::string metrics_page(const watch::Status& status, const Vitals& vitals);

/// GET and HEAD of /livez, /readyz (and /healthz), /startupz and /metrics. 200 for yes, 503 for no; with ?verbose the
/// files and stores follow, a line each: state, version and age, never a value.
net::ServerResponse answer(const net::ServerRequest& request, const watch::Status& status, const Vitals& vitals);

/// "absent", "fresh", "stale", "adopted"
std::string to_string(watch::FileStatus::State state);

/// "12 s", "5 min", "3 h", "2 d": how long ago, or how long yet.
std::string span_text(std::chrono::nanoseconds time);

}  // namespace injector::cli
