#include "injector/webhook/server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <list>
#include <utility>

#include "injector/net/loop.h"
#include "injector/net/request_head.h"
#include "injector/webhook/chunked.h"
#include "injector/webhook/memory_budget.h"
#include "injector/webhook/message.h"

namespace injector::webhook {

namespace asio = boost::asio;
using asio::ip::tcp;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Result;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr auto kSweep = std::chrono::milliseconds(100);
constexpr unsigned kReadsAtOnce = 16;       // Of one client, before others have their turn.
constexpr std::size_t kBlock = 16UL << 10;  // The most that one record of TLS holds.

/// What is wrong with a request that is refused by its form.
std::string_view complaint(int status) {
  switch (status) {
    case 413:
      return "the body is larger than 7 MiB";
    case 417:
      return "only 100-continue can be expected";
    case 431:
      return "the headers are larger than 8 KiB";
    case 501:
      return "this transfer coding is not taken";
    case 503:
      return "too much is being reviewed at this moment; try again in a second";
    case 505:
      return "only HTTP/1.1 is spoken";
    default:
      return "this is no request of HTTP/1.1";
  }
}

HttpReply refusal(int status) { return {.status = status, .body = write_status(status, complaint(status))}; }

/// Makes room for `size` bytes and no more, which reserve() does not promise.
void grow(std::string& text, std::size_t size) {
  std::string larger;
  larger.reserve(size);
  larger += text;
  text.swap(larger);
}

/// Gives the memory back, which an assignment does not.
void drop(std::string& text) { std::string().swap(text); }

enum class After : std::uint8_t { keep_alive, close };
enum class Body : std::uint8_t { sent, left_out };

std::string text_of(const HttpReply& reply, After after, Body body) {
  std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " ";
  text += net::reason_phrase(reply.status);
  text += "\r\nContent-Type: " + reply.content_type + "\r\nContent-Length: " + std::to_string(reply.body.size());
  text += "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
  if (!reply.allow.empty()) text += "Allow: " + reply.allow + "\r\n";
  if (reply.status == 503) text += "Retry-After: 1\r\n";
  if (after == After::close) text += "Connection: close\r\n";
  text += "\r\n";
  if (body == Body::sent) text += reply.body;
  return text;
}

}  // namespace

struct Server::State : std::enable_shared_from_this<State> {
  /// What a connection is at, which says why it is closed when its time is up.
  enum class At : std::uint8_t {
    beginning,  ///< Handshake and first request.
    idle,       ///< Between two requests.
    reading,
    answering,
    leaving,
  };

  struct Session {
    Session(tcp::socket socket, std::shared_ptr<const TlsIdentityInUse> identity, MemoryBudget& budget)
        : stream(std::move(socket), std::move(identity)), share(budget) {}

    TlsStream stream;
    MemoryBudget::Share share;
    std::string unread;
    std::string body;  ///< Of a chunked request.
    Clock::time_point until;
    At at = At::beginning;
    unsigned reads = 0;
    std::list<std::shared_ptr<Session>>::iterator place;
  };
  using Sessions = std::list<std::shared_ptr<Session>>;

  State(asio::any_io_executor executor_in, ServerLimits limits_in, Gate gate_in, Handler handler_in)
      : executor(std::move(executor_in)),
        limits(limits_in),
        gate(std::move(gate_in)),
        handler(std::move(handler_in)),
        acceptor(executor),
        sweeper(executor),
        budget(limits.small_bodies, limits.large_bodies) {}

  asio::awaitable<void> accept_all(std::shared_ptr<State> self);
  asio::awaitable<void> sweep(std::shared_ptr<State> self);
  asio::awaitable<void> serve(std::shared_ptr<State> self, std::shared_ptr<Session> session);
  /// Requests until one is the last. False when the client is gone.
  asio::awaitable<bool> serve_requests(Session& session);
  /// 0; a status to refuse with; -1 when the client is gone.
  asio::awaitable<int> read_head_of(Session& session, net::RequestHead& head, std::size_t& head_size);
  asio::awaitable<int> read_sized_body(Session& session, std::size_t size);
  asio::awaitable<int> read_chunked_body(Session& session);
  /// Appends to `unread` what comes; likewise 0, 503 or -1.
  asio::awaitable<int> read_more(Session& session, std::size_t most);

