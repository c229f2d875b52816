#pragma once

#include "scanner/model/finding.h"
#include "scanner/report/page.h"

namespace scanner::report {

/// One finding for a person: what it is, where it stands and who put it there, the redacted line, what to do.
void add_finding(Page& page, const Report& report, const Finding& finding);

}  // namespace scanner::report
