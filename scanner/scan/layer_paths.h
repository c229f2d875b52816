#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "scanner/model/finding.h"

namespace scanner::scan {

/// What one layer did to which paths: hashes only, eight bytes a path, never the paths.
///
/// Whiteouts as the OCI image-spec has them (layer.md): a file ".wh.NAME" removes NAME, ".wh..wh..opq" hides all that
/// lower layers have in its folder.
class LayerPaths {
 public:
  enum class What : std::uint8_t { directory, other };

  /// `path` is clean, as TarMember::path. Call `seal` after the last one.
  void add(std::string_view path, What what);
  void seal();

  /// What this layer makes of a file that a layer below has at `path`.
  [[nodiscard]] State effect_on(std::string_view path) const;

 private:
  std::vector<std::uint64_t> directories_;
  std::vector<std::uint64_t> others_;
  std::vector<std::uint64_t> whiteouts_;
  std::vector<std::uint64_t> opaque_;
};

/// The hash that LayerPaths keeps of a path.
std::uint64_t path_hash(std::string_view path);

}  // namespace scanner::scan
