#pragma once

#include <string>

#include "scanner/report/formats.h"

namespace scanner::report {

/// SARIF 2.1.0 as code scanning services take it. Never holds a raw secret, whatever the report holds.
std::string render_sarif(const Report& report, const Style& style);

}  // namespace scanner::report