  void make_way();
  void begin();
  [[nodiscard]] HttpReply answer(const net::ServerRequest& head, std::string_view body) const;
  void stop_accepting() {
    stopping = true;
    boost::system::error_code ignored;
    acceptor.close(ignored);
  }

  asio::any_io_executor executor;
  ServerLimits limits;
  Gate gate;
  Handler handler;
  tcp::acceptor acceptor;
  asio::steady_timer sweeper;
  MemoryBudget budget;
  std::shared_ptr<const TlsIdentityInUse> identity;
  std::uint16_t port = 0;
  bool accepting = false;
  bool stopping = false;
  bool leaving = false;
  Sessions sessions;
  ServerCounts counts;
  std::array<char, kBlock> block{};  ///< What all connections read into, one at a time.
};

void Server::State::begin() {
  if (accepting || stopping || !identity) return;
  accepting = true;
  asio::co_spawn(executor, accept_all(shared_from_this()), asio::detached);
  asio::co_spawn(executor, sweep(shared_from_this()), asio::detached);
}

/// Of those that have not been answered yet the one that came first, which a client in earnest is not for long; else of
/// the idle ones.
void Server::State::make_way() {
  const auto waits = [](At at) { return [at](const std::shared_ptr<Session>& s) { return s->at == at; }; };
  auto found = std::ranges::find_if(sessions, waits(At::beginning));
  if (found == sessions.end()) found = std::ranges::find_if(sessions, waits(At::reading));
  if (found == sessions.end()) found = std::ranges::find_if(sessions, waits(At::idle));
  if (found == sessions.end()) found = sessions.begin();
  if (found == sessions.end()) return;
  ++counts.evicted;
  (*found)->stream.close();
  (*found)->at = At::leaving;
}

asio::awaitable<void> Server::State::accept_all(std::shared_ptr<State> self) {
  const std::shared_ptr<State> alive = std::move(self);
  while (!stopping) {
    auto [failed, socket] = co_await acceptor.async_accept(kTuple);
    if (stopping) break;
    if (failed) {
      // No descriptors to be had: the client waits in the queue meanwhile, and this must not spin.
      make_way();
      co_await net::sleep_for(std::chrono::milliseconds(20));
      continue;
    }
    ++counts.accepted;
    if (sessions.size() >= limits.connections) make_way();
    auto session = std::make_shared<Session>(std::move(socket), identity, budget);
    session->until = Clock::now() + limits.deadline;
    session->place = sessions.insert(sessions.end(), session);
    asio::co_spawn(executor, serve(alive, session), asio::detached);
  }
}

/// One clock for all: a timer for each request would cost more than the request's other system calls.
asio::awaitable<void> Server::State::sweep(std::shared_ptr<State> self) {
  const std::shared_ptr<State> alive = std::move(self);
  while (!stopping || !sessions.empty()) {
    sweeper.expires_after(kSweep);
    co_await sweeper.async_wait(kTuple);
    const auto now = Clock::now();
    for (const auto& session : sessions) {
      if (session->until > now) continue;
      if (session->at == At::idle) ++counts.closed_idle;
      if (session->at != At::idle && session->at != At::leaving) ++counts.closed_by_deadline;
      session->at = At::leaving;
      session->until = Clock::time_point::max();
      session->stream.close();
    }
  }
}

asio::awaitable<int> Server::State::read_more(Session& session, std::size_t most) {
  if (++session.reads % kReadsAtOnce == 0) co_await asio::post(executor, asio::use_awaitable);
  const std::size_t size = co_await session.stream.read_some(std::span(block).first(std::min(most, block.size())));
  if (size == 0) co_return -1;
  std::string& unread = session.unread;
  const std::size_t needed = unread.size() + size;
  if (needed > unread.capacity()) {
    // Grows with what comes, whatever was announced.
    const std::size_t wished = needed <= 4096 ? 4096 : needed + needed / 2;
    if (!session.share.set(wished + session.body.capacity())) co_return 503;
    grow(unread, wished);
  }
  unread.append(block.data(), size);
  co_return 0;
}

