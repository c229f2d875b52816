#include "injector/webhook/vitals.h"

#include <algorithm>
#include <string_view>

namespace injector::webhook {
namespace {

using telemetry::Exposition;
using Type = Exposition::Type;

double seconds_of(std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

void add_certificates(Exposition& page, const Vitals& vitals) {
  page.family("secret_injector_certificate_expiry_timestamp_seconds", Type::gauge, "When a certificate ends.");
  if (vitals.leaf_expires) page.sample(seconds_of(*vitals.leaf_expires), {{"certificate", "serving"}});
  if (vitals.authority_expires) page.sample(seconds_of(*vitals.authority_expires), {{"certificate", "authority"}});
  page.family("secret_injector_certificate_reloads_total", Type::counter,
              "Certificates taken into use, or found to be of no use.");
  page.sample(vitals.certificate_reloads, {{"result", "success"}});
  page.sample(vitals.certificate_failures, {{"result", "failure"}});
  page.family("secret_injector_leader", Type::gauge, "Whether this replica looks after the certificates.");
  if (vitals.leads) page.sample(std::uint64_t{*vitals.leads ? 1U : 0U});
}

void add_connections(Exposition& page, const Vitals& vitals) {
  const ServerCounts& server = vitals.server;
  page.family("secret_injector_admission_connections", Type::gauge, "Open connections.");
  page.sample(std::uint64_t{vitals.connections});
  page.family("secret_injector_admission_connections_total", Type::counter, "Connections accepted.");
  page.sample(server.accepted);
  page.family("secret_injector_admission_connections_closed_total", Type::counter, "Connections closed by this side.");
  page.sample(server.closed_by_deadline, {{"reason", "deadline"}});
  page.sample(server.closed_idle, {{"reason", "idle"}});
  page.sample(server.evicted, {{"reason", "evicted"}});
  page.family("secret_injector_admission_handshakes_total", Type::counter, "TLS handshakes.");
  page.sample(server.handshakes_full, {{"result", "full"}});
  page.sample(server.handshakes_resumed, {{"result", "resumed"}});
  page.sample(server.handshakes_failed, {{"result", "failed"}});
  page.family("secret_injector_admission_rejected_total", Type::counter,
              "Requests refused before their body was looked at; shed: for lack of memory.");
  page.sample(server.shed, {{"reason", "shed"}});
  page.sample(server.rejected - server.shed, {{"reason", "form"}});
  page.family("secret_injector_admission_body_bytes", Type::gauge, "What requests under way hold in memory.");
  page.sample(std::uint64_t{vitals.body_bytes});
}

/// Why the API server should not come here; empty: it may.
std::string_view unready(const Vitals& vitals) {
  if (vitals.draining) return "draining";
  if (!vitals.leaf_expires) return "no certificate yet";
  if (*vitals.leaf_expires <= vitals.now) return "the certificate's time is over";
  return {};
}

net::ServerResponse says(bool yes, std::string_view why_not) {
  if (yes) return {.status = 200, .body = "ok\n"};
  return {.status = 503, .body = std::string(why_not) + "\n"};
}

}  // namespace

void AdmissionTimes::add(Ending ending, std::chrono::nanoseconds time) {
  const double seconds = std::chrono::duration<double>(time).count();
  const auto bucket = std::ranges::lower_bound(kBounds, seconds) - kBounds.begin();
  ++buckets_.at(static_cast<std::size_t>(bucket));
  ++endings_.at(static_cast<std::size_t>(ending));
  seconds_ += seconds;
}

std::string metrics_page(const Vitals& vitals) {
  Exposition page;
  page.family("secret_injector_build_info", Type::gauge, "What this is.");
  page.sample(std::uint64_t{1}, {{"version", SECRET_INJECTOR_VERSION}, {"program", "secret-webhook"}});
  page.family("secret_injector_admission_requests_total", Type::counter, "Reviews answered, by what they ended as.");
  for (std::size_t i = 0; i < kEndings; ++i) {
    const auto ending = static_cast<Ending>(i);
    page.sample(vitals.times->count(ending), {{"result", std::string(to_string(ending))}});
  }
  page.family("secret_injector_admission_duration_seconds", Type::histogram,
              "From the last byte of a review to its answer.");
  page.histogram(AdmissionTimes::kBounds, vitals.times->buckets_, vitals.times->seconds_);
  add_connections(page, vitals);
  add_certificates(page, vitals);
  page.family("secret_injector_policy_reloads_total", Type::counter, "Policies read.");
  page.sample(vitals.policy_reloads, {{"result", "success"}});
  page.sample(vitals.policy_failures, {{"result", "failure"}});
  page.family("secret_injector_policy_good", Type::gauge, "Whether the policy in use is what the file says now.");
  page.sample(std::uint64_t{vitals.policy_good ? 1U : 0U});
  telemetry::add_process(page, vitals.process);
  return page.text();
}

net::ServerResponse answer_probe(const net::ServerRequest& request, const Vitals& vitals) {
  if (request.method != "GET" && request.method != "HEAD") return {.status = 405, .body = "GET or HEAD\n"};
  const std::string path = request.target.substr(0, request.target.find('?'));
  if (path == "/livez") return says(vitals.heartbeat_age < kStuck, "the loop is stuck");
  if (path == "/readyz" || path == "/healthz") return says(unready(vitals).empty(), unready(vitals));
  if (path == "/startupz") return says(vitals.leaf_expires.has_value(), "no certificate yet");
  if (path == "/metrics") {
    return {.status = 200, .content_type = std::string(Exposition::kContentType), .body = metrics_page(vitals)};
  }
  return {.status = 404, .body = "there are /livez, /readyz, /startupz and /metrics\n"};
}

}  // namespace injector::webhook
