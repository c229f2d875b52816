#include "scanner/model/skipped.h"

#include <algorithm>
#include <array>
#include <utility>

namespace scanner {

std::string_view to_string(SkipReason reason) {
  static constexpr std::array<std::string_view, 11> kNames = {
      "unreadable",  "truncated", "corrupt", "digest_mismatch", "missing", "limit",
      "unsupported", "undecided", "changed", "raw_only",        "excluded"};
  return kNames[static_cast<std::size_t>(reason)];
}

SkipReason reason_of(const base::Error& error) {
  switch (error.code()) {
    case base::Errc::truncated:
      return SkipReason::truncated;
    case base::Errc::limit:
      return SkipReason::limit;
    case base::Errc::unsupported:
      return SkipReason::unsupported;
    case base::Errc::io:
      return SkipReason::unreadable;
    default:
      return SkipReason::corrupt;
  }
}

bool leaves_complete(SkipReason reason) { return reason == SkipReason::excluded || reason == SkipReason::raw_only; }

bool Coverage::complete() const {
  return more_skipped == 0 &&
         std::ranges::all_of(skipped, [](const Skipped& one) { return leaves_complete(one.reason); });
}

void Coverage::skip(Skipped one) {
  if (skipped.size() < kMaxSkipped) {
    skipped.push_back(std::move(one));
  } else if (!leaves_complete(one.reason)) {
    ++more_skipped;
  }
}

void Coverage::add(Coverage other) {
  layers += other.layers;
  files += other.files;
  texts += other.texts;
  bytes += other.bytes;
  unselected_blobs += other.unselected_blobs;
  more_skipped += other.more_skipped;
  for (Skipped& one : other.skipped) skip(std::move(one));
}

}  // namespace scanner
