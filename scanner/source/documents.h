#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/base/result.h"
#include "scanner/model/entry.h"
#include "scanner/model/limits.h"

namespace scanner::source {

// The JSON documents of container images, parsed and checked; pure functions on text. Everything in them is claimed by
// the image's author, and nothing is trusted. Sources: OCI image-spec 1.1 (descriptor.md, image-index.md, manifest.md,
// config.md), Docker image spec v1.2 (manifest.json of `docker save`) and distribution's schema2.

/// A pointer to a blob.
struct Descriptor {
  std::string media_type;
  std::string digest;  ///< Well-formed "sha256:" + 64 lower-case hex; parsing fails otherwise.
  bool has_size = false;
  std::uint64_t size = 0;
  std::string platform;  ///< "os/arch[/variant]", or empty.
  std::map<std::string, std::string> annotations;
};

/// A text of a document that is to be searched, with where it stands.
struct Text {
  Entry entry;
  std::string text;
};

enum class DocumentKind : std::uint8_t {
  index,            ///< OCI image index or Docker manifest list.
  manifest,         ///< OCI or Docker schema 2 manifest.
  docker_manifest,  ///< The array of `docker save`'s manifest.json.
  config,           ///< An image configuration.
  legacy_config,    ///< `<id>/json` of an old `docker save`.
  statement,        ///< An in-toto statement (provenance, SBOM).
  schema1,          ///< Docker schema 1: unsupported, said so.
  other,
};

/// Judges by the members that are there, never by a claimed media type. A document that reads both as an index and as
/// a manifest (CVE-2021-41190) is `Errc::corrupt`.
base::Result<DocumentKind> classify(std::string_view json);

struct Index {
  std::vector<Descriptor> manifests;
  std::vector<Text> texts;  ///< Its annotations and those of its descriptors.
};

struct Manifest {
  Descriptor config;
  std::vector<Descriptor> layers;  ///< Bottom first.
  std::map<std::string, std::string> annotations;
  std::string subject;         ///< Digest of the manifest that this one is attached to, or empty.
  bool attestation = false;    ///< Its layers are statements, not file systems.
  std::vector<Text> texts;     ///< Its annotations and those of its descriptors.
};

/// One image of a docker-archive, as manifest.json names it; the names are entries of the archive.
struct DockerImage {
  std::string config;
  std::vector<std::string> repo_tags;
  std::vector<std::string> layers;
};

struct HistoryEntry {
  std::string created_by;
  bool empty_layer = false;
};

struct Config {
  std::string platform;  ///< "os/arch[/variant]".
  std::vector<std::string> diff_ids;
  std::vector<HistoryEntry> history;  ///< Oldest first.
  /// Every string of the document but digests, times and the platform: each env variable, label, command, history
  /// entry and build argument as its own text, `container_config` and unknown members too.
  std::vector<Text> texts;
};

/// Each fails with `Errc::corrupt` or `Errc::limit`; the message names the member, never its value.
/// `name` is the document's name for Entry::path.
base::Result<Index> parse_index(std::string_view json, const std::string& name, const Limits& limits);
base::Result<Manifest> parse_manifest(std::string_view json, const std::string& name, const Limits& limits);
base::Result<std::vector<DockerImage>> parse_docker_manifest(std::string_view json, const Limits& limits);
base::Result<Config> parse_config(std::string_view json, const std::string& name, const Limits& limits);

/// The texts of any other JSON document: every string, as "key=value" under its nearest key; Kind is `attestation`.
/// BuildKit provenance names build arguments "build-arg:NAME": such a text is "NAME=value" with field NAME.
base::Result<std::vector<Text>> statement_texts(std::string_view json, const std::string& name);

/// Position in `config.history` for each layer, bottom first; all -1 when the history's non-empty entries are not as
/// many as the layers.
std::vector<int> history_of_layers(const Config& config, std::size_t layers);

}  // namespace scanner::source
