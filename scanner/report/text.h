#pragma once

#include <string>

#include "scanner/report/formats.h"

namespace scanner::report {

/// The report for a person at a terminal: layers, findings, gaps, and the verdict on the last line.
std::string render_text(const Report& report, const Style& style);

}  // namespace scanner::report
