#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "scanner/model/entry.h"
#include "scanner/model/hit.h"
#include "scanner/model/skipped.h"
#include "scanner/scan/layer_paths.h"
#include "scanner/source/source.h"

namespace scanner::scan {

/// A hit and where it is within its unit.
struct Found {
  Entry entry;
  Hit hit;
};

/// How far a run is: written by its workers, read by whoever shows it.
struct Progress {
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> files{0};
  std::atomic<std::uint64_t> hits{0};
};

/// What came of one item, before it is known what the item was.
struct Outcome {
  int image = -1;    ///< As Item::image.
  std::string name;  ///< Of the blob.
  source::BlobResult blob;
  std::vector<Found> found;
  Coverage coverage;
  std::uint64_t ignored = 0;
  LayerPaths paths;
  /// Names of hard links by the hash of the path they link to.
  std::unordered_map<std::uint64_t, std::vector<std::string>> hard_links;
  std::uint64_t nested_bytes = 0;  ///< Of the archives within the entry at hand.
};

}  // namespace scanner::scan
