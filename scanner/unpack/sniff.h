#pragma once

#include <cstdint>
#include <string_view>

namespace scanner::unpack {

/// What bytes are, judged by the bytes alone: names and media types lie.
enum class Format : std::uint8_t { plain, gzip, zstd, tar, zip };

std::string_view to_string(Format format);

/// Bytes that `sniff` needs to know everything it can know.
inline constexpr std::size_t kSniffBytes = 512;

/// Judges by the first kSniffBytes bytes of something (fewer when it is shorter).
Format sniff(std::string_view head);

}  // namespace scanner::unpack
