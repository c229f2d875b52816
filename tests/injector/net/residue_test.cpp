#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

#include "injector/net/start.h"
#include "tests/injector/net/http2_server.h"
#include "tests/injector/net/residue/canaries.h"
#include "tests/injector/net/tls_server.h"
#include "tests/support/temporary.h"

namespace {

std::string answer() {
  return R"({"request_id":"1","data":{"data":{"password":")" + tests::unmask(tests::kMaskedSecret) +
         R"(","escaped":"\n\u0041)" + tests::unmask(tests::kMaskedSecret) + R"("},"metadata":{"version":3}}})";
}

struct Seen {
  int good = -1;
  long connected = -1;
  long idle = -1;
  long ended = -1;
  std::string text;
};

/// Runs one of the two programs and reads what it found.
Seen run(const std::string& program, const std::string& url, const std::string& authority) {
  const tests::TemporaryDirectory folder;
  const std::string ca = folder.write("ca.crt", authority);
  const std::string place = std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
  const std::string command = place + "/" + program + " " + url + " " + ca + " 20 2>&1";
  Seen seen;
  FILE* const pipe = ::popen(command.c_str(), "r");
  std::array<char, 512> line{};
  while (std::fgets(line.data(), line.size(), pipe) != nullptr) {
    seen.text += line.data();
    std::sscanf(line.data(), "good %d", &seen.good);             // NOLINT(cert-err34-c): the program is ours
    std::sscanf(line.data(), "connected %ld", &seen.connected);  // NOLINT(cert-err34-c)
    std::sscanf(line.data(), "idle %ld", &seen.idle);            // NOLINT(cert-err34-c)
    std::sscanf(line.data(), "ended %ld", &seen.ended);          // NOLINT(cert-err34-c)
  }
  ::pclose(pipe);
  return seen;
}

bool has_a_heap_of_its_own() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#else
  return false;
#endif
}

class ResidueTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (has_a_heap_of_its_own()) GTEST_SKIP() << "sanitizers keep what is freed";
    injector::net::start();
  }
};

TEST_F(ResidueTest, IsNoneOutsideTheArenaAfterTwentyFetches) {
  const auto authority = tests::make_identity({.common_name = "CA", .authority = true});
  const tests::TlsServer server({.identity = tests::make_identity({.names = {"DNS:localhost"}, .issuer = &authority})},
                                [](tests::Client& client, const std::string&) { client.answer(answer()); });
  const Seen seen = run("residue", server.url(), authority.certificate);
  EXPECT_EQ(seen.good, 20) << seen.text;
  EXPECT_EQ(seen.connected, 0) << seen.text;
  EXPECT_EQ(seen.idle, 0) << seen.text;
  EXPECT_EQ(seen.ended, 0) << seen.text;
}

/// A connection of HTTP/2 keeps the last answers in its buffers, and they go with it.
TEST_F(ResidueTest, IsNoneWithHttp2) {
  const tests::TemporaryDirectory folder;
  folder.write("secret", answer());
  const tests::Http2Server server(folder);
  if (!server.started()) GTEST_SKIP() << "nghttpd is not installed (Debian's nghttp2-server)";
  const Seen seen = run("residue", server.url("/secret"), server.authority());
  EXPECT_EQ(seen.good, 20) << seen.text;
  EXPECT_EQ(seen.idle, 0) << seen.text;
  EXPECT_EQ(seen.ended, 0) << seen.text;
}

/// Or the search would be blind.
TEST_F(ResidueTest, IsFoundWhereNothingWipes) {
  const auto authority = tests::make_identity({.common_name = "CA", .authority = true});
  const tests::TlsServer server({.identity = tests::make_identity({.names = {"DNS:localhost"}, .issuer = &authority})},
                                [](tests::Client& client, const std::string&) { client.answer(answer()); });
  const Seen seen = run("residue_control", server.url(), authority.certificate);
  EXPECT_EQ(seen.good, 20) << seen.text;
  EXPECT_GE(seen.idle, 1) << seen.text;
  EXPECT_GE(seen.ended, 1) << seen.text;
}

}  // namespace
