#include "scanner/report/harmless.h"

#include <algorithm>
#include <array>

namespace scanner::report {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Characters that move, hide, reorder or pile up on what stands around them.
constexpr std::array kHidden = {
    Range{0x7f, 0x9f},     Range{0xad, 0xad},     Range{0x300, 0x36f},     Range{0x61c, 0x61c},
    Range{0x115f, 0x1160}, Range{0x17b4, 0x17b5}, Range{0x180b, 0x180f},   Range{0x1ab0, 0x1aff},
    Range{0x1dc0, 0x1dff}, Range{0x200b, 0x200f}, Range{0x2028, 0x202e},   Range{0x2060, 0x206f},
    Range{0x20d0, 0x20ff}, Range{0x2800, 0x2800}, Range{0x3164, 0x3164},   Range{0xd800, 0xdfff},
    Range{0xfe00, 0xfe0f}, Range{0xfe20, 0xfe2f}, Range{0xfeff, 0xfeff},   Range{0xffa0, 0xffa0},
    Range{0xfff0, 0xfffb}, Range{0xfffe, 0xffff}, Range{0x1d173, 0x1d17a}, Range{0xe0000, 0x10ffff},
};

// East Asian wide characters and emoji: two columns. Rather too many than too few, as lines must not run over.
constexpr std::array kWide = {
    Range{0x1100, 0x115e}, Range{0x2e80, 0x303e},   Range{0x3041, 0xa4cf},   Range{0xa960, 0xa97f},
    Range{0xac00, 0xd7a3}, Range{0xf900, 0xfaff},   Range{0xfe30, 0xfe6f},   Range{0xff01, 0xff60},
    Range{0xffe0, 0xffe6}, Range{0x16fe0, 0x1b2ff}, Range{0x1f000, 0x1faff}, Range{0x20000, 0x3fffd},
};

template <std::size_t N>
bool holds(const std::array<Range, N>& ranges, char32_t character) {
  const auto* const it = std::ranges::lower_bound(ranges, character, {}, &Range::last);
  return it != ranges.end() && it->first <= character;
}

struct Decoded {
  char32_t character = 0;
  std::size_t size = 0;  // 0: the first byte begins no character
};

Decoded decode(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || bytes.size() < size) return {};
  char32_t character = lead & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((at(i) & 0xc0U) != 0x80U) return {};
    character = (character << 6) | (at(i) & 0x3fU);
  }
  static constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = character >= 0xd800 && character <= 0xdfff;
  if (character < kSmallest[size] || character > 0x10ffff || surrogate) return {};
  return {character, size};
}

bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// "::" at the start of a word, since any word may be put at the start of a line, and the readers of workflow commands
// trim every kind of space that Unicode has. "##", letters, "[" anywhere.
bool opens_command(std::string_view text, std::size_t at) {
  if (text[at] == ':') {
    return text.substr(at, 2) == "::" && (at == 0 || text[at - 1] <= ' ' || text[at - 1] > '~');
  }
  if (text.substr(at, 2) != "##") return false;
  const std::string_view rest = text.substr(at + 2);
  const auto end = std::ranges::find_if_not(rest, is_ascii_letter);
  return end == rest.end() || *end == '[';
}

std::string byte_escape(char byte) {
  if (byte == '\n') return "\\n";
  if (byte == '\r') return "\\r";
  if (byte == '\t') return "\\t";
  return hex_escape('x', static_cast<unsigned char>(byte), 2);
}

bool is_shown_as_it_is(char32_t character, Charset charset) {
  if (character < 0x80) return character >= 0x20 && character != 0x7f;
  return charset == Charset::utf8 && !holds(kHidden, character);
}

}  // namespace

std::string hex_escape(char letter, char32_t value, unsigned digits) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string escape = {'\\', letter};
  for (unsigned left = digits; left > 0; --left) escape += kHex[value >> (4 * (left - 1)) & 15U];
  return escape;
}

std::vector<Glyph> glyphs(std::string_view scanned, Charset charset) {
  std::vector<Glyph> out;
  out.reserve(scanned.size());
  for (std::size_t at = 0; at < scanned.size();) {
    const auto [character, size] = decode(scanned.substr(at));
    Glyph glyph{.text = {}, .columns = 1, .offset = at};
    if (size != 0 && is_shown_as_it_is(character, charset) && !opens_command(scanned, at)) {
      glyph.text = scanned.substr(at, size);
      if (holds(kWide, character)) glyph.columns = 2;
    } else {
      glyph.text = size <= 1            ? byte_escape(scanned[at])
                   : character > 0xffff ? hex_escape('U', character, 8)
                                        : hex_escape('u', character, 4);
      glyph.columns = static_cast<unsigned>(glyph.text.size());
    }
    at += std::max<std::size_t>(size, 1);
    out.push_back(std::move(glyph));
  }
  return out;
}

std::string harmless(std::string_view scanned, Charset charset) {
  std::string out;
  out.reserve(scanned.size());
  for (const Glyph& glyph : glyphs(scanned, charset)) out += glyph.text;
  return out;
}

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t size = decode(bytes).size;
    if (size == 0) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

std::size_t utf16_units(std::string_view bytes) {
  std::size_t units = 0;
  while (!bytes.empty()) {
    const std::size_t size = decode(bytes).size;
    units += size == 4 ? 2 : 1;
    bytes.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return units;
}

}  // namespace scanner::report