asio::awaitable<int> Server::State::read_head_of(Session& session, net::RequestHead& head, std::size_t& head_size) {
  int failed = 0;
  if (session.unread.empty()) failed = co_await read_more(session, block.size());
  if (failed != 0) co_return failed;
  if (session.at == At::idle) {
    session.at = At::reading;
    session.until = Clock::now() + limits.deadline;
  }
  std::size_t end = std::string::npos;
  while ((end = session.unread.find("\r\n\r\n")) == std::string::npos) {
    if (session.unread.size() > limits.header) co_return 431;
    failed = co_await read_more(session, block.size());
    if (failed != 0) co_return failed;
  }
  head_size = end + 4;
  if (head_size > limits.header) co_return 431;
  auto [refused, read] =
      net::read_head(std::string_view(session.unread).substr(0, head_size), net::Bodies::sized_or_chunked);
  head = std::move(read);
  co_return refused;
}

asio::awaitable<int> Server::State::read_sized_body(Session& session, std::size_t end) {
  while (session.unread.size() < end) {
    const int failed = co_await read_more(session, end - session.unread.size());
    if (failed != 0) co_return failed;
  }
  co_return 0;
}

asio::awaitable<int> Server::State::read_chunked_body(Session& session) {
  Chunked chunked(limits.body);
  for (;;) {
    // Room for all that is unread, which the decoder may append.
    const std::size_t needed = session.body.size() + session.unread.size();
    if (needed > session.body.capacity()) {
      const std::size_t wished = needed + needed / 2;
      if (!session.share.set(wished + session.unread.capacity())) co_return 503;
      grow(session.body, wished);
    }
    switch (chunked.feed(session.unread, session.body)) {
      case Chunked::State::done:
        co_return 0;
      case Chunked::State::broken:
        co_return 400;
      case Chunked::State::too_large:
        co_return 413;
      case Chunked::State::more:
        break;
    }
    const int failed = co_await read_more(session, block.size());
    if (failed != 0) co_return failed;
  }
}

HttpReply Server::State::answer(const net::ServerRequest& head, std::string_view body) const {
  try {
    return handler(head, body);
  } catch (const std::exception&) {
    return {.status = 500, .body = write_status(500, "secret-webhook could not answer")};
  }
}

asio::awaitable<bool> Server::State::serve_requests(Session& session) {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  for (std::size_t served = 1;; ++served) {
    net::RequestHead head;
    std::size_t head_size = 0;
    int refused = co_await read_head_of(session, head, head_size);
    if (refused < 0) co_return false;
    std::optional<HttpReply> reply;
    if (refused == 0 && !head.chunked && head.body_size > limits.body) refused = 413;
    if (refused == 0) reply = gate(head.request);
    const bool reads = refused == 0 && !reply;
    if (reads && head.expects_continue) {
      const bool told = co_await session.stream.write(kContinue);
      if (!told) co_return false;
    }
    std::size_t end = head_size;
    if (reads && head.chunked) {
      session.unread.erase(0, head_size);
      end = 0;
      refused = co_await read_chunked_body(session);
    } else if (reads) {
      end = head_size + head.body_size;
      refused = co_await read_sized_body(session, end);
    }
    if (refused < 0) co_return false;
    session.at = At::answering;
    const bool good = reads && refused == 0;
    if (good) {
      const std::string_view body = head.chunked ? std::string_view(session.body)
                                                 : std::string_view(session.unread).substr(head_size, head.body_size);
      reply = answer(head.request, body);
    } else {
      ++counts.rejected;
      if (refused == 503) ++counts.shed;
      if (!reply) reply = refusal(refused);
    }
    // A body that was not read is in the way of the next request.
    const bool last = !good || !head.keeps_alive || served >= limits.requests || stopping || leaving;
    const Body with_body = head.request.method == "HEAD" ? Body::left_out : Body::sent;
    const std::string text = text_of(*reply, last ? After::close : After::keep_alive, with_body);
    const bool written = co_await session.stream.write(text);
    if (!written) co_return false;
    if (last) co_return true;
    session.unread.erase(0, end);
    if (session.unread.empty()) drop(session.unread);
    drop(session.body);
    session.share.set(session.unread.capacity());
    session.at = At::idle;
    session.until = Clock::now() + limits.idle;
    co_await asio::post(executor, asio::use_awaitable);  // A client that never lets us wait must let others in.
  }
}

