#pragma once

#include <string>

#include "scanner/report/formats.h"

namespace scanner::report {

/// One JSON document, indented.
std::string render_json(const Report& report, const Style& style);

/// A line for each finding, then a line with everything else.
std::string render_jsonl(const Report& report, const Style& style);

}  // namespace scanner::report
