#pragma once

#include <string>
#include <string_view>

namespace tests {

/// One gzip member that holds `bytes`.
std::string gzipped(std::string_view bytes);

/// One zstd frame that holds `bytes`. With a window log, the frame asks for that much history and states no size.
std::string zstd(std::string_view bytes, int window_log = 0);

}  // namespace tests
