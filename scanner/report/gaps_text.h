#pragma once

#include <cstdint>

#include "scanner/model/skipped.h"
#include "scanner/report/page.h"

namespace scanner::report {

/// How many places were not looked at although they should have been.
std::uint64_t gaps_of(const Coverage& coverage);

/// Those places, with the reasons. Nothing when there are none.
void add_gaps(Page& page, const Coverage& coverage);

/// The skips that leave a scan complete: in a line, or one by one for who wants all.
void add_other_skips(Page& page, const Coverage& coverage);

}  // namespace scanner::report
