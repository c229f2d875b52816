#pragma once

#include <array>
#include <cstddef>

#include "scanner/model/finding.h"
#include "scanner/report/page.h"

namespace scanner::report {

/// How many findings of each severity, by the severity's number.
using Counts = std::array<std::size_t, 4>;

Ink ink_of(Severity severity);
std::string_view mark_of(Severity severity, Charset charset);

/// The picture of one image: a row a layer with what was found in it, what later layers deleted or overwrote, and a
/// row for the configuration when something was found there.
void add_layer_table(Page& page, const Report& report, std::size_t image);

}  // namespace scanner::report
