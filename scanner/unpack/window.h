#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "scanner/base/result.h"
#include "scanner/base/stream.h"

namespace scanner::unpack {

/// A stream seen through a buffer that slides over it. What is parsed and what is searched lies in the buffer and is
/// not copied again. Borrows stream and buffer. One thread.
class Window {
 public:
  Window(base::Stream& stream, std::span<char> buffer) : stream_(&stream), buffer_(buffer) {}

  /// The bytes from the cursor on: at least `want` (which must fit the buffer) unless the stream ends before. Valid
  /// until the next call.
  base::Result<std::string_view> peek(std::size_t want);

  /// As many bytes as there are at hand from the cursor on, at most `limit`; reads when fewer are there. With `keep`,
  /// the view starts that many bytes before the cursor: bytes that were consumed just before. `keep` is at most half
  /// the buffer, and what `peek` or `take` gave before is invalid afterwards. Empty (but for `keep`) at the end.
  base::Result<std::string_view> take(std::uint64_t limit, std::size_t keep);

  void consume(std::size_t n);
  /// Moves the cursor `n` bytes on, reading as needed; says how many there really were.
  base::Result<std::uint64_t> skip(std::uint64_t n);

  /// Bytes consumed so far.
  [[nodiscard]] std::uint64_t position() const { return position_; }
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  base::Result<void> refill(std::size_t keep);

  base::Stream* stream_;
  std::span<char> buffer_;
  std::size_t begin_ = 0;  ///< The cursor.
  std::size_t end_ = 0;
  std::uint64_t position_ = 0;
  bool ended_ = false;
};

}  // namespace scanner::unpack
