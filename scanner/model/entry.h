#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace scanner {

/// What kind of place a text stands in.
enum class Kind : std::uint8_t {
  file,            ///< The content of a file.
  file_name,       ///< The path of a file itself.
  symlink_target,  ///< Where a symbolic link points.
  env,             ///< An environment variable: of an image configuration or of a process.
  label,
  cmd,
  entrypoint,
  healthcheck,
  onbuild,
  history,      ///< One history entry of an image: the instruction, or one build argument in it.
  annotation,   ///< Of a manifest or an index.
  attestation,  ///< A statement attached to an image: provenance, an SBOM.
  config,       ///< Any other text of an image configuration.
};

std::string_view to_string(Kind kind);

/// Where the bytes that follow come from, within one unit of a target. A path, a field; never content.
struct Entry {
  Kind kind = Kind::file;
  /// The path within the layer, directory or archive, as it stands there, without a leading "./" or "/". Raw bytes,
  /// not necessarily UTF-8. For the kinds of an image's configuration: the document it stands in (for people).
  std::string path;
  /// Members of archives below `path`, outermost first.
  std::vector<std::string> inner;
  /// Encodings undone on the way to these bytes, outermost first: "gzip", "base64".
  std::vector<std::string> decoding;
  /// The variable, label, annotation or build argument; empty for kinds without names.
  std::string field;
  /// For `history`: the entry's position, from 0. Otherwise -1.
  int history_index = -1;
};

}  // namespace scanner
