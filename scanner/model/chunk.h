#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace scanner {

/// A window on an entry's bytes. The windows of one entry come in order and overlap, so that everything a rule can
/// match, with one byte of context on each side, lies whole within some window.
///
/// Of what is found, a window owns what *starts* in [own_begin, own_end): these ranges follow one another without gap
/// or overlap, so each start is judged exactly once. The first window owns from 0; in the last, own_end is past the
/// end.
struct Chunk {
  std::string_view bytes;     ///< Borrowed; valid until the next window is asked for.
  std::uint64_t offset = 0;   ///< Of bytes[0] within the entry.
  std::size_t own_begin = 0;  ///< Relative to bytes[0].
  std::size_t own_end = 0;    ///< Relative to bytes[0]; bytes.size() + 1 in the last window.
  bool first = true;          ///< bytes[0] is the entry's first byte.
  bool last = true;           ///< The window reaches the entry's end.
  std::uint64_t line = 1;     ///< Number of the line that bytes[0] stands in, from 1.
  std::uint64_t column = 1;   ///< Byte column of bytes[0] in that line, from 1.
};

}  // namespace scanner
