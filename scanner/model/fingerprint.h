#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace scanner {

/// A secret's identity that can be shown and stored: 16 bytes of HMAC-SHA-256 over the rule and the secret. The same
/// wherever the secret stands; says nothing about it without the key.
using Fingerprint = std::array<std::uint8_t, 16>;

/// "v1:" and 32 hex digits.
std::string to_string(const Fingerprint& fingerprint);

}  // namespace scanner
