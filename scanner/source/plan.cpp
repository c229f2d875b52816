#include "scanner/source/plan.h"

#include <sys/utsname.h>

#include <algorithm>
#include <optional>
#include <tuple>

#include "scanner/base/hash.h"

namespace scanner::source {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr const char* kRefName = "org.opencontainers.image.ref.name";
constexpr const char* kContainerdName = "io.containerd.image.name";
constexpr const char* kReferenceType = "vnd.docker.reference.type";
constexpr const char* kReferenceDigest = "vnd.docker.reference.digest";
constexpr const char* kBaseDigest = "org.opencontainers.image.base.digest";
constexpr const char* kBaseName = "org.opencontainers.image.base.name";

std::string annotation(const std::map<std::string, std::string>& annotations, const char* key) {
  const auto it = annotations.find(key);
  return it == annotations.end() ? std::string() : it->second;
}

/// Whether `have` is what `want` asks for; a variant that was not asked for does not matter.
bool platform_fits(const std::string& have, const std::string& want) {
  return have == want || (have.starts_with(want) && have[want.size()] == '/');
}

/// Whether the user's `wanted` names an image that is stored as `name`: with or without host, namespace and tag.
bool name_fits(const std::string& name, const std::string& wanted) {
  if (name.empty()) return false;
  for (const std::string& full : {wanted, wanted + ":latest"}) {
    if (name == full || name.ends_with("/" + full)) return true;
  }
  return false;
}

/// One image manifest that some index names, or that `manifest.json` of a docker-archive stands for.
struct Leaf {
  Descriptor descriptor;  ///< Without digest for an image of a docker-archive.
  DockerImage docker;
  std::vector<std::string> names;
  int group = 0;          ///< Leaves of one group are the same image for several platforms.
  bool attached = false;  ///< An attestation, about `refers_to`.
  std::string refers_to;
};

class Planner {
 public:
  Planner(const BlobView& blobs, const Selection& selection, const Limits& limits)
      : blobs_(&blobs), selection_(&selection), limits_(&limits) {}

  Result<Plan> run() {
    std::vector<Leaf> leaves;
    read_manifest_json(leaves);
    if (!blobs_->resolve("index.json").empty()) read_index("index.json", "", {}, 0, -1, leaves);
    if (leaves.empty() && plan_.skipped.empty()) {
      return fail(Errc::unsupported, "no image here: neither index.json nor manifest.json");
    }
    merge_docker_leaves(leaves);
    auto selected = select(leaves);
    if (!selected) return fail(std::move(selected).error());
    for (const Leaf& leaf : *selected) {
      if (!leaf.attached) add_image(leaf);
    }
    for (const Leaf& leaf : *selected) {
      if (leaf.attached) add_attestation(leaf);
    }
    for (std::size_t i = 0; i < plan_.images.size(); ++i) mark_base(i);
    return std::move(plan_);
  }

 private:
  void skip(SkipReason reason, const std::string& place, const std::string& detail) {
    plan_.skipped.push_back({reason, place, detail, 0});
  }

  /// Where the blob of a digest is: in an OCI layout, or in a `dir:` directory.
  [[nodiscard]] std::string locate(const std::string& digest) const {
    const std::string hex = digest.substr(digest.find(':') + 1);
    for (const std::string& name : {"blobs/sha256/" + hex, hex, hex + ".tar"}) {
      if (std::string found = blobs_->resolve(name); !found.empty()) return found;
    }
    return {};
  }

  /// The document's text, if it is there and has the digest that it was named by; otherwise says why not.
  std::optional<std::string> read(const std::string& name, const std::string& digest) {
    const std::string where = digest.empty() ? blobs_->resolve(name) : locate(digest);
    const std::string& called = digest.empty() ? name : digest;
    if (where.empty()) {
      plan_.incomplete = true;
      skip(SkipReason::missing, called, "named by a manifest, and not there");
      return std::nullopt;
    }
    plan_.documents.insert(where);
    auto text = blobs_->fetch(where);
    if (!text) {
      search_raw(name, digest, text.error());
      return std::nullopt;
    }
    if (!digest.empty() && base::to_oci_digest(base::sha256(*text)) != digest) {
      search_raw(name, digest, base::Error(Errc::corrupt, ""));
      plan_.skipped.back() = {SkipReason::digest_mismatch, called, "its bytes have another digest", text->size()};
      return std::nullopt;
    }
    return std::move(*text);
  }

