#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "scanner/base/result.h"
#include "scanner/model/image.h"
#include "scanner/model/limits.h"
#include "scanner/model/skipped.h"
#include "scanner/source/documents.h"

namespace scanner::source {

/// Which images of a target to look at, and what is their base.
struct Selection {
  std::string platform;  ///< "os/arch[/variant]"; empty: this machine's.
  bool all_platforms = false;
  std::string image;  ///< A name or digest; empty: all images.
  /// The base image: a name or digest of an image in the same target, or a layer's digest or diffID. Empty: not told.
  std::string base;
  /// diffIDs of the base image's layers, bottom first, where `--base` named a file.
  std::vector<std::string> base_diff_ids;
};

/// How the planner sees a target: blobs by name.
struct BlobView {
  /// `name` with links followed, or empty when there is no such blob.
  std::function<std::string(const std::string& name)> resolve;
  /// The text of a small blob; `name` is resolved.
  std::function<base::Result<std::string>(const std::string& name)> fetch;
};

/// What an image target holds, as its documents say it.
struct Plan {
  struct ImageText {
    int image = -1;
    Text text;
  };

  std::vector<Image> images;
  /// For each image and layer: the blob that holds it; empty when it is not there.
  std::vector<std::vector<std::string>> layer_blobs;
  std::vector<ImageText> texts;
  std::vector<Skipped> skipped;
  std::set<std::string> documents;   ///< Blobs that were read as documents: searched through `texts`.
  std::set<std::string> statements;  ///< Blobs of attestations that were too large or no JSON: search them as they are.
  /// Some index or manifest could not be read, so nobody knows which blobs belong to what was asked for: search all.
  bool incomplete = false;
  std::set<std::string> unselected;  ///< Blobs of images that were not selected, as far as their manifests are there.
};

/// Reads `index.json`, `manifest.json` and what they lead to. Everything that is wrong with a document becomes a
/// Skipped, and the others are still read. `Errc::usage` when the selection fits nothing: the message lists what there
/// is. `Errc::unsupported` when the target is no image at all.
base::Result<Plan> plan_images(const BlobView& blobs, const Selection& selection, const Limits& limits);

/// "linux/amd64": what this program runs on, as OCI names it.
std::string host_platform();

}  // namespace scanner::source
