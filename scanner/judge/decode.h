#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace scanner::judge {

// Text that stands for bytes. Each takes the whole text or gives nothing, and throws only when memory is gone.

/// Both alphabets (`+/` and `-_`), padded or not, one line. Bits left over at the end are ignored.
std::optional<std::string> decode_base64(std::string_view text);
std::string encode_base64(std::string_view bytes);

/// RFC 4648 without padding, either case. Bits left over at the end are ignored.
std::optional<std::string> decode_base32(std::string_view text);

inline constexpr std::string_view kBitcoinAlphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
inline constexpr std::string_view kRippleAlphabet = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz";

/// Nothing for more than 1000 characters: the work grows with the square of the length.
std::optional<std::string> decode_base58(std::string_view text, std::string_view alphabet = kBitcoinAlphabet);

/// Each %XX becomes its byte; a % that is followed by anything else stays.
std::string decode_percent(std::string_view text);

/// Whether the checksum of a Bech32 or Bech32m text of any length holds.
bool bech32_holds(std::string_view text);

/// The number written in `base` (at most 36) digits; nothing when a character is no digit or it exceeds 64 bits.
std::optional<std::uint64_t> parse_number(std::string_view text, std::uint32_t base);

/// `value` in `base` (at most 62) digits 0-9 A-Z a-z, most significant first, left-padded with 0 to `width`.
std::string format_number(std::uint64_t value, std::uint32_t base, std::size_t width);

/// The four bytes of `value`, least significant first.
std::string little_endian(std::uint32_t value);

}  // namespace scanner::judge