  /// A document that could not be taken apart: the gap is reported, and its bytes are searched as they are.
  void search_raw(const std::string& name, const std::string& digest, const base::Error& error) {
    const std::string where = digest.empty() ? blobs_->resolve(name) : locate(digest);
    plan_.documents.erase(where);
    plan_.statements.insert(where);
    plan_.incomplete = true;
    skip(reason_of(error), digest.empty() ? name : digest, error.message());
  }

  void add_texts(int image, std::vector<Text> texts) {
    for (Text& text : texts) plan_.texts.push_back({image, std::move(text)});
  }

  /// docker-archive: an array of images. `dir:`: one manifest.
  void read_manifest_json(std::vector<Leaf>& leaves) {
    if (blobs_->resolve("manifest.json").empty()) return;
    const auto text = read("manifest.json", "");
    if (!text) return;
    const auto kind = classify(*text);
    if (!kind) return search_raw("manifest.json", "", kind.error());
    if (*kind == DocumentKind::docker_manifest) {
      auto images = parse_docker_manifest(*text, *limits_);
      if (!images) return search_raw("manifest.json", "", images.error());
      if (auto texts = statement_texts(*text, "manifest.json")) {
        for (Text& one : *texts) one.entry.kind = Kind::config;
        add_texts(-1, std::move(*texts));
      }
      for (DockerImage& image : *images) {
        Leaf leaf;
        leaf.names = image.repo_tags;
        leaf.docker = std::move(image);
        leaf.group = next_group_++;
        leaves.push_back(std::move(leaf));
      }
    } else if (*kind == DocumentKind::manifest) {
      Leaf leaf;
      leaf.descriptor.digest = base::to_oci_digest(base::sha256(*text));
      leaf.group = next_group_++;
      manifests_[leaf.descriptor.digest] = *text;
      leaves.push_back(std::move(leaf));
    } else if (*kind == DocumentKind::index) {
      manifests_[base::to_oci_digest(base::sha256(*text))] = *text;
      read_index_text(*text, "manifest.json", "", {}, 0, -1, leaves);
    } else {
      skip(SkipReason::unsupported, "manifest.json",
           *kind == DocumentKind::schema1 ? "Docker's schema 1 is not read: convert the image" : "no image manifest");
    }
  }

  void read_index(const std::string& name, const std::string& digest, const std::vector<std::string>& names,
                  std::uint32_t depth, int group, std::vector<Leaf>& leaves) {
    if (depth > limits_->max_index_depth) return skip(SkipReason::limit, digest, "indexes nest too deep");
    const auto text = read(name, digest);
    if (text) read_index_text(*text, name, digest, names, depth, group, leaves);
  }

  void read_index_text(const std::string& text, const std::string& name, const std::string& digest,
                       const std::vector<std::string>& names, std::uint32_t depth, int group,
                       std::vector<Leaf>& leaves) {
    const std::string& called = digest.empty() ? name : digest;
    auto index = parse_index(text, called, *limits_);
    if (!index) return search_raw(name, digest, index.error());
    add_texts(-1, std::move(index->texts));
    std::map<std::vector<std::string>, int> groups;
    for (Descriptor& descriptor : index->manifests) {
      if (++manifest_count_ > limits_->max_manifests) {
        return skip(SkipReason::limit, called, "more than " + std::to_string(limits_->max_manifests) + " manifests");
      }
      Leaf leaf;
      leaf.names = names;
      for (const char* key : {kContainerdName, kRefName}) {
        if (std::string found = annotation(descriptor.annotations, key); !found.empty()) leaf.names.push_back(found);
      }
      // Manifests of one name that stand side by side are one image for several platforms, as in an index of their own.
      leaf.group = group;
      if (group < 0) {
        const auto [it, added] = groups.try_emplace(leaf.names, next_group_);
        if (added) ++next_group_;
        leaf.group = it->second;
      }
      leaf.attached = annotation(descriptor.annotations, kReferenceType) == "attestation-manifest";
      leaf.refers_to = annotation(descriptor.annotations, kReferenceDigest);
      leaf.descriptor = std::move(descriptor);
      if (is_index(leaf.descriptor)) {
        const int inner = next_group_++;
        read_index("", leaf.descriptor.digest, leaf.names, depth + 1, inner, leaves);
      } else {
        leaves.push_back(std::move(leaf));
      }
    }
  }

