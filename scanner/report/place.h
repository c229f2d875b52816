#pragma once

#include <string>
#include <string_view>

#include "scanner/model/finding.h"

namespace scanner::report {

/// What the functions here return is made of scanned bytes: a report makes them harmless before it prints them.

/// The path of the entry that a location lies in. Where the path itself is what was searched, its redacted form.
std::string path_of(const Location& location);

/// The place within its layer or target, for people: "/app/x.tar!etc/.env:3:19", "ENV DB_PASSWORD",
/// "build argument TOKEN of history[4]".
std::string place_of(const Location& location);

/// The image a location lies in; null when the target is none.
const Image* image_of(const Report& report, const Location& location);

/// The layer a location lies in; null for the configuration and for loose files.
const Layer* layer_of(const Report& report, const Location& location);

/// The history instruction that put it there, as the image has it; empty when that is not known.
std::string_view created_by(const Report& report, const Location& location);

/// The first twelve digits of a digest, or all of a name that is shorter.
std::string short_digest(std::string_view digest);

/// A text for people with every "sha256:" digest in it cut to its first twelve digits.
std::string shortened_digests(std::string_view text);

/// "deleted in layer 7, still in the image"; empty while present.
std::string fate_of(const Location& location);

}  // namespace scanner::report
