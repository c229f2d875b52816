#pragma once

#include <nlohmann/json.hpp>

#include <chrono>
#include <optional>
#include <string>

#include "injector/webhook/kubernetes.h"

namespace injector::webhook {

/// Who of several replicas leads, by a Lease of coordination.k8s.io/v1, as all of Kubernetes does it: one that holds it
/// renews it, and another takes it when it has seen no renewal for the Lease's whole duration, by its own clock. Two
/// may believe to lead for a moment, so whatever a leader writes must be guarded by the object's resourceVersion.
class Lease {
 public:
  using Clock = std::chrono::steady_clock;

  /// `path`: of the Lease. `holder`: who we are, unlike all others.
  Lease(Kubernetes& kubernetes, std::string path, std::string holder, std::chrono::seconds duration)
      : kubernetes_(&kubernetes), path_(std::move(path)), holder_(std::move(holder)), duration_(duration) {}

  /// Takes or renews it where that is due: at the latest once each third of its duration. Gives whether we hold it. An
  /// error leaves us in doubt, and so not leading.
  net::Task<bool> hold();
  /// Lets another take it at once.
  net::Task<void> release();

  [[nodiscard]] bool held() const { return held_; }

 private:
  net::Task<bool> take(const nlohmann::json& found);
  [[nodiscard]] nlohmann::json spec_of(int transitions, const std::string& acquired) const;

  Kubernetes* kubernetes_;
  std::string path_;
  std::string holder_;
  std::chrono::seconds duration_;
  bool held_ = false;
  std::string seen_version_;  ///< Of the Lease when it last changed.
  std::optional<Clock::time_point> seen_at_;
};

}  // namespace injector::webhook
