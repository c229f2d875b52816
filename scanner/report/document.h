#pragma once

#include <string>

#include "scanner/base/json.h"
#include "scanner/model/finding.h"

namespace scanner::report {

/// The nouns of a report as the published schema describes them. Numbers of layers count from 1, everything else as
/// the model has it; strings may still hold bytes that are no UTF-8, which `printed` replaces.
base::Json finding_object(const Report& report, const Finding& finding);

/// Everything but the findings.
base::Json summary_object(const Report& report);

/// JSON text in which nothing can act on the terminal, the CI log or the HTML page that it may end up in: what is
/// invisible, reorders, opens a workflow command or closes a tag is written as \u escapes, which mean the same.
std::string printed(const base::Json& value, int indent);

}  // namespace scanner::report
