#include "scanner/source/documents_json.h"

#include <algorithm>
#include <set>
#include <utility>

#include "scanner/base/hash.h"

namespace scanner::source {
namespace {

using base::Errc;
using base::Json;
using base::Result;

constexpr std::size_t kMaxValues = 250'000;
constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kLongestPlatformWord = 16;

/// Looks a document over before memory is spent on it.
class Shape final : public nlohmann::json_sax<Json> {
 public:
  [[nodiscard]] bool too_many() const { return values_ > kMaxValues; }
  [[nodiscard]] bool repeats() const { return repeats_; }

  bool null() override { return count(); }
  bool boolean(bool /*value*/) override { return count(); }
  bool number_integer(std::int64_t /*value*/) override { return count(); }
  bool number_unsigned(std::uint64_t /*value*/) override { return count(); }
  bool number_float(double /*value*/, const std::string& /*text*/) override { return count(); }
  bool string(std::string& /*value*/) override { return count(); }
  bool binary(Json::binary_t& /*value*/) override { return count(); }
  bool start_object(std::size_t /*size*/) override { return open(); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t /*size*/) override { return open(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    repeats_ = !open_.back().insert(std::move(name)).second;
    return !repeats_;
  }
  bool parse_error(std::size_t /*byte*/, const std::string& /*token*/, const Json::exception& /*error*/) override {
    return false;
  }

 private:
  bool count() { return ++values_ <= kMaxValues; }
  bool open() {
    open_.emplace_back();
    return open_.size() <= kMaxDepth && count();
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::vector<std::set<std::string>> open_;
  std::size_t values_ = 0;
  bool repeats_ = false;
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string place(const std::string& where, std::string_view name) {
  return where.empty() ? std::string(name) : where + "." + std::string(name);
}

/// The part of a digest before the colon, when it is written as the image specification asks and can be said aloud.
std::string_view algorithm_of(std::string_view digest) {
  const auto name = digest.substr(0, digest.find(':'));
  const bool plain = !name.empty() && name.size() < digest.size() && name.size() <= 16 && is_lower(name.front()) &&
                     std::all_of(name.begin(), name.end(), [](char c) { return is_lower(c) || is_digit(c); });
  return plain ? name : std::string_view();
}

Result<std::string> read_platform_word(const Json& object, std::string_view name, const std::string& where) {
  auto word = read_string(object, name, where);
  if (!word) return word;
  const bool plain = word->size() <= kLongestPlatformWord && std::all_of(word->begin(), word->end(), [](char c) {
                       return is_lower(lower(c)) || is_digit(c) || c == '.' || c == '_' || c == '-';
                     });
  if (!plain) return fail(Errc::corrupt, place(where, name) + " is no word of a platform");
  return word;
}

/// schemaVersion as a small number; 0 when there is none, -1 when it is something else.
int schema_version(const Json& document) {
  for (const auto& [name, value] : document.items()) {
    if (!same_name(name, "schemaVersion")) continue;
    if (value.is_number_unsigned() && value.get<std::uint64_t>() <= 2) return value.get<int>();
    return -1;
  }
  return 0;
}

bool is_docker_manifest(const Json& document) {
  return !document.empty() && document.front().is_object() && has_member(document.front(), "Config") &&
         has_member(document.front(), "Layers");
}

}  // namespace

Result<Json> parse_document(std::string_view json, std::size_t max_bytes) {
  if (json.size() > max_bytes) return fail(Errc::limit, "larger than " + std::to_string(max_bytes) + " bytes");
  Shape shape;
  Json::sax_parse(json, &shape);
  if (shape.too_many()) return fail(Errc::limit, "more than " + std::to_string(kMaxValues) + " JSON values");
  if (shape.repeats()) return fail(Errc::corrupt, "an object has the same member twice");
  return base::parse_json(json);
}

Result<DocumentKind> kind_of(const Json& document) {
  if (document.is_array()) return is_docker_manifest(document) ? DocumentKind::docker_manifest : DocumentKind::other;
  if (!document.is_object()) return DocumentKind::other;

  const auto has = [&](std::string_view name) { return has_member(document, name); };
  const int version = schema_version(document);
  const bool index = has("manifests");
  const bool manifest = has("layers");
  const bool schema1 = has("fsLayers") || version == 1;
  const bool config = has("rootfs") || has("history");
  if (index && (manifest || has("config"))) return fail(Errc::corrupt, "reads both as an index and as a manifest");
  if (index + manifest + (has("fsLayers") || has("rootfs")) > 1) return fail(Errc::corrupt, "reads as two documents");
  if (schema1 && (index || manifest)) return fail(Errc::corrupt, "schemaVersion contradicts the other members");

  if (index) return DocumentKind::index;
  if (manifest) return DocumentKind::manifest;
  if (schema1) return DocumentKind::schema1;
  if (has("_type") && has("predicateType")) return DocumentKind::statement;
  if (has("payloadType") && has("payload")) return DocumentKind::statement;
  if (config) return DocumentKind::config;
  const bool settings = has("config") || has("container_config");
  if (has("id") && (settings || has("created") || has("parent"))) return DocumentKind::legacy_config;
  if (has("architecture") && has("os")) return DocumentKind::config;
  return DocumentKind::other;
}

bool same_name(std::string_view left, std::string_view right) {
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(), [](char a, char b) { return lower(a) == lower(b); });
}

bool has_member(const Json& object, std::string_view name) {
  if (!object.is_object()) return false;
  const auto& members = object.get_ref<const Json::object_t&>();
  return std::any_of(members.begin(), members.end(), [&](const auto& member) { return same_name(member.first, name); });
}

Result<const Json*> find_member(const Json& object, std::string_view name, const std::string& where) {
  if (!object.is_object()) return fail(Errc::corrupt, (where.empty() ? "the document" : where) + " is no object");
  const Json* found = nullptr;
  for (const auto& [key, value] : object.get_ref<const Json::object_t&>()) {
    if (!same_name(key, name)) continue;
    if (found != nullptr) return fail(Errc::corrupt, place(where, name) + " stands there twice, in other letters");
    found = &value;
  }
  return found != nullptr && found->is_null() ? nullptr : found;
}

Result<std::string> read_string(const Json& object, std::string_view name, const std::string& where) {
  auto value = find_member(object, name, where);
  if (!value) return fail(std::move(value).error());
  if (*value == nullptr) return std::string();
  if (!(*value)->is_string()) return fail(Errc::corrupt, place(where, name) + " is no string");
  return (*value)->get<std::string>();
}

Result<std::vector<std::string>> read_strings(const Json& object, std::string_view name, const std::string& where) {
  auto array = read_array(object, name, where);
  if (!array) return fail(std::move(array).error());
  std::vector<std::string> strings;
  if (*array == nullptr) return strings;
  for (const auto& value : **array) {
    if (!value.is_string()) return fail(Errc::corrupt, place(where, name) + " holds something else than strings");
    strings.push_back(value.get<std::string>());
  }
  return strings;
}

Result<const Json*> read_array(const Json& object, std::string_view name, const std::string& where) {
  auto value = find_member(object, name, where);
  if (value && *value != nullptr && !(*value)->is_array()) {
    return fail(Errc::corrupt, place(where, name) + " is no array");
  }
  return value;
}

Result<const Json*> read_object(const Json& object, std::string_view name, const std::string& where) {
  auto value = find_member(object, name, where);
  if (value && *value != nullptr && !(*value)->is_object()) {
    return fail(Errc::corrupt, place(where, name) + " is no object");
  }
  return value;
}

base::Ok check_digest(std::string_view text, const std::string& where) {
  base::Sha256 digest{};
  if (base::parse_oci_digest(text, digest)) return {};
  const auto algorithm = algorithm_of(text);
  if (algorithm.empty() || algorithm == "sha256") return fail(Errc::corrupt, where + " is no well-formed digest");
  return fail(Errc::unsupported, where + " is a digest of the algorithm " + std::string(algorithm));
}

Result<std::string> read_platform(const Json& object, const std::string& where) {
  auto os = read_platform_word(object, "os", where);
  if (!os) return os;
  auto architecture = read_platform_word(object, "architecture", where);
  if (!architecture) return architecture;
  auto variant = read_platform_word(object, "variant", where);
  if (!variant) return variant;
  if (os->empty() && architecture->empty()) return std::string();
  return *os + "/" + *architecture + (variant->empty() ? "" : "/" + *variant);
}

}  // namespace scanner::source