  /// Judges by the document itself where it is there, else by what the descriptor claims.
  bool is_index(const Descriptor& descriptor) {
    const std::string where = locate(descriptor.digest);
    if (where.empty())
      return descriptor.media_type.find("index") != std::string::npos ||
             descriptor.media_type.find("manifest.list") != std::string::npos;
    const auto text = blobs_->fetch(where);
    if (!text) return false;
    const auto kind = classify(*text);
    return kind && *kind == DocumentKind::index;
  }

  /// An archive may hold an OCI layout and a docker-archive of the same images: then `manifest.json` only adds names.
  void merge_docker_leaves(std::vector<Leaf>& leaves) {
    std::erase_if(leaves, [&](const Leaf& docker) {
      if (docker.docker.config.empty()) return false;
      const std::string config = blobs_->resolve(docker.docker.config);
      bool merged = false;
      for (Leaf& leaf : leaves) {
        if (!leaf.docker.config.empty() || leaf.attached || config.empty()) continue;
        const Manifest* manifest = manifest_of(leaf.descriptor.digest);
        if (manifest == nullptr || locate(manifest->config.digest) != config) continue;
        leaf.names.insert(leaf.names.end(), docker.names.begin(), docker.names.end());
        merged = true;
      }
      return merged;
    });
  }

  /// The parsed manifest of a digest where it is there and sound; problems are only reported when it is selected.
  const Manifest* manifest_of(const std::string& digest) {
    if (const auto it = parsed_.find(digest); it != parsed_.end()) return it->second ? &*it->second : nullptr;
    auto& slot = parsed_[digest];
    std::string text;
    if (const auto it = manifests_.find(digest); it != manifests_.end()) {
      text = it->second;
    } else if (const std::string where = locate(digest); !where.empty()) {
      auto fetched = blobs_->fetch(where);
      if (!fetched || base::to_oci_digest(base::sha256(*fetched)) != digest) return nullptr;
      text = std::move(*fetched);
    }
    auto manifest = parse_manifest(text, digest, *limits_);
    if (manifest) slot = std::move(*manifest);
    return slot ? &*slot : nullptr;
  }

  /// A leaf's platform: as its index says, else as its configuration does.
  std::string platform_of(const Leaf& leaf) {
    if (!leaf.descriptor.platform.empty()) return leaf.descriptor.platform;
    std::string config_name;
    if (!leaf.docker.config.empty()) {
      config_name = blobs_->resolve(leaf.docker.config);
    } else if (const Manifest* manifest = manifest_of(leaf.descriptor.digest)) {
      config_name = locate(manifest->config.digest);
    }
    if (config_name.empty()) return {};
    const auto text = blobs_->fetch(config_name);
    if (!text) return {};
    const auto config = parse_config(*text, config_name, *limits_);
    return config ? config->platform : std::string();
  }

  bool is_wanted_image(const Leaf& leaf) const {
    const std::string& wanted = selection_->image;
    return wanted.empty() || leaf.descriptor.digest == wanted ||
           std::ranges::any_of(leaf.names, [&](const std::string& name) { return name_fits(name, wanted); });
  }

  static void list(std::string& to, const std::string& what) {
    if (!what.empty() && to.find(what) == std::string::npos) to += (to.empty() ? "" : ", ") + what;
  }

