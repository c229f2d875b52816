#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "scanner/base/hash.h"
#include "scanner/base/result.h"
#include "scanner/base/stream.h"
#include "scanner/model/entry.h"
#include "scanner/model/image.h"
#include "scanner/model/skipped.h"

namespace scanner::source {

/// One thing to search.
struct Item {
  enum class Role : std::uint8_t {
    text,     ///< A short text: a variable, a label, a name.
    content,  ///< A file.
    blob,     ///< A part of an image: hashed, and searched as a layer when its bytes are a tar archive.
  };

  Role role = Role::text;
  Entry entry;
  std::unique_ptr<base::Stream> data;
  int image = -1;  ///< For texts of an image: its index in Description::images.

  // For blobs.
  int blob = -1;                         ///< The source's number for it.
  std::uint64_t size = 0;                ///< As the target states it.
  std::optional<base::Sha256> expected;  ///< The digest that its name claims.
  bool pipe = false;                     ///< Its bytes come through a pipe, so reading them costs a copy.
};

/// Items that are searched one after another by one worker.
using Unit = std::vector<Item>;

/// What reading a blob has shown.
struct BlobResult {
  int blob = -1;
  base::Sha256 digest{};
  std::optional<base::Sha256> diff_id;  ///< Of the decompressed bytes; only where `digest` is not known to be wanted.
  std::uint64_t size = 0;
  bool compressed = false;
  bool tar = false;       ///< Decompressed, it is a tar archive.
  bool complete = false;  ///< Read to its end, digest as expected, nothing left out.
};

/// Where a blob belongs.
struct BlobUse {
  enum class Kind : std::uint8_t { layer, loose, unselected };

  Kind kind = Kind::loose;
  std::vector<std::pair<int, int>> layers;  ///< For layers: indexes of image and layer, one for each image it is in.
};

/// What a target turned out to be, once everything was read.
struct Description {
  std::vector<Image> images;
  std::vector<BlobUse> uses;  ///< By blob number.
  std::vector<Skipped> skipped;
};

/// A target that is read part by part. Bytes enter the scanner only through one of these.
///
/// `next` is called from one thread; the units it gave may meanwhile be read on others. Where a target can only be read
/// in order (a pipe), `next` waits until the streams it gave before were read to their end or dropped.
class Source {
 public:
  virtual ~Source() = default;

  /// The next unit, or nothing at the end. An error ends the source: what it did not give was not looked at.
  virtual base::Result<std::optional<Unit>> next() = 0;

  /// Called once, after every unit was searched. `results` holds one element for each blob that was given.
  virtual Description describe(std::span<const BlobResult> results) = 0;
};

}  // namespace scanner::source
