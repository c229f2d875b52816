#include "scanner/unpack/sniff.h"

#include <array>

#include "scanner/unpack/tar.h"

namespace scanner::unpack {

std::string_view to_string(Format format) {
  static constexpr std::array<std::string_view, 5> kNames = {"plain", "gzip", "zstd", "tar", "zip"};
  return kNames[static_cast<std::size_t>(format)];
}

Format sniff(std::string_view head) {
  using std::string_view_literals::operator""sv;
  if (head.starts_with("\x1f\x8b\x08"sv)) return Format::gzip;
  if (head.starts_with("\x28\xb5\x2f\xfd"sv)) return Format::zstd;
  // A skippable frame (RFC 8878, 3.1.2) may come first: zstd:chunked and pzstd write one.
  if (head.size() >= 4 && (head[0] & '\xf0') == '\x50' && head.substr(1, 3) == "\x2a\x4d\x18"sv) return Format::zstd;
  if (head.starts_with("PK\x03\x04"sv) || head.starts_with("PK\x05\x06"sv)) return Format::zip;
  if (is_tar_header(head)) return Format::tar;
  return Format::plain;
}

}  // namespace scanner::unpack
