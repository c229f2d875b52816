#pragma once

#include <string_view>

namespace scanner::judge {

/// Shannon entropy in bits per byte; 0 for an empty text.
double shannon_entropy(std::string_view text);

/// How far the pairs of letters and digits of `text` are from those of names that people give: mean bits a pair. About
/// 3.9 for identifiers, 5.7 for random hexadecimal, 6.4 for random base62; 0 when there is no pair.
double pair_bits(std::string_view text);

/// Whether `text` could have been drawn by a generator: its pairs of letters are not those of words and identifiers,
/// and its entropy is not below what its charset and length give. Looks at letters and digits only. No for fewer than
/// eight of them, and for digits alone, where nothing can be told. Of random values it keeps 99 %, from 14 characters
/// on more; of identifiers that it was not trained on 6 % at 8-11 characters, 5 % at 12-15, 2 % at 16-19, 1 % at 20-23,
/// and fewer beyond.
bool looks_random(std::string_view text);

}  // namespace scanner::judge
