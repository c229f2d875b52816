#include "scanner/source/documents.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "scanner/source/documents_json.h"
#include "scanner/source/documents_texts.h"

namespace scanner::source {
namespace {

using base::Errc;
using base::Json;
using base::Result;

constexpr std::size_t kLongestName = 4096;
constexpr auto kMaxSize = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
constexpr std::array<std::string_view, 4> kStatementTypes = {"in-toto", "dsse.envelope", "docker.attestation",
                                                             "sigstore.bundle"};

std::string at(const std::string& list, std::size_t index) { return list + "[" + std::to_string(index) + "]"; }

base::Ok read_size(const Json& object, const std::string& where, Descriptor& out) {
  const auto size = find_member(object, "size", where);
  if (!size) return fail(size.error());
  if (*size == nullptr) return {};
  if (!(*size)->is_number_unsigned() || (*size)->get<std::uint64_t>() > kMaxSize) {
    return fail(Errc::corrupt, where + ".size is no size");
  }
  out.has_size = true;
  out.size = (*size)->get<std::uint64_t>();
  return {};
}

Result<std::map<std::string, std::string>> read_annotations(const Json& object, const std::string& where) {
  const auto annotations = read_object(object, "annotations", where);
  if (!annotations) return fail(annotations.error());
  std::map<std::string, std::string> out;
  if (*annotations == nullptr) return out;
  for (const auto& [name, value] : (*annotations)->get_ref<const Json::object_t&>()) {
    if (!value.is_string()) return fail(Errc::corrupt, where + (where.empty() ? "" : ".") + "annotations: no string");
    out.emplace(name, value.get<std::string>());
  }
  return out;
}

base::Ok read_descriptor_platform(const Json& object, const std::string& where, Descriptor& out) {
  const auto platform = read_object(object, "platform", where);
  if (!platform) return fail(platform.error());
  if (*platform == nullptr) return {};
  auto words = read_platform(**platform, where + ".platform");
  if (!words) return fail(std::move(words).error());
  out.platform = *std::move(words);
  return {};
}

Result<Descriptor> read_descriptor(const Json& object, const std::string& where) {
  Descriptor out;
  auto media_type = read_string(object, "mediaType", where);
  if (!media_type) return fail(std::move(media_type).error());
  out.media_type = *std::move(media_type);
  auto digest = read_string(object, "digest", where);
  if (!digest) return fail(std::move(digest).error());
  if (auto ok = check_digest(*digest, where + ".digest"); !ok) return fail(ok.error());
  out.digest = *std::move(digest);
  if (auto ok = read_size(object, where, out); !ok) return fail(ok.error());
  if (auto ok = read_descriptor_platform(object, where, out); !ok) return fail(ok.error());
  auto annotations = read_annotations(object, where);
  if (!annotations) return fail(std::move(annotations).error());
  out.annotations = *std::move(annotations);
  return out;
}

Result<std::vector<Descriptor>> read_descriptors(const Json& document, const std::string& list) {
  const auto array = read_array(document, list, {});
  if (!array) return fail(array.error());
  std::vector<Descriptor> out;
  if (*array == nullptr) return out;
  for (const auto& object : **array) {
    auto descriptor = read_descriptor(object, at(list, out.size()));
    if (!descriptor) return fail(std::move(descriptor).error());
    out.push_back(*std::move(descriptor));
  }
  return out;
}

/// The annotations under their names; the other strings of an index or a manifest (URLs of a layer, embedded content)
/// under their JSON pointers.
void add_texts(Texts& texts, std::string& pointer, std::string_view key, const Json& value) {
  if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      const PointerStep step(pointer, std::to_string(i));
      add_texts(texts, pointer, key, value[i]);
    }
    return;
  }
  if (!value.is_object()) return texts.add_all(Kind::annotation, pointer, key, value);
  const bool platform = same_name(key, "platform");
  for (const auto& [name, member] : value.get_ref<const Json::object_t&>()) {
    const PointerStep step(pointer, name);
    if (same_name(key, "annotations") && member.is_string()) {
      texts.add_pair(Kind::annotation, name, name, member.get_ref<const std::string&>());
    } else if (!platform ||
               (!same_name(name, "os") && !same_name(name, "architecture") && !same_name(name, "variant"))) {
      add_texts(texts, pointer, name, member);
    }
  }
}

Result<std::vector<Text>> texts_of(const Json& document, const std::string& name) {
  Texts texts(name);
  std::string pointer;
  add_texts(texts, pointer, {}, document);
  return std::move(texts).take();
}

/// Parses a document that must be a `kind`.
Result<Json> parse_as(DocumentKind kind, std::string_view json, const char* what, const Limits& limits) {
  auto document = parse_document(json, limits.max_document_bytes);
  if (!document) return document;
  const auto found = kind_of(*document);
  if (!found) return fail(found.error());
  if (*found == DocumentKind::schema1) return fail(Errc::unsupported, "a manifest of Docker's schema 1");
  if (*found != kind) return fail(Errc::corrupt, "not " + std::string(what));
  return document;
}

bool names_statement(std::string_view media_type) {
  return std::any_of(kStatementTypes.begin(), kStatementTypes.end(),
                     [&](std::string_view part) { return media_type.find(part) != std::string_view::npos; });
}

