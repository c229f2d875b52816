#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace scanner::judge {

/// One element of DER (X.690) with a tag of one byte and a definite length.
struct Der {
  std::uint8_t tag = 0;
  std::string_view body;
};

constexpr std::uint8_t kDerInteger = 0x02;
constexpr std::uint8_t kDerOctets = 0x04;
constexpr std::uint8_t kDerOid = 0x06;
constexpr std::uint8_t kDerSequence = 0x30;

/// Takes the element at the front off `rest`; nothing when it does not fit into `rest`, which is then as it was.
std::optional<Der> take_der(std::string_view& rest);

/// The body of the one element with `tag` that `bytes` consist of, without anything behind it.
std::optional<std::string_view> sole_der(std::string_view bytes, std::uint8_t tag);

/// The body of the element at the front of `rest`, taken off, when its tag is `tag`.
std::optional<std::string_view> take_der(std::string_view& rest, std::uint8_t tag);

enum class KeyForm : std::uint8_t {
  none,       ///< Not a private key.
  key,        ///< A private key in the clear.
  encrypted,  ///< PKCS#8's EncryptedPrivateKeyInfo.
};

/// What the DER of a PEM private key is, whatever its label says: PKCS#1, SEC 1, DSA as OpenSSL writes it, PKCS#8.
KeyForm private_key_form(std::string_view der);

}  // namespace scanner::judge
