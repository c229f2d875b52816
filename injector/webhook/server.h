#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "injector/net/http_server.h"
#include "injector/webhook/tls.h"
#include "scanner/base/result.h"

namespace injector::webhook {

struct ServerLimits {
  std::size_t header = 8UL << 10;              ///< Request line and headers; 431 above.
  std::size_t body = 7UL << 20;                ///< Two objects of the 3 MiB that the API server takes, and more; 413.
  std::size_t small_bodies = 16UL << 20;       ///< Of all requests together, see MemoryBudget; 503 above.
  std::size_t large_bodies = 16UL << 20;       ///< Likewise.
  std::size_t connections = 1'024;             ///< With one more, the one that has waited longest is closed.
  std::size_t requests = 100'000;              ///< On one connection.
  std::chrono::milliseconds deadline{10'000};  ///< From accept to the first answer; then for each request and answer.
  std::chrono::milliseconds idle{100'000};     ///< Between two requests. The API server's own limit is 90 s.
  std::chrono::milliseconds linger{1'000};     ///< For what a client still sends that was refused.
};

struct HttpReply {
  int status = 200;
  std::string body{};
  std::string content_type{"application/json"};
  std::string allow{};  ///< With 405: the method that is served.
};

/// What the server has seen since it began.
struct ServerCounts {
  std::uint64_t accepted = 0;
  std::uint64_t handshakes_full = 0;
  std::uint64_t handshakes_resumed = 0;
  std::uint64_t handshakes_failed = 0;
  std::uint64_t closed_by_deadline = 0;  ///< In a handshake or a request.
  std::uint64_t closed_idle = 0;
  std::uint64_t evicted = 0;   ///< Made way for a new one.
  std::uint64_t shed = 0;      ///< Answered 503 for lack of memory.
  std::uint64_t rejected = 0;  ///< Answered 4xx or 5xx before the handler saw a body, those that were shed included.
};

/// HTTPS for the API server, made for hostile clients: HTTP/1.1, everything has a limit and a deadline, nothing is
/// taken that two readers might read in two ways. Lives on the executor's one thread; one request is handled at a time.
class Server {
 public:
  /// What to answer before a body is read, or nothing. Sees the head alone.
  using Gate = std::function<std::optional<HttpReply>(const net::ServerRequest& head)>;
  /// Must answer soon, for it holds the loop. What it throws becomes a 500. Never called without an identity.
  using Handler = std::function<HttpReply(const net::ServerRequest& head, std::string_view body)>;

  struct Address {
    std::string ip;
    std::uint16_t port = 0;  ///< 0: any.
  };

  /// Until there is an identity, connections wait unaccepted. `Errc::config` when the address is none or is not ours,
  /// or the port is taken.
  static scanner::base::Result<std::unique_ptr<Server>> listen(boost::asio::any_io_executor executor,
                                                               const Address& address, ServerLimits limits, Gate gate,
                                                               Handler handler);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  /// Cuts what is open.
  ~Server();  // NOLINT(bugprone-exception-escape): Asio throws here on no memory only

  /// For connections from now on; those that are open keep theirs.
  void use(std::shared_ptr<const TlsIdentityInUse> identity);

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::size_t connections() const;
  [[nodiscard]] std::size_t body_bytes() const;  ///< That requests under way hold now.
  [[nodiscard]] const ServerCounts& counts() const;

  /// Goes on, but asks each client with its next answer to connect anew, and elsewhere.
  void ask_to_leave();
  /// Takes no one new, lets idle clients go and those that are being served have `grace`, then cuts them.
  boost::asio::awaitable<void> stop(std::chrono::milliseconds grace);

 private:
  struct State;
  explicit Server(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace injector::webhook
