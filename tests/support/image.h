#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scanner/base/json.h"

namespace tests {

using scanner::base::Json;

/// "sha256:…" of the bytes.
std::string digest_of(std::string_view bytes);

/// What a layer's tar holds, and what its blob is made of it.
struct LayerSpec {
  std::string tar;
  std::string blob;  ///< As it is stored: the tar itself, or compressed.
};
LayerSpec plain(std::string tar);
LayerSpec gzip_layer(std::string tar);
LayerSpec zstd_layer(std::string tar);

/// One image to be put into a layout or an archive.
struct ImageSpec {
  std::string name;
  std::string os = "linux";
  std::string architecture = "amd64";
  std::vector<LayerSpec> layers;
  Json config = Json::object();       ///< The "config" member of the configuration.
  std::vector<Json> history;          ///< Empty: none.
  Json annotations = Json::object();  ///< Of the manifest.
};

std::string config_of(const ImageSpec& image);
std::string manifest_of(const ImageSpec& image);

/// A target as named files: what an archive or a directory holds.
class Files {
 public:
  Files& add(const std::string& name, std::string content);
  /// Changes a file that is there.
  std::string& operator[](const std::string& name);
  void remove(const std::string& name);
  /// All as one tar archive, in the order added.
  [[nodiscard]] std::string tar() const;
  /// All below `directory`.
  void write_to(const std::string& directory) const;

 private:
  std::vector<std::pair<std::string, std::string>> files_;
};

/// An OCI image layout; images of one name become platforms of one index.
Files oci_layout(const std::vector<ImageSpec>& images);
/// Where a blob stands in a layout.
std::string blob_path(std::string_view bytes);

enum class DockerStyle : std::uint8_t { legacy, hashed };
/// `docker save`: with a folder and layer.tar for each layer, or with <hash>.tar as older Podman and kaniko write it.
Files docker_archive(const std::vector<ImageSpec>& images, DockerStyle style);

}  // namespace tests
