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

/// Judges by the members that are there, never by a claimed media type, and knows members in any case, as Go's decoder
/// does. A document that reads both as an index and as a manifest (CVE-2021-41190), or has a member twice, is
/// `Errc::corrupt`.
base::Result<DocumentKind> classify(std::string_view json);

struct Index {
  std::vector<Descriptor> manifests;
  /// Its annotations and those of its descriptors, and every other string (a layer's URLs, embedded content), with its
  /// JSON pointer as field.
  std::vector<Text> texts;
};

struct Manifest {
  Descriptor config;
  std::vector<Descriptor> layers;  ///< Bottom first.
  std::map<std::string, std::string> annotations;
  std::string subject;  ///< Digest of the manifest that this one is attached to, or empty.
  /// Media types say that its layers are statements and not file systems. A claim: a layer's bytes have the last word.
  bool attestation = false;
  std::vector<Text> texts;  ///< As those of an index.
};

/// One image of a docker-archive, as manifest.json names it; the names are entries of the archive, relative, without a
/// leading "./" and without "..".
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
  /// Every string of the document but digests, times, media types and the platform: each env variable, label, command,
  /// history entry and build argument as its own text, `container_config` and unknown members too. Commands are joined
  /// by spaces. Text and field: an env variable "NAME=value", NAME; a label likewise; a history entry whole, no field,
  /// and each of its build arguments "NAME=value", NAME; everything else "key=value", its JSON pointer.
  std::vector<Text> texts;
};

/// Each fails with `Errc::corrupt`, with `Errc::limit` (size, depth, more than 250 000 values or 100 000 texts) or with
/// `Errc::unsupported` (Docker schema 1, a digest that is not sha256); the message names the member, never its value.
/// A document that fails was not searched at all. `name` is the document's name for Entry::path.
base::Result<Index> parse_index(std::string_view json, const std::string& name, const Limits& limits);
base::Result<Manifest> parse_manifest(std::string_view json, const std::string& name, const Limits& limits);
base::Result<std::vector<DockerImage>> parse_docker_manifest(std::string_view json, const Limits& limits);
base::Result<Config> parse_config(std::string_view json, const std::string& name, const Limits& limits);

/// The texts of any other JSON document: every string but digests, times and media types, as "key=value" under its
/// nearest key, with its JSON pointer as field; Kind is `attestation`. BuildKit provenance names build arguments
/// "build-arg:NAME": such a text is "NAME=value" with field NAME, and so is a variable in a list named "env". Limits as
/// above but for the size, which is the caller's; where they are too small for an SBOM, search the bytes.
base::Result<std::vector<Text>> statement_texts(std::string_view json, const std::string& name);

/// Position in `config.history` for each layer, bottom first; all -1 when the history's non-empty entries are not as
/// many as the layers.
std::vector<int> history_of_layers(const Config& config, std::size_t layers);

}  // namespace scanner::source
