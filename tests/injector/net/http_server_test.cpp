#include "injector/net/http_server.h"

#include <arpa/inet.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <random>
#include <stdexcept>
#include <thread>

#include "injector/net/start.h"

namespace injector::net {
namespace {

using namespace std::chrono_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

ServerResponse echo(const ServerRequest& request) {
  if (request.target == "/throw") throw std::runtime_error("canary");
  if (request.target == "/nothing") return {.status = 204};
  if (request.target == "/big") return {.body = std::string(10'000'000, 'x')};
  return {.body = request.method + " " + request.target + " " + request.header("x-a") + "|" + request.body + "\n"};
}

/// A blocking client.
class Peer {
 public:
  explicit Peer(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    address.sin_port = ::htons(port);
    connected_ = ::connect(fd_, reinterpret_cast<::sockaddr*>(&address), sizeof address) == 0;
    const ::timeval patience{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  Peer(Peer&& other) noexcept : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_) {}
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() { ::close(fd_); }

  [[nodiscard]] bool connected() const { return connected_; }
  bool send(std::string_view bytes) const {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  /// Until the server closes.
  [[nodiscard]] std::string all() const {
    std::string text;
    std::array<char, 65536> block{};
    ssize_t n = 0;
    while ((n = ::recv(fd_, block.data(), block.size(), 0)) > 0) text.append(block.data(), static_cast<std::size_t>(n));
    return text;
  }
  /// Until what was read ends like this.
  [[nodiscard]] std::string until(std::string_view end) const {
    std::string text;
    char byte = 0;
    while (!text.ends_with(end) && ::recv(fd_, &byte, 1, 0) == 1) text.push_back(byte);
    return text;
  }

 private:
  int fd_;
  bool connected_ = false;
};

class HttpServerTest : public ::testing::Test {
 protected:
  void open(ServerSettings settings = {}) {
    start();
    auto made = HttpServer::listen(loop_.get_executor(), std::move(settings), echo);
    ASSERT_TRUE(made) << made.error().message();
    server_ = *std::move(made);
    thread_ = std::thread([this] { loop_.run(); });
  }
  void TearDown() override {
    if (!thread_.joinable()) return;
    boost::asio::post(loop_, [this] { server_.reset(); });
    work_.reset();
    thread_.join();
  }
  std::string ask(std::string_view bytes) {
    const Peer peer(server_->port());
    EXPECT_TRUE(peer.send(bytes));
    return peer.all();
  }
  std::size_t connections() {
    std::promise<std::size_t> count;
    boost::asio::post(loop_, [&] { count.set_value(server_->connections()); });
    return count.get_future().get();
  }
  static void wait_for(const std::function<bool()>& truth) {
    for (int i = 0; i < 300; ++i) {
      if (truth()) return;
      std::this_thread::sleep_for(10ms);
    }
    ADD_FAILURE() << "waited in vain";
  }

  boost::asio::io_context loop_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{loop_.get_executor()};
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

TEST_F(HttpServerTest, AnswersWithLengthAndType) {
  open();
  const std::string answer = ask("GET /readyz?x=1 HTTP/1.1\r\nHost: a\r\nX-A:  b \r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer,
              StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 19\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nGET /readyz?x=1 b|\n"));
}

TEST_F(HttpServerTest, KeepsConnectionsAndTakesBodies) {
  open();
  const Peer peer(server_->port());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(peer.send("POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"));
    EXPECT_THAT(peer.until("hello\n"), HasSubstr("POST /a |hello\n"));
  }
  ASSERT_TRUE(peer.send("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\nConnection: close\r\n\r\n"));
  const std::string both = peer.all();
  EXPECT_THAT(both, HasSubstr("GET /1 |\n"));
  EXPECT_THAT(both, EndsWith("GET /2 |\n"));
}

TEST_F(HttpServerTest, KnowsHeadAndNoContentAndContinue) {
  open();
  EXPECT_THAT(ask("HEAD /a HTTP/1.0\r\n\r\n"), EndsWith("\r\n\r\n"));
  EXPECT_THAT(ask("GET /nothing HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 204 No Content\r\nCache-Control"));
  const Peer peer(server_->port());
  ASSERT_TRUE(peer.send("POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"));
  EXPECT_EQ(peer.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(peer.send("x"));
  EXPECT_THAT(peer.until("|x\n"), HasSubstr("POST /a |x\n"));
}

TEST_F(HttpServerTest, RefusesWhatIsNoRequestOrHasTwoReadings) {
  open();
  const auto status = [&](std::string_view bytes) { return ask(bytes).substr(0, 12); };
  for (const std::string_view bad : {"\r\n\r\n",
                                     "GET\r\n\r\n",
                                     "GET /\r\n\r\n",
                                     "GET  / HTTP/1.1\r\n\r\n",
                                     "GET / HTTP/1.1 \r\n\r\n",
                                     "G@T / HTTP/1.1\r\n\r\n",
                                     "GET /\x01 HTTP/1.1\r\n\r\n",
                                     "GET / http/1.1\r\n\r\n",
                                     "GET / HTTP/1.1\r\nX\r\n\r\n",
                                     "GET / HTTP/1.1\r\nX : a\r\n\r\n",
                                     "GET / HTTP/1.1\r\n: a\r\n\r\n",
                                     "GET / HTTP/1.1\r\nX: a\r\n folded\r\n\r\n",
                                     "GET / HTTP/1.1\r\nX: a\x01\r\n\r\n",
                                     "GET / HTTP/1.1\nX: a\r\n\r\n",
                                     "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                                     "POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n",
                                     "POST / HTTP/1.1\r\nContent-Length: 0x1\r\n\r\n",
                                     "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
                                     "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
                                     "\x16\x03\x01\x02\r\n\r\n"}) {
    EXPECT_EQ(status(bad), "HTTP/1.1 400") << bad;
  }
  EXPECT_EQ(status("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"),
            "HTTP/1.1 501");
  EXPECT_EQ(status("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "HTTP/1.1 505");
  EXPECT_EQ(status("GET / HTTP/1.1\r\nExpect: magic\r\n\r\n"), "HTTP/1.1 417");
  EXPECT_EQ(status("GET /throw HTTP/1.1\r\nConnection: close\r\n\r\n"), "HTTP/1.1 500");
  EXPECT_EQ(status("GET / HTTP/1.0\r\n\r\n"), "HTTP/1.1 200");
}

TEST_F(HttpServerTest, HasLimitsOnHeadersAndBodies) {
  open();
  const std::string ten_thousand(10'000, 'x');
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nX: " + ten_thousand + "\r\n\r\n"), StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(ask("GET /" + ten_thousand), StartsWith("HTTP/1.1 431"));
  std::string many = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 2'000; ++i) many += "X-" + std::to_string(i) + ": y\r\n";
  EXPECT_THAT(ask(many + "\r\n"), StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(ask("POST / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n"), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(ask("POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 65536\r\n\r\n" + std::string(65'536, 'x')),
              StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, CutsClientsThatAreSlow) {
  open({.deadline = 300ms, .idle = 400ms});
  const auto lives = [&](const auto& act) {
    const auto before = std::chrono::steady_clock::now();
    const Peer peer(server_->port());
    act(peer);
    EXPECT_EQ(peer.all(), "");
    return std::chrono::steady_clock::now() - before;
  };
  EXPECT_LT(lives([](const Peer&) {}), 2s) << "says nothing";
  EXPECT_LT(lives([](const Peer& peer) {
              for (const char c : std::string_view("GET / HTTP/1.1\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaa")) {
                if (!peer.send(std::string_view(&c, 1))) break;
                std::this_thread::sleep_for(20ms);
              }
            }),
            2s)
      << "one byte at a time";
  EXPECT_LT(lives([](const Peer& peer) { peer.send("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nx"); }), 2s);
  const Peer reads_nothing(server_->port());
  ASSERT_TRUE(reads_nothing.send("GET /big HTTP/1.1\r\n\r\n"));
  wait_for([&] { return connections() == 1; });
  wait_for([&] { return connections() == 0; });
}

TEST_F(HttpServerTest, ServesOthersWhileManyAreSlow) {
  open({.connections = 40, .deadline = 10s});
  std::vector<Peer> slow;
  for (int i = 0; i < 30; ++i) {
    slow.emplace_back(server_->port());
    slow.back().send("GET / HT");
  }
  for (int i = 0; i < 100; ++i) {
    const auto before = std::chrono::steady_clock::now();
    EXPECT_THAT(ask("GET /a HTTP/1.1\r\nConnection: close\r\n\r\n"), EndsWith("GET /a |\n"));
    EXPECT_LT(std::chrono::steady_clock::now() - before, 100ms);
  }
}

TEST_F(HttpServerTest, TakesNoMoreConnectionsThanItsLimit) {
  open({.connections = 10});
  std::vector<Peer> peers;
  for (int i = 0; i < 30; ++i) peers.emplace_back(server_->port());
  wait_for([&] { return connections() == 10; });
  EXPECT_EQ(peers.back().all(), "");
  peers.clear();
  wait_for([&] { return connections() == 0; });
  EXPECT_THAT(ask("GET /a HTTP/1.1\r\nConnection: close\r\n\r\n"), EndsWith("GET /a |\n"));
}

TEST_F(HttpServerTest, SurvivesGarbage) {
  open({.deadline = 200ms, .idle = 200ms});
  std::mt19937 random(3);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same cases each time
  const std::string good = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody";
  for (int i = 0; i < 500; ++i) {
    std::string bytes = good;
    for (unsigned changes = 0; changes < 1 + static_cast<unsigned>(i) % 4; ++changes) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const Peer peer(server_->port());
    peer.send(bytes.substr(0, random() % (bytes.size() + 1)));
  }
  wait_for([&] { return connections() == 0; });
  EXPECT_THAT(ask("GET /a HTTP/1.1\r\nConnection: close\r\n\r\n"), EndsWith("GET /a |\n"));
}

TEST_F(HttpServerTest, DoesNotSpinWithoutDescriptors) {
  open();
  ::rlimit old{};
  ::getrlimit(RLIMIT_NOFILE, &old);
  const Peer waiting(server_->port());
  wait_for([&] { return connections() == 1; });
  std::vector<int> taken;
  const ::rlimit few{.rlim_cur = 64, .rlim_max = old.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &few);
  for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken.push_back(fd);
  ::close(taken.back());
  taken.pop_back();
  const Peer third(server_->port());  // Its own socket takes the last one.
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(500ms);
  EXPECT_LT(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC, 0.1);
  for (const int fd : taken) ::close(fd);
  ::setrlimit(RLIMIT_NOFILE, &old);
  ASSERT_TRUE(third.send("GET /a HTTP/1.1\r\nConnection: close\r\n\r\n"));
  EXPECT_THAT(third.all(), EndsWith("GET /a |\n"));
}

TEST_F(HttpServerTest, StopsSoonAndLetsTheOthersFinish) {
  open({.deadline = 10s, .idle = 10s});
  const Peer idle(server_->port());
  const Peer busy(server_->port());
  busy.send("POST /late HTTP/1.1\r\nContent-Length: 1\r\n\r\n");
  wait_for([&] { return connections() == 2; });
  std::this_thread::sleep_for(50ms);
  std::promise<void> stopped;
  boost::asio::co_spawn(loop_, server_->stop(2s), [&](const std::exception_ptr&) { stopped.set_value(); });
  EXPECT_EQ(idle.all(), "");
  busy.send("x");
  EXPECT_THAT(busy.all(), EndsWith("POST /late |x\n"));
  EXPECT_EQ(stopped.get_future().wait_for(1s), std::future_status::ready);
  EXPECT_FALSE(Peer(server_->port()).connected());
}

TEST_F(HttpServerTest, SaysWhyItCannotListen) {
  open();
  const auto error_of = [&](ServerSettings settings) {
    const auto made = HttpServer::listen(loop_.get_executor(), std::move(settings), echo);
    return made ? std::string() : made.error().message();
  };
  EXPECT_EQ(error_of({.address = "localhost"}), "localhost is no IP address");
  EXPECT_THAT(error_of({.port = server_->port()}), HasSubstr("Address already in use"));
  EXPECT_THAT(error_of({.address = "192.0.2.1"}), HasSubstr("cannot listen on 192.0.2.1:0"));
}

}  // namespace
}  // namespace injector::net
