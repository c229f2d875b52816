#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>

#include "injector/net/https_client.h"
#include "injector/net/start.h"
#include "tests/injector/net/http2_server.h"
#include "tests/injector/net/loop.h"
#include "tests/support/temporary.h"

namespace injector::net {
namespace {

using namespace std::chrono_literals;

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
  std::optional<tests::Http2Server> server_;
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
