#include "scanner/unpack/pieces.h"

#include <algorithm>
#include <limits>

namespace scanner::unpack {

base::Result<Piece> StreamPieces::next(std::size_t keep) {
  if (ended_) return Piece{};
  const std::size_t repeat = std::min(keep, last_piece_);
  auto taken = window_->take(std::numeric_limits<std::uint64_t>::max(), repeat);
  if (!taken) return fail(std::move(taken).error());
  const std::size_t fresh = taken->size() - repeat;
  window_->consume(fresh);
  Piece piece;
  piece.bytes = *taken;
  piece.offset = given_ - repeat;
  piece.begins = given_ == 0;
  given_ += fresh;
  last_piece_ = taken->size();
  piece.ends = ended_ = window_->ended();
  return piece;
}

}  // namespace scanner::unpack
