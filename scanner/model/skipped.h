#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/base/result.h"

namespace scanner {

enum class SkipReason : std::uint8_t {
  unreadable,       ///< The operating system refused.
  truncated,        ///< Ended before its structure said so.
  corrupt,          ///< Contradicts its format or its checksum.
  digest_mismatch,  ///< The bytes are not those that the manifest names.
  missing,          ///< Named by a manifest, and not there.
  limit,            ///< A limit of this run was reached.
  unsupported,      ///< A format that is not opened.
  undecided,        ///< A rule could not be decided within its limits.
  changed,          ///< Changed while it was read.
  raw_only,         ///< Looks like an archive and cannot be opened as one; its bytes were searched as they are.
  excluded,         ///< The user's configuration said not to look.
};

std::string_view to_string(SkipReason reason);

/// What an error of reading means for coverage.
SkipReason reason_of(const base::Error& error);

/// Whether a scan with such a skip can still be called complete: nothing was missed that anybody could read, or the
/// user did not want it read.
bool leaves_complete(SkipReason reason);

/// Something of the target that was not looked at, or not to its end. `detail` is for people and holds no content.
struct Skipped {
  SkipReason reason = SkipReason::unreadable;
  std::string place;  ///< "layer sha256:…: app/big.bin", as precise as is known.
  std::string detail;
  std::uint64_t bytes = 0;  ///< How much, as far as is known.
};

/// What was looked at and what was not.
struct Coverage {
  std::uint64_t layers = 0;
  std::uint64_t files = 0;  ///< Regular files, members of archives included.
  std::uint64_t texts = 0;  ///< Names, link targets, variables, labels, history entries...
  std::uint64_t bytes = 0;  ///< Of the above, after decompression.
  std::vector<Skipped> skipped;
  /// Skips beyond the number that is kept; they count as gaps.
  std::uint64_t more_skipped = 0;
  /// Blobs of the target that belong to no selected image (other platforms, other names), and their bytes.
  std::uint64_t unselected_blobs = 0;

  /// Nothing is missing: every skip is one that leaves_complete.
  [[nodiscard]] bool complete() const;
  /// Keeps at most kMaxSkipped, counts the rest.
  void skip(Skipped skipped);
  void add(Coverage other);

  static constexpr std::size_t kMaxSkipped = 1000;
};

}  // namespace scanner
