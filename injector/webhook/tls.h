#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "injector/memory/secret.h"
#include "scanner/base/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace injector::webhook {

/// A certificate with its key, ready to serve: TLS 1.2 and 1.3 with ECDHE and AEAD, no renegotiation, no compression,
/// no early data; sessions are resumed by tickets, so that nothing is kept for them; ALPN takes http/1.1 alone.
class TlsIdentityInUse {
 public:
  /// `chain_pem`: the certificate, and then those between it and its authority. `Errc::config` when there is none, or
  /// the key is not its.
  static scanner::base::Result<std::shared_ptr<const TlsIdentityInUse>> create(std::string_view chain_pem,
                                                                               const memory::Secret& key_pem);
  TlsIdentityInUse(const TlsIdentityInUse&) = delete;
  TlsIdentityInUse& operator=(const TlsIdentityInUse&) = delete;
  ~TlsIdentityInUse();

  [[nodiscard]] std::chrono::system_clock::time_point expires() const { return expires_; }
  [[nodiscard]] ssl_ctx_st* context() const { return context_; }

 private:
  TlsIdentityInUse() = default;
  ssl_ctx_st* context_ = nullptr;
  std::chrono::system_clock::time_point expires_;
};

/// One connection's TLS, on the socket itself: no copies between, and no buffers while nothing comes. Every wait ends
/// when the socket is closed. One thread; one operation at a time.
class TlsStream {
 public:
  TlsStream(boost::asio::ip::tcp::socket socket, std::shared_ptr<const TlsIdentityInUse> identity);
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  ~TlsStream();

  enum class Handshake : std::uint8_t { full, resumed, failed };
  boost::asio::awaitable<Handshake> handshake();
  /// How many bytes came; 0: the client is gone. `block` is written to only after the last wait, and so may be shared
  /// by all connections.
  boost::asio::awaitable<std::size_t> read_some(std::span<char> block);
  boost::asio::awaitable<bool> write(std::string_view bytes);
  /// Says that nothing more will come. What the client still sends is taken for `linger` at most and thrown away, for
  /// else its system might throw away our answer.
  boost::asio::awaitable<void> finish(std::chrono::milliseconds linger, std::span<char> block);
  void close();

 private:
  /// Waits for what OpenSSL wants after `result`; false when it wants nothing, or the socket is closed.
  boost::asio::awaitable<bool> wait_after(int result);

  boost::asio::ip::tcp::socket socket_;
  std::shared_ptr<const TlsIdentityInUse> identity_;
  ssl_st* ssl_ = nullptr;
};

}  // namespace injector::webhook
