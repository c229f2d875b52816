#pragma once

#include <bitset>
#include <optional>
#include <string_view>

namespace scanner::rules {

/// The bytes that one position of a match may hold.
using ByteSet = std::bitset<256>;

/// From `low` to `high`, both included.
ByteSet range(unsigned low, unsigned high);
ByteSet any_of(std::string_view bytes);

// The classes that have names; nothing for a name that does not exist.

/// 'd', 's', 'w' and their opposites 'D', 'S', 'W'.
std::optional<ByteSet> perl_class(char name);
/// "alnum" of [[:alnum:]], and so on.
std::optional<ByteSet> posix_class(std::string_view name);
/// A Unicode category: its ASCII members, and for letters every byte of a character beyond ASCII.
std::optional<ByteSet> unicode_class(std::string_view name);

}  // namespace scanner::rules
