#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "injector/net/http.h"

namespace injector::net {

/// How one store is spoken to. Nothing of it is taken from the environment or from a home directory.
struct ClientSettings {
  /// Who is trusted: the certificates of these three together, or the system's when all are empty.
  std::string ca_file{};
  std::string ca_path{};  ///< A folder of certificates with OpenSSL's hashed names.
  std::string ca_pem{};   ///< Certificates themselves.
  /// Our own certificate (with its chain) and key, shown when the server asks. All files are read again when they
  /// change; while they make no sense, as in the middle of a change, the last good ones stay in use.
  std::string cert_file{};
  std::string key_file{};
  std::string server_name{};               ///< Asked for and verified in place of the URL's host.
  std::string proxy{};                     ///< "http://host:port"; empty: none.
  std::vector<std::string> plain_hosts{};  ///< Hosts that may be spoken to without TLS: loopback, link-local metadata.
  std::size_t response_limit = 8UL << 20;
  /// Connections at once to a server that only speaks HTTP/1.1. With HTTP/2, one carries everything.
  long connections = 2;
  std::chrono::milliseconds connect_timeout{5'000};
  enum class Protocol : std::uint8_t { http2, http1 };
  Protocol protocol = Protocol::http2;  ///< The newest that is offered to the server.
};

/// HTTPS by libcurl on the one loop: TLS 1.2 or newer, names and chains verified, no redirects, no compression.
///
/// Requests at the same time share connections: while the first connection to a server is being made the others wait
/// for it, and when it cannot be made, all that waited fail with it. Bodies and header values go straight into the
/// arena. Lives on the executor's thread; requests that still run when it is destroyed go on to their end.
class HttpsClient final : public Http {
 public:
  /// `Errc::config` when a file cannot be read or holds no certificate or key, or the key is not the certificate's.
  static scanner::base::Result<std::unique_ptr<HttpsClient>> create(boost::asio::any_io_executor executor,
                                                                    ClientSettings settings);
  HttpsClient(const HttpsClient&) = delete;
  HttpsClient& operator=(const HttpsClient&) = delete;
  ~HttpsClient() override;

  Task<Response> send(Request request) override;

  /// Closes the connections when no request has run for so long. Those of HTTP/2 keep the last answers, and header
  /// values, in buffers and tables outside of the arena, which are wiped with them: whoever runs the loop calls this
  /// now and then.
  void close_idle(std::chrono::seconds idle);

  struct Counts {
    std::uint64_t requests = 0;
    std::uint64_t connections = 0;  ///< Connections that carried a request first; each was one TLS handshake.
  };
  [[nodiscard]] Counts counts() const;

 private:
  class Engine;
  explicit HttpsClient(std::shared_ptr<Engine> engine);
  std::shared_ptr<Engine> engine_;
};

}  // namespace injector::net
