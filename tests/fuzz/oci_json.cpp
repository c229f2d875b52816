#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/base/check.h"
#include "scanner/base/hash.h"
#include "scanner/source/documents.h"

namespace {

using namespace scanner;
using namespace scanner::source;

void check_digest(const std::string& digest) {
  base::Sha256 bytes{};
  SCANNER_CHECK(base::parse_oci_digest(digest, bytes));
}

void check_name(const std::string& name) {
  SCANNER_CHECK(!name.empty() && name.front() != '/' && name.find('\0') == std::string::npos);
  SCANNER_CHECK(("/" + name + "/").find("/../") == std::string::npos);
}

void check_texts(const std::vector<Text>& texts) {
  SCANNER_CHECK(texts.size() <= 100'000);
  for (const auto& text : texts) SCANNER_CHECK(!text.text.empty() && text.entry.path == "document");
}

void read_index(std::string_view json, const Limits& limits) {
  const auto index = parse_index(json, "document", limits);
  if (!index) return;
  for (const auto& manifest : index->manifests) check_digest(manifest.digest);
  check_texts(index->texts);
}

void read_manifest(std::string_view json, const Limits& limits) {
  const auto manifest = parse_manifest(json, "document", limits);
  if (!manifest) return;
  check_digest(manifest->config.digest);
  for (const auto& layer : manifest->layers) check_digest(layer.digest);
  check_texts(manifest->texts);
}

void read_docker_manifest(std::string_view json, const Limits& limits) {
  const auto images = parse_docker_manifest(json, limits);
  if (!images) return;
  for (const auto& image : *images) {
    check_name(image.config);
    for (const auto& layer : image.layers) check_name(layer);
  }
}

void read_config(std::string_view json, const Limits& limits) {
  const auto config = parse_config(json, "document", limits);
  if (!config) return;
  for (const auto& diff_id : config->diff_ids) check_digest(diff_id);
  check_texts(config->texts);
  SCANNER_CHECK(history_of_layers(*config, config->diff_ids.size()).size() == config->diff_ids.size());
  for (const auto& text : config->texts) {
    const auto index = text.entry.history_index;
    SCANNER_CHECK((index >= 0) == (text.entry.kind == Kind::history));
    SCANNER_CHECK(index < 0 || static_cast<std::size_t>(index) < config->history.size());
  }
}

/// A document that one reader takes is of the kind that it reads.
void check_kind(std::string_view json, const Limits& limits) {
  const auto kind = classify(json);
  SCANNER_CHECK(!parse_index(json, "document", limits) || (kind && *kind == DocumentKind::index));
  SCANNER_CHECK(!parse_manifest(json, "document", limits) || (kind && *kind == DocumentKind::manifest));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string json(data, data + size);
  const Limits limits;
  read_index(json, limits);
  read_manifest(json, limits);
  read_docker_manifest(json, limits);
  read_config(json, limits);
  check_kind(json, limits);
  if (const auto texts = statement_texts(json, "document")) check_texts(*texts);
  return 0;
}
