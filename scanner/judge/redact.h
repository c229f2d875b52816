#pragma once

#include <string>
#include <string_view>

namespace scanner::judge {

/// What stands for secret bytes wherever they would be shown.
inline constexpr std::string_view kMask = "********";

/// A secret as it may be shown: of one with 16 bytes or more the first four, then the mask; of shorter ones the mask
/// alone; of a PEM block its label and the mask. Bytes that are not printable ASCII become '?'.
std::string redact(std::string_view secret);

/// Overwrites the bytes of `text`, also those that a former, longer text left behind it, and empties it.
void wipe(std::string& text);

}  // namespace scanner::judge
