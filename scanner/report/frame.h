#pragma once

#include "scanner/model/finding.h"
#include "scanner/report/page.h"

namespace scanner::report {

/// The redacted line that a secret stands in, with carets under the secret. Cut to the page around them. Nothing when
/// the location has no frame.
void add_frame(Page& page, const Location& location, Ink ink);

}  // namespace scanner::report