asio::awaitable<void> Server::State::serve(std::shared_ptr<State> self, std::shared_ptr<Session> session) {
  const std::shared_ptr<State> alive = std::move(self);
  co_await asio::this_coro::throw_if_cancelled(false);
  const TlsStream::Handshake handshake = co_await session->stream.handshake();
  if (handshake == TlsStream::Handshake::full) ++counts.handshakes_full;
  if (handshake == TlsStream::Handshake::resumed) ++counts.handshakes_resumed;
  if (handshake == TlsStream::Handshake::failed) ++counts.handshakes_failed;
  bool polite = false;
  if (handshake != TlsStream::Handshake::failed) polite = co_await serve_requests(*session);
  if (polite) {
    session->at = At::leaving;
    session->until = Clock::now() + limits.linger;
    drop(session->unread);
    drop(session->body);
    session->share.set(0);
    co_await session->stream.finish(limits.linger, block);
  }
  session->stream.close();
  sessions.erase(session->place);
}

Server::Server(std::shared_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() {  // NOLINT(bugprone-exception-escape): Asio throws here on no memory only
  state_->stop_accepting();
  for (const auto& session : state_->sessions) session->stream.close();
  state_->sweeper.cancel();
}

Result<std::unique_ptr<Server>> Server::listen(asio::any_io_executor executor, const Address& address,
                                               ServerLimits limits, Gate gate, Handler handler) {
  boost::system::error_code failed;
  const auto ip = asio::ip::make_address(address.ip, failed);
  if (failed) return fail(Errc::config, address.ip + " is no IP address");
  auto state = std::make_shared<State>(std::move(executor), limits, std::move(gate), std::move(handler));
  const tcp::endpoint endpoint(ip, address.port);
  tcp::acceptor& acceptor = state->acceptor;
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed && ip.is_v6()) acceptor.set_option(asio::ip::v6_only(false), failed);
  if (!failed) acceptor.bind(endpoint, failed);
  if (!failed) acceptor.listen(1024, failed);
  if (failed) {
    return fail(Errc::config,
                "cannot listen on " + address.ip + ":" + std::to_string(address.port) + ": " + failed.message());
  }
  state->port = acceptor.local_endpoint(failed).port();
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

void Server::use(std::shared_ptr<const TlsIdentityInUse> identity) {
  state_->identity = std::move(identity);
  state_->begin();
}

std::uint16_t Server::port() const { return state_->port; }
std::size_t Server::connections() const { return state_->sessions.size(); }
std::size_t Server::body_bytes() const { return state_->budget.taken(); }
const ServerCounts& Server::counts() const { return state_->counts; }
void Server::ask_to_leave() { state_->leaving = true; }

asio::awaitable<void> Server::stop(std::chrono::milliseconds grace) {
  const std::shared_ptr<State> state = state_;
  state->stop_accepting();
  for (const auto& session : state->sessions) {
    if (session->at == State::At::idle) session->stream.close();
  }
  const auto end = Clock::now() + grace;
  while (!state->sessions.empty() && Clock::now() < end) {
    const net::Woken woken = co_await net::sleep_for(std::chrono::milliseconds(5));
    if (woken == net::Woken::cancelled) break;
  }
  for (const auto& session : state->sessions) session->stream.close();
  state->sweeper.cancel();
}

}  // namespace injector::webhook
