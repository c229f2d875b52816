#include "tests/support/image.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "scanner/base/check.h"
#include "scanner/base/hash.h"
#include "tests/support/compress.h"
#include "tests/support/tar.h"

namespace tests {

namespace base = scanner::base;

std::string digest_of(std::string_view bytes) { return base::to_oci_digest(base::sha256(bytes)); }

LayerSpec plain(std::string tar) { return {tar, tar}; }
LayerSpec gzip_layer(std::string tar) {
  std::string blob = gzipped(tar);
  return {std::move(tar), std::move(blob)};
}
LayerSpec zstd_layer(std::string tar) {
  std::string blob = zstd(tar);
  return {std::move(tar), std::move(blob)};
}

std::string config_of(const ImageSpec& image) {
  Json diff_ids = Json::array();
  for (const LayerSpec& layer : image.layers) diff_ids.push_back(digest_of(layer.tar));
  Json config = {{"os", image.os},
                 {"architecture", image.architecture},
                 {"config", image.config},
                 {"rootfs", {{"type", "layers"}, {"diff_ids", diff_ids}}}};
  if (!image.history.empty()) config["history"] = image.history;
  return base::dump_json(config);
}

std::string manifest_of(const ImageSpec& image) {
  const std::string config = config_of(image);
  Json layers = Json::array();
  for (const LayerSpec& layer : image.layers) {
    layers.push_back({{"mediaType", "application/vnd.oci.image.layer.v1.tar"},
                      {"digest", digest_of(layer.blob)},
                      {"size", layer.blob.size()}});
  }
  Json manifest = {{"schemaVersion", 2},
                   {"mediaType", "application/vnd.oci.image.manifest.v1+json"},
                   {"config",
                    {{"mediaType", "application/vnd.oci.image.config.v1+json"},
                     {"digest", digest_of(config)},
                     {"size", config.size()}}},
                   {"layers", layers}};
  if (!image.annotations.empty()) manifest["annotations"] = image.annotations;
  return base::dump_json(manifest);
}

Files& Files::add(const std::string& name, std::string content) {
  const auto known = std::ranges::find(files_, name, &std::pair<std::string, std::string>::first);
  if (known == files_.end()) files_.emplace_back(name, std::move(content));
  return *this;
}

std::string& Files::operator[](const std::string& name) {
  const auto known = std::ranges::find(files_, name, &std::pair<std::string, std::string>::first);
  SCANNER_CHECK(known != files_.end());
  return known->second;
}

void Files::remove(const std::string& name) {
  std::erase_if(files_, [&](const auto& file) { return file.first == name; });
}

std::string Files::tar() const {
  std::string all;
  for (const auto& [name, content] : files_) all += tar_file(name, content);
  return all + tar_end();
}

void Files::write_to(const std::string& directory) const {
  for (const auto& [name, content] : files_) {
    const std::filesystem::path path = directory + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
  }
}

std::string blob_path(std::string_view bytes) { return "blobs/sha256/" + digest_of(bytes).substr(7); }

Files oci_layout(const std::vector<ImageSpec>& images) {
  Files files;
  Json manifests = Json::array();
  for (const ImageSpec& image : images) {
    const std::string config = config_of(image);
    const std::string manifest = manifest_of(image);
    for (const LayerSpec& layer : image.layers) files.add(blob_path(layer.blob), layer.blob);
    files.add(blob_path(config), config);
    files.add(blob_path(manifest), manifest);
    Json descriptor = {{"mediaType", "application/vnd.oci.image.manifest.v1+json"},
                       {"digest", digest_of(manifest)},
                       {"size", manifest.size()},
                       {"platform", {{"os", image.os}, {"architecture", image.architecture}}}};
    if (!image.name.empty()) descriptor["annotations"] = {{"org.opencontainers.image.ref.name", image.name}};
    manifests.push_back(std::move(descriptor));
  }
  files.add("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  files.add("index.json", base::dump_json(Json{{"schemaVersion", 2}, {"manifests", manifests}}));
  return files;
}

Files docker_archive(const std::vector<ImageSpec>& images, DockerStyle style) {
  Files files;
  Json manifest = Json::array();
  for (const ImageSpec& image : images) {
    const std::string config = config_of(image);
    const std::string config_name = digest_of(config).substr(7) + ".json";
    Json layers = Json::array();
    for (const LayerSpec& layer : image.layers) {
      const std::string id = digest_of(layer.tar).substr(7);
      const std::string name = style == DockerStyle::legacy ? id + "/layer.tar" : id + ".tar";
      files.add(name, layer.blob);
      layers.push_back(name);
    }
    files.add(config_name, config);
    manifest.push_back({{"Config", config_name}, {"RepoTags", {image.name}}, {"Layers", layers}});
  }
  files.add("manifest.json", base::dump_json(manifest));
  return files;
}

}  // namespace tests
