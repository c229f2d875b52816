#pragma once

#include <string>
#include <string_view>

namespace scanner::report {

/// A history entry as one would have written it in a Dockerfile, on one line: without the builders' "/bin/sh -c",
/// "#(nop)", "|2 A=x B=y" and "# buildkit". For people; reports for programs carry the entry as it stands.
std::string instruction(std::string_view created_by);

}  // namespace scanner::report
