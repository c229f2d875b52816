#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scanner/judge/span.h"
#include "scanner/model/chunk.h"

namespace scanner::judge {

/// A line around a secret, fit to be shown, as Hit describes it.
struct Frame {
  std::string text;
  std::uint32_t mark_begin = 0;
  std::uint32_t mark_end = 0;
};

/// Makes the frames of one chunk's secrets, and knows all of them, so that none shows in the frame of another.
class Frames {
 public:
  /// `secrets`: every secret confirmed in the chunk, also those that are not reported. Borrows the chunk's bytes.
  Frames(const Chunk& chunk, std::vector<Span> secrets);

  /// `secret` is one of them.
  Frame around(Span secret);

 private:
  [[nodiscard]] Span shown_around(Span secret) const;
  void collect_masks(Span shown, Span secret);
  void mask(std::string_view value, Span shown);

  const Chunk* chunk_;
  std::vector<Span> secrets_;  // By begin, each once.
  std::size_t longest_ = 0;
  std::vector<Span> masks_;  // Of the frame in the making.
};

}  // namespace scanner::judge
