#include "scanner/rules/byte_set.h"

namespace scanner::rules {

ByteSet range(unsigned low, unsigned high) {
  ByteSet set;
  for (unsigned byte = low; byte <= high; ++byte) set.set(byte);
  return set;
}

ByteSet any_of(std::string_view bytes) {
  ByteSet set;
  for (const char c : bytes) set.set(static_cast<unsigned char>(c));
  return set;
}

namespace {

ByteSet digits() { return range('0', '9'); }
ByteSet upper() { return range('A', 'Z'); }
ByteSet lower() { return range('a', 'z'); }
ByteSet letters() { return upper() | lower(); }
ByteSet punctuation() { return range('!', '/') | range(':', '@') | range('[', '`') | range('{', '~'); }
ByteSet spaces() { return any_of("\t\n\v\f\r "); }

}  // namespace

std::optional<ByteSet> perl_class(char name) {
  switch (name) {
    case 'd':
      return digits();
    case 'D':
      return ~digits();
    case 's':
      return spaces();
    case 'S':
      return ~spaces();
    case 'w':
      return letters() | digits() | any_of("_");
    case 'W':
      return ~(letters() | digits() | any_of("_"));
    default:
      return std::nullopt;
  }
}

std::optional<ByteSet> posix_class(std::string_view name) {
  if (name == "alnum") return letters() | digits();
  if (name == "alpha") return letters();
  if (name == "ascii") return range(0, 0x7f);
  if (name == "blank") return any_of("\t ");
  if (name == "cntrl") return range(0, 0x1f) | range(0x7f, 0x7f);
  if (name == "digit") return digits();
  if (name == "graph") return range('!', '~');
  if (name == "lower") return lower();
  if (name == "print") return range(' ', '~');
  if (name == "punct") return punctuation();
  if (name == "space") return spaces();
  if (name == "upper") return upper();
  if (name == "word") return letters() | digits() | any_of("_");
  if (name == "xdigit") return digits() | range('a', 'f') | range('A', 'F');
  return std::nullopt;
}

std::optional<ByteSet> unicode_class(std::string_view name) {
  const ByteSet symbols = any_of("$+<=>^`|~");
  const ByteSet beyond_ascii = range(0x80, 0xff);
  if (name == "L") return letters() | beyond_ascii;
  if (name == "Lu") return upper() | beyond_ascii;
  if (name == "Ll") return lower() | beyond_ascii;
  if (name == "N" || name == "Nd") return digits();
  if (name == "P") return punctuation() & ~symbols;
  if (name == "S") return symbols;
  if (name == "Z" || name == "Zs") return any_of(" ");
  if (name == "C" || name == "Cc") return range(0, 0x1f) | range(0x7f, 0x7f);
  return std::nullopt;
}

}  // namespace scanner::rules
