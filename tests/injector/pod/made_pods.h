#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace injector::pod {

/// Pods of many shapes, the same for the same seed on every machine: all annotation families, well and badly written,
/// lists that are missing, empty or full, security contexts from none to Pod Security *restricted*, fields that nobody
/// knows.
class Pods {
 public:
  explicit Pods(std::uint64_t seed) : state_(seed) {}

  struct Made {  // NOLINT(bugprone-exception-escape): nlohmann::json checks itself when it is moved.
    nlohmann::json pod;
    bool known = false;  ///< Holds only fields that Kubernetes knows.
  };
  Made next();

  /// Stands in values that no message may repeat.
  static constexpr const char* kCanary = "hunter2-canary";

 private:
  std::uint64_t random();
  std::size_t below(std::size_t end) { return static_cast<std::size_t>(random() % end); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  const char* pick(std::initializer_list<const char*> all) { return all.begin()[below(all.size())]; }

  nlohmann::json container(std::size_t index, const char* prefix);
  nlohmann::json container_security();
  nlohmann::json pod_security();
  nlohmann::json volumes();
  nlohmann::json mounts();
  nlohmann::json env();
  void odd(nlohmann::json& object);
  void annotate(nlohmann::json& metadata);
  void ours(nlohmann::json& annotations);
  void theirs(nlohmann::json& annotations, const std::string& domain);

  std::uint64_t state_;
  bool restricted_ = false;  ///< Meant to satisfy Pod Security *restricted*.
  bool known_ = false;
  std::vector<std::string> names_;    ///< Of containers, so far.
  std::vector<std::string> volumes_;  ///< Likewise.
};

}  // namespace injector::pod
