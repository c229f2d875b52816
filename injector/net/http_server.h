#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "scanner/base/result.h"

namespace injector::net {

/// What a client of ours asks. Nothing secret comes or goes this way.
struct ServerRequest {
  std::string method;
  std::string target;                                        ///< "/readyz?verbose"
  std::vector<std::pair<std::string, std::string>> headers;  ///< Names in lower case.
  std::string body;

  [[nodiscard]] std::string header(const std::string& lower_case_name) const;  ///< Empty when absent.
};

struct ServerResponse {
  int status = 200;
  std::string content_type{"text/plain; charset=utf-8"};
  std::string body{};
};

struct ServerSettings {
  std::string address{"127.0.0.1"};           ///< An IP address of ours: loopback or the pod's.
  std::uint16_t port = 0;                     ///< 0: any, see HttpServer::port().
  std::size_t header_limit = 8UL << 10;       ///< Request line and headers; 431 above.
  std::size_t body_limit = 64UL << 10;        ///< 413 above.
  std::size_t connections = 64;               ///< At once; those above are closed unheard.
  std::size_t requests = 1'000;               ///< On one connection.
  std::chrono::milliseconds deadline{5'000};  ///< For a whole request and its answer, from its first byte.
  std::chrono::milliseconds idle{15'000};     ///< Between two requests, and before the first.
};

/// A small server of HTTP/1.1 (and 1.0) for probes and metrics, made for hostile clients: everything has a limit and a
/// deadline, and nothing is taken that two readers might read in two ways. No chunked bodies (501), no upgrade, no
/// pipelining before the answer. Lives on the executor's one thread.
class HttpServer {
 public:
  /// Must answer soon, for it holds the loop. What it throws becomes a 500.
  using Handler = std::function<ServerResponse(const ServerRequest&)>;

  /// `Errc::config` when the address is none or is not ours, or the port is taken.
  static scanner::base::Result<std::unique_ptr<HttpServer>> listen(boost::asio::any_io_executor executor,
                                                                   ServerSettings settings, Handler handler);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  /// Cuts what is open.
  ~HttpServer();

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::size_t connections() const;

  /// Takes no one new, lets idle clients go and those that are being served have `grace`, then cuts them.
  boost::asio::awaitable<void> stop(std::chrono::milliseconds grace = std::chrono::milliseconds(500));

 private:
  struct State;
  explicit HttpServer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace injector::net
