#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace scanner::report {

/// The characters that the reader's terminal or log can show.
enum class Charset : std::uint8_t { utf8, ascii };

/// One drawable piece of a scanned text: a character as it is, or the escape that stands for it.
struct Glyph {
  std::string text;
  unsigned columns = 1;    ///< That a terminal needs for it.
  std::size_t offset = 0;  ///< Of its first byte in the scanned text.
};

/// Cuts scanned bytes into pieces that can do nothing to a terminal or to a CI log. Control characters, bidirectional
/// and invisible characters and bytes that are no UTF-8 become "\n", "\x1b", "\u202e", "\xff"; so does everything
/// beyond ASCII for an ASCII reader. What could open a workflow command ("::" at the start of a word, "##[", "##vso[")
/// loses its first character to an escape.
std::vector<Glyph> glyphs(std::string_view scanned, Charset charset);

/// The same as one string.
std::string harmless(std::string_view scanned, Charset charset);

/// "\x1b", "\u202e": a backslash, the letter, the value in that many hexadecimal digits.
std::string hex_escape(char letter, char32_t value, unsigned digits);

/// Whether the bytes are well-formed UTF-8 (no surrogates, nothing overlong).
bool is_utf8(std::string_view bytes);

/// The UTF-16 code units that the bytes decode to; a byte that is no UTF-8 counts as one (U+FFFD).
std::size_t utf16_units(std::string_view bytes);

}  // namespace scanner::report
