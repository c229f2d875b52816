#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "injector/model/file_spec.h"

namespace injector::watch {

/// What is known of one file of the mount.
struct FileStatus {
  enum class State : std::uint8_t {
    absent,   ///< Never delivered, or removed by its policy.
    fresh,    ///< As its store had it when last asked, which was no longer ago than its policy says.
    stale,    ///< Its store has not answered for longer than `max_stale.after`.
    adopted,  ///< Delivered by a process before us; its store has not answered yet.
  };
  std::string path;
  State state = State::absent;
  bool unready = false;  ///< Its policy says that readiness must say no.
  std::string source;    ///< "bao:kv/shop/db", what it was last drawn from.
  std::string version;
  std::optional<std::chrono::system_clock::time_point> confirmed;  ///< When a store last said that this is right.
  std::optional<std::chrono::system_clock::time_point> ends;       ///< Of its lease or certificate.
  std::string error;  ///< Why the last attempt failed; empty when it did not. Holds no value.
};

struct StoreStatus {
  std::string name;
  std::string kind;  ///< "vault", "aws", "file"
  bool away = false;
  std::uint64_t fetched = 0;  ///< Readings that came.
  std::uint64_t failed = 0;
  std::uint64_t renewed = 0;
  double seconds = 0;                  ///< Spent waiting for readings, in all.
  std::vector<std::uint64_t> buckets;  ///< Readings by duration: as many as kFetchBuckets, not cumulative, and a last.
};

/// Upper bounds of StoreStatus::buckets, in seconds.
inline constexpr double kFetchBuckets[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};

/// What of the sidecar can be seen from outside.
struct Status {
  bool started = false;  ///< Every file was delivered once, or taken over.
  bool ready = false;    ///< Started, and no file's policy objects.
  std::uint64_t generation = 0;
  std::uint64_t publications = 0;
  std::uint64_t changes = 0;           ///< Files written because they differ.
  std::uint64_t publish_failures = 0;  ///< The mount refused.
  std::uint64_t notified = 0;          ///< Calls of on_change that went well.
  std::uint64_t notify_failures = 0;
  std::vector<FileStatus> files;    ///< In the configuration's order.
  std::vector<StoreStatus> stores;  ///< Likewise.
};

}  // namespace injector::watch
