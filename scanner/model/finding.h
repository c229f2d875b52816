#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/model/entry.h"
#include "scanner/model/fingerprint.h"
#include "scanner/model/image.h"
#include "scanner/model/rule.h"
#include "scanner/model/skipped.h"

namespace scanner {

/// What became of the place in the image that a container would see.
enum class State : std::uint8_t { present, deleted, overwritten };

std::string_view to_string(State state);

/// One place where a secret stands. `entry` says where within the layer or target, the rest where that lies.
struct Location {
  Entry entry;
  int image = -1;  ///< Index into Report::images; -1 when the target is no image.
  int layer = -1;  ///< Index into that image's layers, from 0; -1 for the configuration and for loose files.
  State state = State::present;
  int changed_in = -1;  ///< Index of the layer that deleted or overwrote it; -1 while present.

  std::uint64_t offset = 0;
  std::uint64_t line = 0;  ///< From 1, columns too, ends exclusive; 0 where a place has no lines.
  std::uint64_t column = 0;
  std::uint64_t end_line = 0;
  std::uint64_t end_column = 0;

  std::string frame;  ///< As Hit::frame.
  std::uint32_t mark_begin = 0;
  std::uint32_t mark_end = 0;
};

/// One secret, with all its places. Finished when it is made: reports only print it.
struct Finding {
  std::string rule;
  std::string title;
  std::string description;
  std::string fix;
  std::string docs;
  std::vector<std::string> tags;
  Severity severity = Severity::high;
  Confidence confidence = Confidence::medium;
  Fingerprint fingerprint{};
  std::string redacted;
  std::string secret;  ///< Only with --show-secrets.
  std::vector<std::string> notes;
  std::vector<Location> locations;  ///< At least one; the configuration first, then by layer, path and offset.
};

/// Everything a run has to say. Holds no raw secret unless --show-secrets asked for it.
struct Report {
  std::string tool_version;
  std::string engine;      ///< "Vectorscan 5.4.9": which library matched.
  std::string rules_hash;  ///< RuleSet::hash.
  std::uint64_t rules = 0;
  std::string command;  ///< "image", "dir", "stdin", "env".
  std::string target;   ///< As the user named it.
  std::string started;  ///< UTC, "2026-11-24T08:39:19Z".
  std::uint64_t duration_ms = 0;

  std::vector<Image> images;
  std::vector<Finding> findings;  ///< Most severe first, then by rule and fingerprint.
  Coverage coverage;

  std::uint64_t ignored = 0;               ///< Findings left out by an ignore file or an inline comment.
  std::uint64_t in_baseline = 0;           ///< Findings left out because the baseline has them.
  std::vector<std::string> stale_ignores;  ///< Ignore entries that met nothing.
  std::optional<Severity> fail_on;         ///< Findings below it do not fail the run.
  int exit_code = 0;
};

}  // namespace scanner
