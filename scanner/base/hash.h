#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace scanner::base {

using Sha256 = std::array<std::uint8_t, 32>;

/// SHA-256 of bytes that come in pieces. One thread at a time.
class Sha256Stream {
 public:
  Sha256Stream();
  Sha256Stream(Sha256Stream&&) noexcept;
  Sha256Stream& operator=(Sha256Stream&&) noexcept;
  ~Sha256Stream();

  void update(std::string_view bytes);
  /// The digest of all bytes so far; the stream takes no more afterwards.
  Sha256 finish();

 private:
  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;
};

Sha256 sha256(std::string_view bytes);
Sha256 hmac_sha256(std::string_view key, std::string_view message);

/// CRC-32 as zip, gzip and many token formats use it (IEEE, reflected).
std::uint32_t crc32(std::string_view bytes);

/// Lower-case hexadecimal.
std::string hex(std::string_view bytes);
std::string hex(const Sha256& digest);

/// "sha256:" and 64 lower-case hex digits, as OCI writes a digest; nothing else is taken.
std::string to_oci_digest(const Sha256& digest);
bool parse_oci_digest(std::string_view text, Sha256& out);

}  // namespace scanner::base
