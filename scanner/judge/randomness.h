#pragma once

#include <string_view>

namespace scanner::judge {

/// Shannon entropy in bits per byte; 0 for an empty text.
double shannon_entropy(std::string_view text);

/// Whether `text` could have been drawn by a generator: its pairs of letters are not those of words and identifiers,
/// and its entropy is not below what its charset and length give. Looks at letters and digits only. No for fewer than
/// eight of them, and for digits alone, where nothing can be told. Of random values it keeps more than 98 %; of
/// identifiers a fifth at 8-11 characters, a twentieth at 12-15, 3 % at 16-19, 1 % and less beyond.
bool looks_random(std::string_view text);

}  // namespace scanner::judge