  Result<std::vector<Leaf>> select(std::vector<Leaf>& leaves) {
    std::vector<Leaf> chosen;
    std::string names;
    std::set<int> groups;
    for (const Leaf& leaf : leaves) {
      for (const std::string& name : leaf.names) list(names, name);
      if (!leaf.attached && is_wanted_image(leaf)) groups.insert(leaf.group);
    }
    if (!selection_->image.empty() && groups.empty()) {
      return fail(Errc::usage,
                  "no image " + selection_->image + " here; there are: " + (names.empty() ? "none" : names));
    }
    for (const int group : groups) {
      std::vector<Leaf> members;
      std::string platforms;
      std::set<std::string> distinct;
      for (const Leaf& leaf : leaves) {
        if (leaf.group != group || leaf.attached) continue;
        if (!selection_->image.empty() && leaf.descriptor.digest != selection_->image && !is_wanted_image(leaf))
          continue;
        members.push_back(leaf);
        const std::string platform = platform_of(leaf);
        distinct.insert(platform);
        list(platforms, platform);
      }
      const bool choose = !selection_->all_platforms && (distinct.size() > 1 || !selection_->platform.empty());
      const std::string want = selection_->platform.empty() ? host_platform() : selection_->platform;
      const std::size_t before = chosen.size();
      for (const Leaf& leaf : members) {
        if (!choose || platform_fits(platform_of(leaf), want)) chosen.push_back(leaf);
      }
      if (chosen.size() == before) {
        return fail(Errc::usage,
                    "no image for " + want + " here; there are: " + (platforms.empty() ? "none" : platforms));
      }
    }
    const auto is_chosen = [&](const std::string& digest) {
      return std::ranges::any_of(chosen, [&](const Leaf& leaf) { return leaf.descriptor.digest == digest; });
    };
    std::vector<Leaf> attached;
    for (const Leaf& leaf : leaves) {
      if (leaf.attached && (leaf.refers_to.empty() || is_chosen(leaf.refers_to))) attached.push_back(leaf);
      if (!leaf.attached && !is_chosen(leaf.descriptor.digest) && !leaf.descriptor.digest.empty())
        note_unselected(leaf);
      if (leaf.attached && !leaf.refers_to.empty() && !is_chosen(leaf.refers_to)) note_unselected(leaf);
      if (!leaf.docker.config.empty() && !is_wanted_image(leaf)) {
        for (const std::string& layer : leaf.docker.layers) plan_.unselected.insert(blobs_->resolve(layer));
        plan_.unselected.insert(blobs_->resolve(leaf.docker.config));
      }
    }
    chosen.insert(chosen.end(), attached.begin(), attached.end());
    return chosen;
  }

  void note_unselected(const Leaf& leaf) {
    plan_.unselected.insert(locate(leaf.descriptor.digest));
    const Manifest* manifest = manifest_of(leaf.descriptor.digest);
    if (manifest == nullptr) return;
    plan_.unselected.insert(locate(manifest->config.digest));
    for (const Descriptor& layer : manifest->layers) plan_.unselected.insert(locate(layer.digest));
  }

