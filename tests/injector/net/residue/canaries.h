#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tests {

inline constexpr std::uint64_t kMaskWord = 0x5A5A5A5A5A5A5A5AULL;

constexpr char mask(char byte) { return static_cast<char>(byte ^ 0x5A); }

/// Masked while it is compiled: the plain text stands in no program.
template <std::size_t N>
struct Masked {
  char bytes[N - 1] = {};
  consteval Masked(const char (&text)[N]) {  // NOLINT(google-explicit-constructor)
    for (std::size_t i = 0; i + 1 < N; ++i) bytes[i] = mask(text[i]);
  }
  constexpr std::string_view view() const { return {bytes, N - 1}; }
};

inline constexpr Masked kSecretBytes("kX93vQz-Lm27cYtR0wPbE-canary-Hj58sGdNf4u");
inline constexpr Masked kTokenBytes("Tq61oWy-Bn84xKrA3vMeZ-token-Ud05iFhJg7s");
inline constexpr std::string_view kMaskedSecret = kSecretBytes.view();
inline constexpr std::string_view kMaskedToken = kTokenBytes.view();

inline std::string unmask(std::string_view masked) {
  std::string plain(masked);
  for (char& byte : plain) byte = mask(byte);
  return plain;
}

}  // namespace tests
