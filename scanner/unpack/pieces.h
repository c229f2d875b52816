#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "scanner/base/result.h"
#include "scanner/unpack/window.h"

namespace scanner::unpack {

/// A stretch of a file's bytes.
struct Piece {
  std::string_view bytes;    ///< Empty: there is no more. Valid until the next piece is asked for.
  std::uint64_t offset = 0;  ///< Of bytes[0] within the file, holes counted.
  bool begins = true;        ///< bytes[0] is the first byte of the file, or of what follows a hole.
  bool ends = true;          ///< The last byte is the file's last, or a hole follows.
};

/// The bytes of one file, piece by piece, each as long as can be had without copying.
class Pieces {
 public:
  virtual ~Pieces() = default;

  /// Unless the next piece `begins`, its first `keep` bytes repeat the end of the piece before (all of it when that
  /// was shorter). A piece may hold repeated bytes alone: then the end was not known before, and it `ends`.
  virtual base::Result<Piece> next(std::size_t keep) = 0;
};

/// What is left of a window's stream, as one file. Borrows the window.
class StreamPieces final : public Pieces {
 public:
  explicit StreamPieces(Window& window) : window_(&window) {}
  base::Result<Piece> next(std::size_t keep) override;

 private:
  Window* window_;
  std::uint64_t given_ = 0;
  std::size_t last_piece_ = 0;
  bool ended_ = false;
};

}  // namespace scanner::unpack
