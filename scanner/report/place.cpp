#include "scanner/report/place.h"

#include <algorithm>
#include <cstddef>

namespace scanner::report {
namespace {

template <typename T>
const T* element(const std::vector<T>& all, int index) {
  return index >= 0 && static_cast<std::size_t>(index) < all.size() ? &all[static_cast<std::size_t>(index)] : nullptr;
}

std::string with_position(std::string path, const Location& location) {
  for (const std::string& member : location.entry.inner) path.append("!").append(member);
  if (location.line == 0) return path;
  return path.append(":").append(std::to_string(location.line)).append(":").append(std::to_string(location.column));
}

std::string rooted_path(const Location& location) {
  return (location.layer >= 0 ? "/" : "") + with_position(path_of(location), location);
}

std::string named(std::string_view what, const std::string& name) {
  return name.empty() ? std::string(what) : std::string(what).append(" ").append(name);
}

std::string history_place(const Entry& entry) {
  const std::string entry_name = "history[" + std::to_string(entry.history_index) + "]";
  return entry.field.empty() ? entry_name : named("build argument", entry.field) + " of " + entry_name;
}

}  // namespace

std::string path_of(const Location& location) {
  const bool path_is_content = location.entry.kind == Kind::file_name && !location.frame.empty();
  return path_is_content ? location.frame : location.entry.path;
}

std::string place_of(const Location& location) {
  const Entry& entry = location.entry;
  switch (entry.kind) {
    case Kind::file:
      return rooted_path(location);
    case Kind::file_name:
      return "the name of " + rooted_path(location);
    case Kind::symlink_target:
      return "the target of the link " + rooted_path(location);
    case Kind::env:
      return named("ENV", entry.field);
    case Kind::label:
      return named("LABEL", entry.field);
    case Kind::cmd:
      return "CMD";
    case Kind::entrypoint:
      return "ENTRYPOINT";
    case Kind::healthcheck:
      return "HEALTHCHECK";
    case Kind::onbuild:
      return "ONBUILD";
    case Kind::history:
      return history_place(entry);
    case Kind::annotation:
      return named("annotation", entry.field);
    case Kind::attestation:
      return "attestation " + with_position(path_of(location), location);
    case Kind::config:
      return named("configuration", entry.field);
  }
  return {};
}

const Image* image_of(const Report& report, const Location& location) { return element(report.images, location.image); }

const Layer* layer_of(const Report& report, const Location& location) {
  const Image* const image = image_of(report, location);
  return image == nullptr ? nullptr : element(image->layers, location.layer);
}

std::string_view created_by(const Report& report, const Location& location) {
  if (const Layer* const layer = layer_of(report, location)) return layer->created_by;
  const Image* const image = image_of(report, location);
  const std::string* const entry = image == nullptr ? nullptr : element(image->history, location.entry.history_index);
  return entry == nullptr ? std::string_view() : *entry;
}

std::string short_digest(std::string_view digest) {
  const std::size_t colon = digest.find(':');
  if (colon != std::string_view::npos) digest.remove_prefix(colon + 1);
  return std::string(digest.substr(0, 12));
}

std::string shortened_digests(std::string_view text) {
  static constexpr std::string_view kPrefix = "sha256:";
  static constexpr std::size_t kShown = 12;
  std::string out;
  for (std::size_t at = text.find(kPrefix); at != std::string_view::npos; at = text.find(kPrefix)) {
    const std::size_t begin = at + kPrefix.size();
    const std::size_t end = std::min(text.find_first_not_of("0123456789abcdef", begin), text.size());
    out += text.substr(0, end - begin == 64 ? begin + kShown : end);
    text.remove_prefix(end);
  }
  return out.append(text);
}

std::string fate_of(const Location& location) {
  if (location.state == State::present) return {};
  std::string fate(to_string(location.state));
  if (location.changed_in >= 0) fate += " in layer " + std::to_string(location.changed_in + 1);
  return fate + ", still in the image";
}

}  // namespace scanner::report
