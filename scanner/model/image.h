#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace scanner {

/// Whether a layer came with the base image. `unknown` when nothing says so: it is never guessed.
enum class Base : std::uint8_t { unknown, yes, no };

/// "unknown", "base", "app".
std::string_view to_string(Base base);

struct Layer {
  std::string digest;      ///< Of the blob as it stands in the target: "sha256:…".
  std::string diff_id;     ///< Of the uncompressed tar; from the configuration.
  std::string media_type;  ///< As the manifest claims; nothing is decided by it.
  std::string created_by;  ///< The history instruction that made it; empty when the history does not fit the layers.
  int history_index = -1;  ///< Its position in the history, from 0.
  Base base = Base::unknown;
  std::uint64_t size = 0;  ///< Of the blob.
  bool read = false;       ///< It was there, matched its digest and was read to its end.
};

/// One image of a target, for one platform.
struct Image {
  std::string name;    ///< The reference it is stored under, or empty.
  std::string digest;  ///< Of its manifest; of its configuration where no manifest exists (docker-archive).
  std::string config_digest;
  std::string platform;              ///< "linux/arm64/v8", from its configuration.
  std::vector<Layer> layers;         ///< Bottom first.
  std::vector<std::string> history;  ///< Every history entry's instruction, oldest first.
};

}  // namespace scanner