  void add_image(const Leaf& leaf) {
    if (!leaf.descriptor.digest.empty() && !images_seen_.insert(leaf.descriptor.digest).second) return;
    const int number = static_cast<int>(plan_.images.size());
    Image image;
    if (!leaf.names.empty()) image.name = leaf.names.back();
    std::vector<std::string> blobs;
    std::string config_name = leaf.docker.config;
    std::string config_digest;
    if (leaf.docker.config.empty()) {
      const std::string& digest = leaf.descriptor.digest;
      image.digest = digest;
      const auto known = manifests_.find(digest);
      const auto text = known != manifests_.end() ? std::optional(known->second) : read("", digest);
      if (!text) return;
      auto manifest = parse_manifest(*text, digest, *limits_);
      if (!manifest) return search_raw("manifest.json", known != manifests_.end() ? "" : digest, manifest.error());
      if (leaf.descriptor.has_size && leaf.descriptor.size != text->size()) {
        skip(SkipReason::corrupt, digest, "its size is not what the index says");
      }
      config_digest = manifest->config.digest;
      for (const Descriptor& layer : manifest->layers) {
        Layer one;
        one.digest = layer.digest;
        one.media_type = layer.media_type;
        one.size = layer.has_size ? layer.size : 0;
        image.layers.push_back(std::move(one));
        blobs.push_back(locate(layer.digest));
      }
      base_hints_.push_back(
          {annotation(manifest->annotations, kBaseDigest), annotation(manifest->annotations, kBaseName)});
      if (manifest->attestation) {
        base_hints_.pop_back();
        return add_statements(*manifest, -1);
      }
      add_texts(number, std::move(manifest->texts));
    } else {
      for (const std::string& layer : leaf.docker.layers) {
        Layer one;
        blobs.push_back(blobs_->resolve(layer));
        one.digest = layer;  // Until its bytes were read: a docker-archive names layers by path alone.
        image.layers.push_back(std::move(one));
      }
      base_hints_.emplace_back();
      // The name of a configuration is its digest, in every dialect that a current tool writes.
      std::string hex = config_name.substr(config_name.rfind('/') + 1);
      if (hex.ends_with(".json")) hex.resize(hex.size() - 5);
      base::Sha256 parsed{};
      if (base::parse_oci_digest("sha256:" + hex, parsed)) config_digest = "sha256:" + hex;
    }
    image.config_digest = config_digest;
    if (image.digest.empty()) image.digest = config_digest;
    add_config(image, number, config_name, config_digest);
    for (std::size_t i = 0; i < blobs.size(); ++i) {
      if (blobs[i].empty())
        skip(SkipReason::missing, "layer " + image.layers[i].digest, "named by a manifest, and not there");
    }
    plan_.images.push_back(std::move(image));
    plan_.layer_blobs.push_back(std::move(blobs));
  }

  void add_config(Image& image, int number, const std::string& name, const std::string& digest) {
    std::optional<std::string> text;
    if (name.empty()) {
      text = read("", digest);
    } else {
      text = read(name, "");
      if (text && !digest.empty() && base::to_oci_digest(base::sha256(*text)) != digest) {
        skip(SkipReason::digest_mismatch, name, "its bytes have another digest than its name");
      }
    }
    const std::string& called = name.empty() ? digest : name;
    if (!text) return;
    auto kind = classify(*text);
    if (kind && *kind != DocumentKind::config && *kind != DocumentKind::legacy_config) {
      // An artifact's configuration (a chart, an empty object) has no fields of its own.
      auto texts = statement_texts(*text, called);
      if (texts) return add_texts(number, std::move(*texts));
      return search_raw(name, name.empty() ? digest : "", texts.error());
    }
    auto config = parse_config(*text, called, *limits_);
    if (!config) return search_raw(name, name.empty() ? digest : "", config.error());
    image.platform = config->platform;
    const std::vector<int> history = history_of_layers(*config, image.layers.size());
    for (const HistoryEntry& entry : config->history) image.history.push_back(entry.created_by);
    if (config->diff_ids.size() != image.layers.size()) {
      skip(SkipReason::corrupt, called,
           "the configuration has " + std::to_string(config->diff_ids.size()) + " layers, the manifest " +
               std::to_string(image.layers.size()));
    }
    for (std::size_t i = 0; i < image.layers.size(); ++i) {
      Layer& layer = image.layers[i];
      if (i < config->diff_ids.size()) layer.diff_id = config->diff_ids[i];
      layer.history_index = history[i];
      if (history[i] >= 0) layer.created_by = config->history[static_cast<std::size_t>(history[i])].created_by;
    }
    add_texts(number, std::move(config->texts));
  }

  void add_attestation(const Leaf& leaf) {
    const std::string& digest = leaf.descriptor.digest;
    const auto text = read("", digest);
    if (!text) return;
    auto manifest = parse_manifest(*text, digest, *limits_);
    if (!manifest) return search_raw("", digest, manifest.error());
    int image = -1;
    for (std::size_t i = 0; i < plan_.images.size(); ++i) {
      if (plan_.images[i].digest == leaf.refers_to) image = static_cast<int>(i);
    }
    add_statements(*manifest, image);
  }

