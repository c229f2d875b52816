#pragma once

#include <cstddef>
#include <string_view>

namespace injector::render::templates {

constexpr char32_t kBadRune = 0xfffd;

/// The first code point of a text that is not empty, and its bytes; what is no UTF-8 is U+FFFD of one byte, as in Go.
struct Rune {
  char32_t code = 0;
  std::size_t size = 0;
};
Rune decode(std::string_view text);
/// Writes UTF-8, at most 4 bytes, and gives their number; U+FFFD for what is no code point.
std::size_t encode(char32_t rune, char* out);
std::size_t count_runes(std::string_view text);
bool valid_utf8(std::string_view text);

/// Of Unicode 17, as Go 1.27 has them.
bool is_letter(char32_t rune);
bool is_digit(char32_t rune);
bool is_upper(char32_t rune);
bool is_lower(char32_t rune);
bool is_space(char32_t rune);
/// What %q leaves as it is.
bool is_print(char32_t rune);
char32_t to_upper(char32_t rune);
char32_t to_lower(char32_t rune);
char32_t to_title(char32_t rune);

}  // namespace injector::render::templates
