#include "scanner/scan/batch.h"

#include <utility>

#include "scanner/scan/searcher.h"

namespace scanner::scan {

using base::fail;
using base::Result;
using unpack::Piece;

Result<void> Batch::add(Entry entry, unpack::Pieces& pieces, std::vector<Skipped> before) {
  overhead_ += sizeof(File) + entry.path.size();
  std::vector<Stretch>& stretches = files_.emplace_back(File{std::move(entry), std::move(before), {}}).stretches;
  for (;;) {
    const auto piece = pieces.next(0);
    if (!piece) return fail(piece.error());
    if (piece->bytes.empty()) return {};
    if (piece->begins) stretches.push_back({piece->offset, bytes_.size(), 0, false});
    bytes_ += piece->bytes;
    stretches.back().size += piece->bytes.size();
    stretches.back().ends = piece->ends;
  }
}

void Batch::run(Searcher& searcher) { searcher.batch(*this); }

Result<Piece> Batch::Copy::next(std::size_t) {
  if (next_ == stretches_->size()) return Piece{};
  const Stretch& stretch = (*stretches_)[next_++];
  return Piece{bytes_.substr(stretch.begin, stretch.size), stretch.offset, true, stretch.ends};
}

}  // namespace scanner::scan
