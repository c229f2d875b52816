#pragma once

#include "scanner/scan/searcher.h"
#include "scanner/source/source.h"

namespace scanner::scan {

class Work;

/// Bytes of an item below which a thread costs more than it saves.
inline constexpr std::uint64_t kWorthAThread = 1U << 20;

/// Whether a core is idle while an item is searched.
enum class Cores : std::uint8_t { busy, spare };

/// Reads one blob to its end: verifies its digest, decompresses it as its bytes demand, and searches it as a layer when
/// it is a tar archive and as a file when not. Where cores are to spare, reading, decompressing and searching run on
/// threads of their own when the blob is large enough to be worth it; they have ended when this returns. The search is
/// shared by `work` with workers that have nothing to do.
void search_blob(source::Item& item, Searcher& searcher, const Limits& limits, Cores cores, Work& work, Outcome& out);

/// The same for a file.
void search_file(source::Item& item, Searcher& searcher, Cores cores, Work& work, Outcome& out);

}  // namespace scanner::scan
