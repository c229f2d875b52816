#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "injector/net/https_client.h"
#include "injector/net/start.h"
#include "tests/injector/net/certificates.h"
#include "tests/injector/net/loop.h"
#include "tests/support/temporary.h"

namespace injector::net {
namespace {

using namespace std::chrono_literals;

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  ::socklen_t size = sizeof address;
  ::bind(fd, reinterpret_cast<::sockaddr*>(&address), size);
  ::getsockname(fd, reinterpret_cast<::sockaddr*>(&address), &size);
  ::close(fd);
  return ::ntohs(address.sin_port);
}

bool answers(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  address.sin_port = ::htons(port);
  const bool connected = ::connect(fd, reinterpret_cast<::sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

/// nghttpd, the reference server of HTTP/2, on a folder of files.
class Http2Server {
 public:
  explicit Http2Server(const tests::TemporaryDirectory& folder) : port_(free_port()) {
    const auto authority = tests::make_identity({.common_name = "CA", .authority = true});
    const auto identity = tests::make_identity({.names = {"DNS:localhost"}, .issuer = &authority});
    authority_ = authority.certificate;
    std::vector<std::string> words = {"nghttpd",
                                      "--verbose",
                                      "--address=127.0.0.1",
                                      "--htdocs=" + folder.path(),
                                      std::to_string(port_),
                                      folder.write("server.key", identity.key),
                                      folder.write("server.crt", identity.certificate)};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    log_ = folder / "log";
    ::posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 1, log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
    started_ = ::posix_spawnp(&child_, "nghttpd", &actions, nullptr, arguments.data(), environ) == 0;
    ::posix_spawn_file_actions_destroy(&actions);
    for (int i = 0; started_ && i < 100 && !answers(port_); ++i) std::this_thread::sleep_for(20ms);
  }
  Http2Server(const Http2Server&) = delete;
  Http2Server& operator=(const Http2Server&) = delete;
  ~Http2Server() { stop(); }

  void stop() {
    if (!started_) return;
    started_ = false;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }

  [[nodiscard]] bool started() const { return started_; }
  [[nodiscard]] const std::string& authority() const { return authority_; }
  [[nodiscard]] std::string url(const std::string& path) const {
    return "https://localhost:" + std::to_string(port_) + path;
  }
  [[nodiscard]] ::pid_t child() const { return child_; }
  [[nodiscard]] std::string log() const { return tests::contents_of(log_); }

 private:
  std::uint16_t port_;
  std::string authority_;
  std::string log_;
  ::pid_t child_ = 0;
  bool started_ = false;
};

class Http2Test : public ::testing::Test {
 protected:
  void SetUp() override {
    start();
    server_.emplace(folder_);
    if (!server_->started()) GTEST_SKIP() << "nghttpd is not installed (Debian's nghttp2-server)";
    auto made = HttpsClient::create(loop_.get_executor(), {.ca_pem = server_->authority()});
    ASSERT_TRUE(made);
    client_ = *std::move(made);
  }

  std::vector<scanner::base::Result<Response>> get(const std::vector<std::string>& paths,
                                                   std::chrono::milliseconds timeout = 10s) {
    std::vector<Task<Response>> tasks;
    for (const std::string& path : paths) {
      Request request;
      request.url = server_->url(path);
      request.timeout = timeout;
      tasks.push_back(client_->send(std::move(request)));
    }
    return tests::run_all(loop_, std::move(tasks));
  }

  tests::TemporaryDirectory folder_;
  std::optional<Http2Server> server_;
  boost::asio::io_context loop_;
  std::unique_ptr<HttpsClient> client_;
};

TEST_F(Http2Test, CarriesAHundredRequestsAtOnceOnOneConnection) {
  std::vector<std::string> paths;
  for (int i = 0; i < 100; ++i) {
    paths.push_back("/s/" + std::to_string(i));
    folder_.write(paths.back(), std::string(64UL << 10, static_cast<char>('a' + i % 26)));
  }
  const auto responses = get(paths);
  int fresh = 0;
  for (std::size_t i = 0; i < responses.size(); ++i) {
    ASSERT_TRUE(responses[i]) << responses[i].error().message();
    EXPECT_EQ(responses[i]->status, 200);
    EXPECT_EQ(responses[i]->body.reveal(), std::string(64UL << 10, static_cast<char>('a' + i % 26)));
    fresh += responses[i]->fresh_connection ? 1 : 0;
  }
  EXPECT_EQ(fresh, 1);
  EXPECT_EQ(client_->counts().connections, 1U);
  EXPECT_THAT(server_->log(), ::testing::Not(::testing::HasSubstr("[id=3]")));  // 1 was `answers`.
}

TEST_F(Http2Test, KeepsTheConnectionForLaterRequests) {
  folder_.write("a", "x");
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(get({"/a"}).front());
  EXPECT_EQ(client_->counts().connections, 1U);
}

TEST_F(Http2Test, CarriesMoreRequestsThanTheServerTakesAtOnce) {
  folder_.write("a", std::string(10'000, 'x'));
  const auto responses = get(std::vector<std::string>(500, "/a"));
  for (const auto& response : responses) {
    ASSERT_TRUE(response) << response.error().message();
    EXPECT_EQ(response->body.size(), 10'000U);
  }
  EXPECT_LE(client_->counts().connections, 2U);
}

TEST_F(Http2Test, EndsAllAtTheDeadlineWhenTheServerIsStopped) {
  folder_.write("a", "x");
  ASSERT_TRUE(get({"/a"}).front());
  ::kill(server_->child(), SIGSTOP);
  const auto before = std::chrono::steady_clock::now();
  for (const auto& response : get(std::vector<std::string>(20, "/a"), 300ms)) {
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code(), scanner::base::Errc::away);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - before, 1s);
  ::kill(server_->child(), SIGCONT);
  EXPECT_TRUE(get({"/a"}).front());
}

TEST_F(Http2Test, SaysSoWhenTheServerDies) {
  folder_.write("a", "x");
  ASSERT_TRUE(get({"/a"}).front());
  server_->stop();
  const auto response = std::move(get({"/a"}).front());
  ASSERT_FALSE(response);
  EXPECT_THAT(response.error().message(), ::testing::HasSubstr("cannot connect to localhost"));
}

}  // namespace
}  // namespace injector::net
