#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "injector/net/http_server.h"
#include "injector/telemetry/metrics.h"
#include "injector/webhook/admission.h"
#include "injector/webhook/server.h"

namespace injector::webhook {

/// How long admissions took, by what they ended as.
class AdmissionTimes {
 public:
  void add(Ending ending, std::chrono::nanoseconds time);
  [[nodiscard]] std::uint64_t count(Ending ending) const { return endings_.at(static_cast<std::size_t>(ending)); }

 private:
  friend std::string metrics_page(const struct Vitals& vitals);
  static constexpr std::array<double, 12> kBounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                     0.05,   0.1,   0.25,   0.5,   1,    5};
  std::array<std::uint64_t, kBounds.size() + 1> buckets_{};
  std::array<std::uint64_t, kEndings> endings_{};
  double seconds_ = 0;
};

/// What the webhook tells of itself.
struct Vitals {
  const AdmissionTimes* times = nullptr;
  ServerCounts server;
  std::size_t connections = 0;
  std::size_t body_bytes = 0;

  std::optional<std::chrono::system_clock::time_point> leaf_expires;  ///< Absent: none is in use yet.
  std::optional<std::chrono::system_clock::time_point> authority_expires;
  std::uint64_t certificate_reloads = 0;
  std::uint64_t certificate_failures = 0;
  std::optional<bool> leads;  ///< With --self-managed.

  std::uint64_t policy_reloads = 0;
  std::uint64_t policy_failures = 0;
  bool policy_good = true;

  bool draining = false;
  std::chrono::nanoseconds heartbeat_age{0};
  telemetry::Process process;
  std::chrono::system_clock::time_point now;
};

/// The loop is taken for stuck when its heart has not beaten for so long.
inline constexpr std::chrono::seconds kStuck{10};

/// For Prometheus.
std::string metrics_page(const Vitals& vitals);

/// GET and HEAD of /livez, /readyz (and /healthz), /startupz and /metrics. 200 for yes, 503 with the reason for no.
net::ServerResponse answer_probe(const net::ServerRequest& request, const Vitals& vitals);

}  // namespace injector::webhook
