#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/injector/net/certificates.h"

struct ssl_st;
struct ssl_ctx_st;

namespace tests {

/// One client of the server, TLS or plain; on a thread of its own.
class Client {
 public:
  Client(int fd, ssl_st* ssl) : fd_(fd), ssl_(ssl) {}

  /// The next request, head and body; empty when the client is gone.
  std::string next();
  /// False when the client is gone.
  bool send(std::string_view bytes);
  bool answer(std::string_view body, int status = 200, const std::string& headers = "");
  /// A cut without TLS' goodbye.
  void reset();

 private:
  std::string read_some();

  int fd_;
  ssl_st* ssl_;
  std::string unread_;
};

/// A server of HTTP/1.1 on 127.0.0.1 that does with a client what a test wants.
class TlsServer {
 public:
  struct Settings {
    Identity identity{};             ///< Without a certificate the server is a plain one.
    std::string client_authority{};  ///< PEM: asks for client certificates of it.
    std::string greeting{};          ///< Said to whoever connects, before TLS.
    int newest_version = 0;          ///< OpenSSL's number, e.g. TLS1_1_VERSION.
  };
  using Handler = std::function<void(Client&, const std::string& request)>;

  /// Calls `handler` for each request, on many threads.
  TlsServer(Settings settings, Handler handler);
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  ~TlsServer();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url(const std::string& path = "/") const;
  /// TCP connections that came, TLS handshakes that went well, and everything that clients ever sent in requests.
  [[nodiscard]] int connections() const { return connections_; }
  [[nodiscard]] int handshakes() const { return handshakes_; }
  [[nodiscard]] std::vector<std::string> requests() const;

 private:
  void accept_all();
  void serve(int fd);

  Settings settings_;
  Handler handler_;
  ssl_ctx_st* context_ = nullptr;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> connections_ = 0;
  std::atomic<int> handshakes_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread accepting_;
};

}  // namespace tests
