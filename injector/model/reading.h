#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "injector/memory/secret.h"

namespace injector {

/// The monotonic clock that goes on while the machine sleeps (CLOCK_BOOTTIME): leases end by it, and neither NTP nor a
/// suspended laptop stretches them.
struct BootClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;  // NOLINT(readability-identifier-naming): the standard names it
  static time_point now() noexcept;
};

/// What a file draws from: one path of one store. `store:path#key` in the configuration, or its long form.
struct Query {
  std::string store{};  ///< A name from `stores:`.
  std::string path{};   ///< As the store knows it: "kv/shop/db", "prod/shop", "pki/issue/web".
  std::string key{};    ///< One member of what is there; empty: all of it.
  /// `write:` instead of a read (PKI, transit, dynamic secrets with parameters), and what is sent. No secret stands
  /// here.
  bool write = false;
  std::map<std::string, std::string> data{};
  bool list = false;      ///< The names beneath the path (LIST), in the place of what is there.
  std::string version{};  ///< A KV 2 version, an AWS VersionId; empty: the current one.
  std::string stage{};    ///< AWS: a VersionStage; empty: AWSCURRENT.
  std::string space{};    ///< Vault: a namespace for this read other than the store's.

  friend bool operator==(const Query&, const Query&) = default;
};

struct Lease {
  std::string id;
  std::chrono::seconds duration{0};
  bool renewable = false;
  std::string space;  ///< Vault: the namespace that it was made in, and is renewed in.
};

/// What a store answered to a query's path: all members, whatever key the query is after.
struct Reading {
  struct Member {
    std::string name;
    memory::Secret value;  ///< A string's own bytes; anything else as JSON text.
  };
  std::vector<Member> members;  ///< In the store's order; empty for a value that is no JSON object.
  memory::Secret document;      ///< What was stored, whole: the JSON object, or the bytes of a plain or binary value.
  memory::Secret metadata;      ///< KV 2: the JSON object beside the value, for templates; else empty.
  std::string version;          ///< Names this value among others of its path; empty when the store has no such thing.
  std::optional<Lease> lease;
  std::chrono::seconds advised{0};  ///< What the store gives as a duration without a lease, as KV 1 does.
  /// When it ends without a lease: a certificate's `expiration`, a static credential's next rotation.
  std::optional<std::chrono::system_clock::time_point> expires;
  std::string request_id;             ///< The store's own name of the request, for audit lines.
  std::vector<std::string> warnings;  ///< The store's; never secret.
};

}  // namespace injector
