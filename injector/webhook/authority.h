#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "injector/memory/secret.h"
#include "scanner/base/result.h"

/// The certificates that the webhook makes for itself: an authority and a leaf (both ECDSA P-256), kept together in one
/// Secret that all replicas read and the leader writes. Pure but for random numbers: time is handed in.
namespace injector::webhook {

using Time = std::chrono::system_clock::time_point;

/// How long things live, and stay. Public certificates' habits do not apply: the API server is the only client, and is
/// told whom to trust by ourselves.
struct Lifetimes {
  std::chrono::seconds leaf = std::chrono::hours(24 * 30);
  std::chrono::seconds authority = std::chrono::hours(24 * 365);
  /// How long a new authority is announced in the bundle before a leaf of it is served: for every API server to hear of
  /// it.
  std::chrono::seconds announcement = std::chrono::minutes(10);
  /// How long the old one stays in the bundle after that: for every replica to have the new leaf.
  std::chrono::seconds farewell = std::chrono::hours(1);
  /// What is made is valid from so long before now, for clocks that are behind.
  std::chrono::seconds skew = std::chrono::minutes(5);
};

/// A certificate and its key, PEM.
struct Pair {
  std::string certificate;
  memory::Secret key;

  [[nodiscard]] bool empty() const { return certificate.empty(); }
  [[nodiscard]] Pair clone() const { return {certificate, key.clone()}; }
};

/// What the Secret holds.
struct Keeping {
  Pair authority;        ///< ca.crt, ca.key: that of the leaf.
  Pair next;             ///< next-ca.crt, next-ca.key: announced, and not used yet.
  std::string previous;  ///< previous-ca.crt: trusted a while yet.
  Pair leaf;             ///< tls.crt, tls.key

  /// Whom to trust: up to three certificates, PEM; the one in use first.
  [[nodiscard]] std::string bundle() const;
  [[nodiscard]] Keeping clone() const;
};

/// The members of the Secret's `data` by name, decoded. Missing ones are empty.
using SecretData = std::map<std::string, memory::Secret, std::less<>>;
Keeping read_keeping(const SecretData& data);
SecretData write_keeping(const Keeping& keeping);

/// What is to be kept now.
struct Plan {
  Keeping keeping;
  bool changed = false;
  std::string reason;  ///< Of the change, for the log: "the leaf is at two thirds of its life".
};

/// The next step, one at a time: call again until nothing has changed. What is missing, broken, or not made for `names`
/// (DNS names) is made anew; the leaf and the authority are replaced at two thirds of their lives, the latter in three
/// steps (announced, used, forgotten) between which the bundle must have reached the API server. `published`: the
/// bundle of the present keeping has. `Errc::limit` when there is no memory.
enum class Published : std::uint8_t { no, yes };
scanner::base::Result<Plan> plan(const Keeping& now_kept, const std::vector<std::string>& names, Published published,
                                 Time now, const Lifetimes& lifetimes = {});

/// When a certificate ends; the epoch when it is none.
Time end_of(std::string_view certificate_pem);

/// The names that the API server may call the service by: "name.namespace.svc" and its shorter and longer forms.
std::vector<std::string> names_of_service(std::string_view service, std::string_view service_namespace);

}  // namespace injector::webhook
