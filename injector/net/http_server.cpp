#include "injector/net/http_server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <unordered_set>

#include "injector/net/loop.h"
#include "injector/net/request_head.h"

namespace injector::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Result;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

enum class After : std::uint8_t { keep_alive, close };

std::string head_of(const ServerResponse& response, After after) {
  std::string head =
      "HTTP/1.1 " + std::to_string(response.status) + " " + std::string(reason_phrase(response.status)) + "\r\n";
  if (response.status != 204) {
    head += "Content-Type: " + response.content_type + "\r\nContent-Length: " + std::to_string(response.body.size()) +
            "\r\n";
  }
  head += "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
  if (after == After::close) head += "Connection: close\r\n";
  return head + "\r\n";
}

}  // namespace

struct HttpServer::State : std::enable_shared_from_this<State> {
  struct Session {
    Session(tcp::socket socket_in, const asio::any_io_executor& executor)
        : socket(std::move(socket_in)), deadline(executor) {}

    void cut() {
      boost::system::error_code ignored;
      socket.close(ignored);
    }

    tcp::socket socket;
    asio::steady_timer deadline;
    std::string unread;
    bool busy = false;  ///< Between the first byte of a request and the last of its answer.
  };

  State(asio::any_io_executor executor_in, ServerSettings settings_in, Handler handler_in)
      : executor(std::move(executor_in)),
        settings(std::move(settings_in)),
        handler(std::move(handler_in)),
        acceptor(executor) {}

  /// Cuts the session at that time, unless it is set again by then.
  void cut_in(const std::shared_ptr<Session>& session, std::chrono::milliseconds time) {
    session->deadline.expires_after(time);
    session->deadline.async_wait([session](const boost::system::error_code& stopped) {
      if (!stopped) session->cut();
    });
  }

  asio::awaitable<void> accept_all(std::shared_ptr<State> self);
  asio::awaitable<void> serve(std::shared_ptr<State> self, std::shared_ptr<Session> session);
  /// False when the client is gone. Appends to `unread`.
  static asio::awaitable<bool> read_more(Session& session);
  /// The whole head or 0; an answer's status otherwise. -1 when the client is gone.
  asio::awaitable<int> read_request(const std::shared_ptr<Session>& session, RequestHead& head);
  [[nodiscard]] ServerResponse answer(const ServerRequest& request) const;
  static asio::awaitable<bool> write(Session& session, const ServerResponse& response, After after, bool with_body);
  void stop_accepting() {
    stopping = true;
    boost::system::error_code ignored;
    acceptor.close(ignored);
  }

  asio::any_io_executor executor;
  ServerSettings settings;
  Handler handler;
  tcp::acceptor acceptor;
  std::uint16_t port = 0;
  bool stopping = false;
  std::unordered_set<std::shared_ptr<Session>> sessions;
};

asio::awaitable<void> HttpServer::State::accept_all(std::shared_ptr<State> self) {
  while (!stopping) {
    auto [failed, socket] = co_await acceptor.async_accept(kTuple);
    if (stopping) break;
    if (failed) {
      // No descriptors to be had: the client waits in the queue meanwhile, and this must not spin.
      co_await sleep_for(std::chrono::milliseconds(100));
      continue;
    }
    if (sessions.size() >= settings.connections) continue;
    auto session = std::make_shared<Session>(std::move(socket), executor);
    sessions.insert(session);
    asio::co_spawn(executor, serve(self, session), asio::detached);
  }
}

asio::awaitable<bool> HttpServer::State::read_more(Session& session) {
  std::array<char, 4096> block{};
  const auto [failed, size] = co_await session.socket.async_read_some(asio::buffer(block), kTuple);
  if (!failed) session.unread.append(block.data(), size);
  co_return !failed;
}

