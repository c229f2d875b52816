#pragma once

#include "scanner/scan/searcher.h"
#include "scanner/source/source.h"

namespace scanner::scan {

/// Reads one blob to its end: verifies its digest, decompresses it as its bytes demand, and searches it as a layer when
/// it is a tar archive and as a file when not. Reading, decompressing and searching run on threads of their own when
/// the blob is large enough to be worth it; they have ended when this returns.
void search_blob(source::Item& item, Searcher& searcher, const Limits& limits, Outcome& out);

/// The same for a file.
void search_file(source::Item& item, Searcher& searcher, Outcome& out);

}  // namespace scanner::scan
