#pragma once

#include <string>
#include <vector>

namespace tests {

/// A certificate and its key, PEM.
struct Identity {
  std::string certificate;
  std::string key;
};

struct CertificateWish {
  std::string common_name = "test";
  std::vector<std::string> names{};  ///< "DNS:localhost", "IP:127.0.0.1"
  long from_seconds = -3600;         ///< Validity, relative to now.
  long to_seconds = 86'400;
  const Identity* issuer = nullptr;  ///< Null: signed by itself.
  bool authority = false;
  std::string usage = "serverAuth";
  int rsa_bits = 0;  ///< 0: a P-256 key.
};

Identity make_identity(const CertificateWish& wish);

}  // namespace tests
