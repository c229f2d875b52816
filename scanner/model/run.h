#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace scanner {

/// The bytes that tokens are made of. A text has few long runs of them, which are quick to find: so what holds only in
/// such a run need not be searched anywhere else.
enum class Alphabet : std::uint8_t {
  word,   ///< Letters, digits, '_' and '-'.
  token,  ///< Those, base64's '+', '/' and '=', and '.' and '~', which join the parts of a token.
};
inline constexpr std::size_t kAlphabets = 2;

constexpr bool in_alphabet(Alphabet alphabet, unsigned char byte) {
  const auto lower = static_cast<unsigned char>(byte | 0x20U);
  if ((lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') || byte == '_' || byte == '-') return true;
  return alphabet == Alphabet::token && (byte == '+' || byte == '/' || byte == '=' || byte == '.' || byte == '~');
}

/// What is known of every match of a regex: it holds `length` bytes of the alphabet in a row. At most `before` bytes of
/// the match stand in front of the whole run that these are part of, and at most `after` behind it.
struct Run {
  std::uint32_t length = 0;  ///< 0: nothing is known.
  std::uint32_t before = 0;
  std::uint32_t after = 0;

  friend bool operator==(const Run&, const Run&) = default;
};

/// By alphabet.
using Runs = std::array<Run, kAlphabets>;

}  // namespace scanner