bool is_attestation(const Manifest& manifest, std::string_view artifact_type) {
  if (names_statement(artifact_type) || names_statement(manifest.config.media_type)) return true;
  return !manifest.layers.empty() &&
         std::all_of(manifest.layers.begin(), manifest.layers.end(),
                     [](const Descriptor& layer) { return names_statement(layer.media_type); });
}

base::Ok read_config(const Json& document, Manifest& manifest) {
  const auto object = read_object(document, "config", {});
  if (!object) return fail(object.error());
  if (*object == nullptr) return fail(Errc::corrupt, "the manifest names no config");
  auto config = read_descriptor(**object, "config");
  if (!config) return fail(std::move(config).error());
  manifest.config = *std::move(config);
  return {};
}

base::Ok read_subject(const Json& document, Manifest& manifest) {
  const auto object = read_object(document, "subject", {});
  if (!object) return fail(object.error());
  if (*object == nullptr) return {};
  auto subject = read_descriptor(**object, "subject");
  if (!subject) return fail(std::move(subject).error());
  manifest.subject = std::move(subject->digest);
  return {};
}

/// The name of an archive's entry: a relative path that stays below where it starts.
Result<std::string> archive_name(std::string_view name, const std::string& where) {
  while (name.starts_with("./")) name.remove_prefix(2);
  bool plain =
      !name.empty() && name.size() <= kLongestName && name.front() != '/' && name.find('\0') == std::string_view::npos;
  for (std::string_view rest = name; plain && !rest.empty();) {
    const auto slash = rest.find('/');
    plain = rest.substr(0, slash) != "..";
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  }
  if (!plain) return fail(Errc::corrupt, where + " is no name of an archive's entry");
  return std::string(name);
}

Result<DockerImage> read_docker_image(const Json& object, const std::string& where) {
  DockerImage image;
  const auto config = read_string(object, "Config", where);
  if (!config) return fail(config.error());
  auto config_name = archive_name(*config, where + ".Config");
  if (!config_name) return fail(std::move(config_name).error());
  image.config = *std::move(config_name);
  auto tags = read_strings(object, "RepoTags", where);
  if (!tags) return fail(std::move(tags).error());
  image.repo_tags = *std::move(tags);
  const auto layers = read_strings(object, "Layers", where);
  if (!layers) return fail(layers.error());
  for (const auto& layer : *layers) {
    auto name = archive_name(layer, at(where + ".Layers", image.layers.size()));
    if (!name) return fail(std::move(name).error());
    image.layers.push_back(*std::move(name));
  }
  return image;
}

base::Ok check_count(std::size_t count, const Limits& limits) {
  if (count <= limits.max_manifests) return {};
  return fail(Errc::limit, "names more than " + std::to_string(limits.max_manifests) + " manifests");
}

}  // namespace

Result<DocumentKind> classify(std::string_view json) {
  const auto document = parse_document(json, std::numeric_limits<std::size_t>::max());
  if (!document) return fail(document.error());
  return kind_of(*document);
}

Result<Index> parse_index(std::string_view json, const std::string& name, const Limits& limits) {
  const auto document = parse_as(DocumentKind::index, json, "an image index", limits);
  if (!document) return fail(document.error());
  const auto array = read_array(*document, "manifests", {});
  if (array && *array != nullptr) {
    if (auto ok = check_count((*array)->size(), limits); !ok) return fail(ok.error());
  }
  Index index;
  auto manifests = read_descriptors(*document, "manifests");
  if (!manifests) return fail(std::move(manifests).error());
  index.manifests = *std::move(manifests);
  auto texts = texts_of(*document, name);
  if (!texts) return fail(std::move(texts).error());
  index.texts = *std::move(texts);
  return index;
}

Result<Manifest> parse_manifest(std::string_view json, const std::string& name, const Limits& limits) {
  const auto document = parse_as(DocumentKind::manifest, json, "an image manifest", limits);
  if (!document) return fail(document.error());
  Manifest manifest;
  if (auto ok = read_config(*document, manifest); !ok) return fail(ok.error());
  auto layers = read_descriptors(*document, "layers");
  if (!layers) return fail(std::move(layers).error());
  manifest.layers = *std::move(layers);
  if (auto ok = read_subject(*document, manifest); !ok) return fail(ok.error());
  auto annotations = read_annotations(*document, {});
  if (!annotations) return fail(std::move(annotations).error());
  manifest.annotations = *std::move(annotations);
  const auto artifact_type = read_string(*document, "artifactType", {});
  if (!artifact_type) return fail(artifact_type.error());
  manifest.attestation = is_attestation(manifest, *artifact_type);
  auto texts = texts_of(*document, name);
  if (!texts) return fail(std::move(texts).error());
  manifest.texts = *std::move(texts);
  return manifest;
}

Result<std::vector<DockerImage>> parse_docker_manifest(std::string_view json, const Limits& limits) {
  const auto document = parse_document(json, limits.max_document_bytes);
  if (!document) return fail(document.error());
  if (!document->is_array()) return fail(Errc::corrupt, "not the manifest.json of a saved image");
  if (auto ok = check_count(document->size(), limits); !ok) return fail(ok.error());
  std::vector<DockerImage> images;
  for (const auto& object : *document) {
    auto image = read_docker_image(object, "image " + std::to_string(images.size()));
    if (!image) return fail(std::move(image).error());
    images.push_back(*std::move(image));
  }
  return images;
}

}  // namespace scanner::source