asio::awaitable<int> HttpServer::State::read_request(const std::shared_ptr<Session>& session, RequestHead& head) {
  cut_in(session, settings.idle);
  bool alive = true;
  if (session->unread.empty()) alive = co_await read_more(*session);
  if (!alive) co_return -1;
  session->busy = true;
  cut_in(session, settings.deadline);
  std::size_t end = std::string::npos;
  while ((end = session->unread.find("\r\n\r\n")) == std::string::npos) {
    if (session->unread.size() > settings.header_limit) co_return 431;
    alive = co_await read_more(*session);
    if (!alive) co_return -1;
  }
  if (end > settings.header_limit) co_return 431;
  auto [refused, read] = read_head(std::string_view(session->unread).substr(0, end + 4));
  if (refused != 0) co_return refused;
  head = std::move(read);
  session->unread.erase(0, end + 4);
  if (head.body_size > settings.body_limit) co_return 413;
  if (head.expects_continue && session->unread.size() < head.body_size) {
    const auto [failed, size] = co_await asio::async_write(
        session->socket, asio::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n")), kTuple);
    if (failed) co_return -1;
  }
  while (session->unread.size() < head.body_size) {
    alive = co_await read_more(*session);
    if (!alive) co_return -1;
  }
  head.request.body = session->unread.substr(0, head.body_size);
  session->unread.erase(0, head.body_size);
  co_return 0;
}

ServerResponse HttpServer::State::answer(const ServerRequest& request) const {
  try {
    return handler(request);
  } catch (const std::exception&) {
    return {.status = 500, .body = "internal error\n"};
  }
}

asio::awaitable<bool> HttpServer::State::write(Session& session, const ServerResponse& response, After after,
                                               bool with_body) {
  const std::string head = head_of(response, after);
  const std::array<asio::const_buffer, 2> parts = {asio::buffer(head),
                                                   asio::buffer(with_body ? std::string_view(response.body) : "")};
  const auto [failed, size] = co_await asio::async_write(session.socket, parts, kTuple);
  co_return !failed;
}

asio::awaitable<void> HttpServer::State::serve(std::shared_ptr<State> self, std::shared_ptr<Session> session) {
  const std::shared_ptr<State> alive = std::move(self);
  co_await asio::this_coro::throw_if_cancelled(false);
  for (std::size_t served = 1; !stopping; ++served) {
    RequestHead head;
    const int refused = co_await read_request(session, head);
    if (refused < 0) break;
    ServerResponse response;
    if (refused > 0) {
      response = {.status = refused, .body = std::string(reason_phrase(refused)) + "\n"};
    } else {
      response = answer(head.request);
    }
    const bool last = refused > 0 || !head.keeps_alive || served >= settings.requests || stopping;
    const bool with_body = head.request.method != "HEAD" && response.status != 204;
    const bool written = co_await write(*session, response, last ? After::close : After::keep_alive, with_body);
    if (!written || last) break;
    session->busy = false;
  }
  // What is unread would turn the end into a reset, and the answer might be lost with it.
  boost::system::error_code ignored;
  session->socket.shutdown(tcp::socket::shutdown_send, ignored);
  cut_in(session, std::min(settings.deadline, std::chrono::milliseconds(200)));
  session->busy = false;
  for (bool more = true; more && session->socket.is_open();) {
    more = co_await read_more(*session);
    session->unread.clear();
  }
  session->deadline.cancel();
  session->cut();
  sessions.erase(session);
}

HttpServer::HttpServer(std::shared_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() {  // NOLINT(bugprone-exception-escape): Asio throws here on no memory only
  state_->stop_accepting();
  for (const auto& session : state_->sessions) {
    session->deadline.cancel();
    session->cut();
  }
}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(asio::any_io_executor executor, ServerSettings settings,
                                                       Handler handler) {
  const std::string name = settings.address + ":" + std::to_string(settings.port);
  boost::system::error_code failed;
  const auto address = asio::ip::make_address(settings.address, failed);
  if (failed) return fail(Errc::config, settings.address + " is no IP address");
  auto state = std::make_shared<State>(std::move(executor), std::move(settings), std::move(handler));
  const tcp::endpoint endpoint(address, state->settings.port);
  tcp::acceptor& acceptor = state->acceptor;
  if (!failed) acceptor.open(endpoint.protocol(), failed);
  if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor.bind(endpoint, failed);
  if (!failed) acceptor.listen(128, failed);
  if (failed) return fail(Errc::config, "cannot listen on " + name + ": " + failed.message());
  state->port = acceptor.local_endpoint(failed).port();
  asio::co_spawn(state->executor, state->accept_all(state), asio::detached);
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

std::uint16_t HttpServer::port() const { return state_->port; }

std::size_t HttpServer::connections() const { return state_->sessions.size(); }

asio::awaitable<void> HttpServer::stop(std::chrono::milliseconds grace) {
  const std::shared_ptr<State> state = state_;
  state->stop_accepting();
  for (const auto& session : state->sessions) {
    if (!session->busy) session->cut();
  }
  const auto end = std::chrono::steady_clock::now() + grace;
  while (!state->sessions.empty() && std::chrono::steady_clock::now() < end) {
    const Woken woken = co_await sleep_for(std::chrono::milliseconds(5));
    if (woken == Woken::cancelled) break;
  }
  for (const auto& session : state->sessions) session->cut();
}

}  // namespace injector::net