  void add_statements(Manifest& manifest, int image) {
    add_texts(image, std::move(manifest.texts));
    std::vector<std::string> digests = {manifest.config.digest};
    for (const Descriptor& layer : manifest.layers) digests.push_back(layer.digest);
    for (const std::string& digest : digests) {
      const std::string where = locate(digest);
      if (where.empty()) {
        skip(SkipReason::missing, digest, "named by a manifest, and not there");
        continue;
      }
      const auto text = blobs_->fetch(where);
      // What does not prove to be a statement is searched by its bytes: a file system may stand there.
      auto texts = text ? statement_texts(*text, digest) : Result<std::vector<Text>>(fail(text.error()));
      if (text && texts && base::to_oci_digest(base::sha256(*text)) == digest) {
        plan_.documents.insert(where);
        add_texts(image, std::move(*texts));
      } else {
        plan_.statements.insert(where);
      }
    }
  }

  /// Layers that the base image has are the first ones of the image. Only what somebody said counts.
  void mark_base(std::size_t number) {
    Image& image = plan_.images[number];
    std::size_t count = 0;
    if (!selection_->base_diff_ids.empty()) {
      count = common_layers(image, selection_->base_diff_ids);
    } else if (!selection_->base.empty()) {
      count = layers_of(image, selection_->base);
    } else {
      const auto& [digest, name] = base_hints_[number];
      if (!digest.empty()) count = layers_of(image, digest);
      if (count == 0 && !name.empty()) count = layers_of(image, name);
    }
    if (count == 0) return;
    for (std::size_t i = 0; i < image.layers.size(); ++i) image.layers[i].base = i < count ? Base::yes : Base::no;
  }

  static std::size_t common_layers(const Image& image, const std::vector<std::string>& diff_ids) {
    if (diff_ids.size() > image.layers.size()) return 0;
    for (std::size_t i = 0; i < diff_ids.size(); ++i) {
      if (image.layers[i].diff_id != diff_ids[i]) return 0;
    }
    return diff_ids.size();
  }

  /// How many layers of `image` come from the base that `wanted` names: a layer of its own, or another image here.
  std::size_t layers_of(const Image& image, const std::string& wanted) {
    for (std::size_t i = 0; i < image.layers.size(); ++i) {
      if (image.layers[i].digest == wanted || image.layers[i].diff_id == wanted) return i + 1;
    }
    for (const Image& other : plan_.images) {
      if (&other == &image) continue;
      if (other.digest != wanted && other.config_digest != wanted && !name_fits(other.name, wanted)) continue;
      std::vector<std::string> diff_ids;
      diff_ids.reserve(other.layers.size());
      for (const Layer& layer : other.layers) diff_ids.push_back(layer.diff_id);
      if (const std::size_t count = common_layers(image, diff_ids); count > 0) return count;
    }
    return 0;
  }

  const BlobView* blobs_;
  const Selection* selection_;
  const Limits* limits_;
  Plan plan_;
  int next_group_ = 0;
  std::uint32_t manifest_count_ = 0;
  std::map<std::string, std::string> manifests_;  ///< By digest: those that stand under another name.
  std::map<std::string, std::optional<Manifest>> parsed_;
  std::set<std::string> images_seen_;
  std::vector<std::pair<std::string, std::string>> base_hints_;  ///< By image: digest and name its annotations give.
};

}  // namespace

Result<Plan> plan_images(const BlobView& blobs, const Selection& selection, const Limits& limits) {
  return Planner(blobs, selection, limits).run();
}

std::string host_platform() {
  utsname name{};
  std::string machine = ::uname(&name) == 0 ? name.machine : "unknown";
  static const std::map<std::string, std::string> kNames = {
      {"x86_64", "amd64"}, {"aarch64", "arm64"},   {"armv7l", "arm/v7"}, {"armv6l", "arm/v6"},
      {"i686", "386"},     {"ppc64le", "ppc64le"}, {"s390x", "s390x"},   {"riscv64", "riscv64"}};
  if (const auto it = kNames.find(machine); it != kNames.end()) machine = it->second;
  return "linux/" + machine;
}

}  // namespace scanner::source
