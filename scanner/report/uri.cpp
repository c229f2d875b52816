#include "scanner/report/uri.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "scanner/report/place.h"

namespace scanner::report {
namespace {

bool is_plain(char c) {
  static constexpr std::string_view kOthers = "-._~!+,=@";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kOthers.find(c) != std::string_view::npos;
}

void append_segment(std::string& uri, std::string_view segment) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  if (!uri.empty()) uri += '/';
  // Dot segments vanish when a URI is normalised, encoded or not: "%252E" keeps them apart from everything else.
  if (segment == "." || segment == "..") {
    for (std::size_t i = 0; i < segment.size(); ++i) uri += "%252E";
    return;
  }
  for (const char c : segment) {
    if (is_plain(c)) {
      uri += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    uri += '%';
    uri += kHex[byte >> 4];
    uri += kHex[byte & 15U];
  }
}

std::string joined(std::string left, const std::string& right) {
  if (!left.empty() && !right.empty()) left += '/';
  return left + right;
}

std::string_view without_tag(std::string_view name) {
  name = name.substr(0, name.find('@'));
  const std::size_t slash = name.rfind('/');
  const std::size_t colon = name.rfind(':');
  const bool is_tag = colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash);
  return is_tag ? name.substr(0, colon) : name;
}

// "/tmp/app.tar.gz" -> "app"
std::string_view stem(std::string_view target) {
  static constexpr std::array<std::string_view, 6> kEndings = {".gz", ".zst", ".tgz", ".tar", ".oci", ".docker"};
  while (target.ends_with('/')) target.remove_suffix(1);
  const std::size_t slash = target.rfind('/');
  if (slash != std::string_view::npos) target.remove_prefix(slash + 1);
  for (const std::string_view ending : kEndings) {
    if (target.ends_with(ending)) target.remove_suffix(ending.size());
  }
  return target;
}

bool is_file_like(Kind kind) { return kind == Kind::file || kind == Kind::file_name || kind == Kind::symlink_target; }

}  // namespace

std::string encoded_path(std::string_view path) {
  std::string uri;
  while (!path.empty()) {
    const std::string_view segment = path.substr(0, path.find('/'));
    if (!segment.empty()) append_segment(uri, segment);
    path.remove_prefix(std::min(path.size(), segment.size() + 1));
  }
  return uri;
}

std::string repository_of(const Report& report, const Image& image) {
  const std::string_view name = image.name.empty() ? stem(report.target) : without_tag(image.name);
  return name.empty() || name == "-" || name == "." ? "image" : std::string(name);
}

std::string uri_of(const Report& report, const Location& location) {
  const Image* const image = image_of(report, location);
  std::string uri = image == nullptr ? "" : encoded_path(repository_of(report, *image));
  const Entry& entry = location.entry;
  if (is_file_like(entry.kind)) {
    std::string path = path_of(location);
    for (const std::string& member : entry.inner) path.append("!/").append(member);
    uri = joined(uri, encoded_path(path));
  } else {
    // A process has a number for its path, which is another one in the next run.
    if (image == nullptr && entry.kind != Kind::env) uri = encoded_path(entry.path);
    uri = joined(uri, std::string(".config/").append(to_string(entry.kind)));
    if (entry.history_index >= 0) uri = joined(uri, std::to_string(entry.history_index));
    uri = joined(uri, encoded_path(entry.field));
  }
  return uri.empty() ? encoded_path(report.command.empty() ? "target" : report.command) : uri;
}

}  // namespace scanner::report
