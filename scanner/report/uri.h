#pragma once

#include <string>
#include <string_view>

#include "scanner/model/finding.h"

namespace scanner::report {

/// A path as a relative URI reference (RFC 3986): percent-encoded, without empty or dot segments, never with a scheme.
std::string encoded_path(std::string_view path);

/// An image's repository: its name without tag and digest, or what the target's own name gives. The same from build
/// to build, which is why nothing else of the image is in it.
std::string repository_of(const Report& report, const Image& image);

/// Where a location lies, as a relative URI that stays the same from build to build:
/// "registry/shop/api/app/.env", "registry/shop/api/.config/env/DB_PASSWORD".
std::string uri_of(const Report& report, const Location& location);

}  // namespace scanner::report
