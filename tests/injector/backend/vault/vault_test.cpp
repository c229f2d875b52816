#include "injector/backend/vault/vault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/injector/backend/vault/fake.h"
#include "tests/support/temporary.h"

namespace injector::backend::vault {
namespace {

using scanner::base::Errc;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;
using testing::Not;
using tests::FakeVault;
using tests::Json;
using tests::respond;

const std::string kA = "https://a.example:8200";
const std::string kB = "https://b.example:8200";

Json kv2(const Json& data, int version = 1) {
  return {{"data", data}, {"metadata", {{"version", version}, {"deletion_time", ""}, {"destroyed", false}}}};
}

/// A backend that logs in by AppRole to the fake.
class Vault : public testing::Test {
 protected:
  Vault() {
    settings.addresses = {kA};
    settings.auth = AppRoleAuth{.role_id_file = files.write("role-id", "role-1\n"),
                                .secret_id_file = files.write("secret-id", "canary-secret-id\n")};
    for (int i = 0; i < 100; ++i) vault().secrets["kv/data/app/s" + std::to_string(i)] = kv2({{"password", "p"}});
    vault().secrets["old/app"] = {{"password", "from kv 1"}, {"ttl", "1h"}};
  }
  ~Vault() override {
    backend.reset();
    world.loop.stop();
  }

  FakeVault& vault() { return *world.vault; }
  VaultBackend& it() {
    if (backend == nullptr) backend = std::move(*VaultBackend::create(settings, world.vault, signer, world.clock));
    return *backend;
  }
  scanner::base::Result<Reading> read(const Query& query) { return world.run(it().read(query)); }
  scanner::base::Result<Reading> read(const std::string& path) { return read(Query{.path = path}); }
  std::vector<scanner::base::Result<Reading>> read_many(int count) {
    std::vector<Query> queries;
    for (int i = 0; i < count; ++i) queries.push_back({.path = "kv/app/s" + std::to_string(i)});
    return world.run(it().read_all(queries));
  }
  std::string error_of(const Query& query) {
    const auto reading = read(query);
    return reading ? "(none)" : reading.error().message();
  }

  ::tests::TemporaryDirectory files;
  tests::World world;
  Settings settings;
  IdentitySigner signer;
  std::unique_ptr<VaultBackend> backend;
};

TEST_F(Vault, ReadsKv2AndKv1ByTheSameKindOfPath) {
  const auto two = read("kv/app/s1");
  ASSERT_TRUE(two) << two.error().message();
  EXPECT_EQ(two->version, "1");
  EXPECT_EQ(two->document.reveal(), R"({"password":"p"})");
  const auto one = read("old/app");
  ASSERT_TRUE(one) << one.error().message();
  EXPECT_EQ(one->members.size(), 2U);
  EXPECT_EQ(one->version, "");
}

TEST_F(Vault, TakesTheApisOwnPathOfKv2) {
  EXPECT_TRUE(read("kv/data/app/s1"));
  EXPECT_EQ(vault().paths().back(), "kv/data/app/s1");
}

TEST_F(Vault, AsksForAHundredSecretsOfOneMountIn102Requests) {
  for (const auto& result : read_many(100)) EXPECT_TRUE(result) << result.error().message();
  EXPECT_EQ(vault().seen.size(), 102U);
  EXPECT_EQ(vault().logins, 1);
}

TEST_F(Vault, ReadsAPathOnceForAllOfItsKeys) {
  vault().answer = [](const FakeVault::Seen& seen) -> std::optional<net::Response> {
    if (seen.path != "database/creds/app") return std::nullopt;
    return respond(200, {{"lease_id", "database/creds/app/l1"},
                         {"lease_duration", 60},
                         {"data", {{"username", "u"}, {"password", "p"}}}});
  };
  const auto results = world.run(it().read_all({{.path = "database/creds/app", .key = "username"},
                                                {.path = "database/creds/app", .key = "password"},
                                                {.path = "database/creds/app", .key = "host"}}));
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(vault().count("database/creds/app"), 1U);
  ASSERT_TRUE(results[0] && results[1]);
  EXPECT_EQ(results[0]->lease->id, results[1]->lease->id);
  EXPECT_EQ(results[2].error().code(), Errc::missing);
}

TEST_F(Vault, RevokesATokenThatComesWhileItCloses) {
  bool closed = false;
  boost::asio::co_spawn(
      world.loop,
      [&]() -> boost::asio::awaitable<void> {
        const Query query{.path = "kv/app/s1"};
        const auto reading = co_await it().read(query);
        EXPECT_FALSE(reading);
      },
      boost::asio::detached);
  boost::asio::co_spawn(
      world.loop,
      [&]() -> boost::asio::awaitable<void> {
        co_await it().close();
        closed = true;
      },
      boost::asio::detached);
  world.pass(seconds(2));
  EXPECT_TRUE(closed);
  EXPECT_TRUE(vault().tokens.empty());
}

TEST_F(Vault, SeesByARefusedRenewalThatItsTokenIsLostWhenNothingElseTells) {
  vault().denied = {"kv/data/app/s1", "auth/token/lookup-self"};
  static_cast<void>(read("kv/app/s1"));
  EXPECT_EQ(vault().logins, 2);
  world.pass(minutes(50));
  vault().tokens.clear();
  world.pass(minutes(50));
  EXPECT_EQ(vault().logins, 3);
  EXPECT_TRUE(read("kv/app/s2"));
}

TEST_F(Vault, SendsItsHeaders) {
  settings.space = "team/a";
  settings.auth_space = "team";
  ASSERT_TRUE(read("kv/app/s1"));
  const auto& login = vault().seen.front();
  EXPECT_EQ(login.path, "auth/approle/login");
  EXPECT_EQ(login.headers.at("X-Vault-Namespace"), "team");
  EXPECT_FALSE(login.headers.contains("Authorization"));
  EXPECT_EQ(login.body, R"({"role_id":"role-1","secret_id":"canary-secret-id"})");
  const auto& last = vault().seen.back();
  EXPECT_EQ(last.headers.at("X-Vault-Namespace"), "team/a");
  EXPECT_EQ(last.headers.at("Authorization"), "Bearer token-1");
  for (const auto& one : vault().seen) EXPECT_EQ(one.headers.at("X-Vault-Request"), "true");
}

TEST_F(Vault, ReadsInTheNamespaceOfAQuery) {
  settings.space = "team/a";
  ASSERT_TRUE(read(Query{.path = "kv/app/s1", .space = "team/b"}));
  EXPECT_EQ(vault().seen.back().headers.at("X-Vault-Namespace"), "team/b");
}

TEST_F(Vault, PinsAVersion) {
  vault().secrets["kv/data/app/s1?version=7"] = kv2({{"password", "old"}}, 7);
  EXPECT_EQ(read(Query{.path = "kv/app/s1", .version = "7"})->version, "7");
  EXPECT_EQ(read(Query{.path = "kv/app/s1", .version = "8"}).error().message(),
            "reading kv/app/s1: there is no version 8");
  EXPECT_EQ(read(Query{.path = "kv/app/s1", .version = "7&x"}).error().code(), Errc::config);
  EXPECT_EQ(read(Query{.path = "old/app", .version = "7"}).error().code(), Errc::config);
}

TEST_F(Vault, SaysWhatIsMissing) {
  EXPECT_EQ(error_of({.path = "kv/none"}), "reading kv/none: there is nothing at this path");
  EXPECT_EQ(error_of({.path = "kv/app/s1", .key = "user"}), "reading kv/app/s1: it has no key user");
  EXPECT_EQ(read("kv/none").error().code(), Errc::missing);
}

TEST_F(Vault, WritesAndGivesWhatComesBack) {
  vault().secrets["pki/issue/web"] = {{"certificate", "C"}, {"serial_number", "1:2"}, {"expiration", 1'795'600'000}};
  const auto reading = read(Query{.path = "pki/issue/web", .write = true, .data = {{"common_name", "shop.example"}}});
  ASSERT_TRUE(reading) << reading.error().message();
  EXPECT_EQ(reading->version, "1:2");
  EXPECT_EQ(vault().seen.back().method, "POST");
  EXPECT_EQ(vault().seen.back().body, R"({"common_name":"shop.example"})");
}

TEST_F(Vault, DoesNotWriteOverASecretOfKv) {
  vault().secrets["kv/data/app/s1"] = {{"x", "1"}};
  const auto reading = read(Query{.path = "kv/app/s1", .write = true, .data = {{"x", "2"}}});
  EXPECT_EQ(reading.error().code(), Errc::config);
  EXPECT_NE(vault().seen.back().method, "POST");
}

TEST_F(Vault, LogsInOnceForAllThatWait) {
  read_many(50);
  EXPECT_EQ(vault().logins, 1);
  EXPECT_EQ(it().session(), 1U);
}

TEST_F(Vault, LogsInAgainOnceAfterItsTokenWasRevoked) {
  ASSERT_TRUE(read("kv/app/s1"));
  vault().tokens.clear();
  for (const auto& result : read_many(20)) EXPECT_TRUE(result) << result.error().message();
  EXPECT_EQ(vault().logins, 2);
  EXPECT_EQ(it().session(), 2U);
  // One lookup of the old token, and one of the new, which tells whether tokens can be looked up at all.
  EXPECT_EQ(vault().count("auth/token/lookup-self"), 2U);
}

TEST_F(Vault, TakesADenialByAPolicyForWhatItIs) {
  vault().denied = {"kv/data/app/s1", "kv/data/app/s2", "kv/data/app/s3"};
  EXPECT_EQ(read("kv/app/s1").error().code(), Errc::denied);
  EXPECT_EQ(vault().count("auth/token/lookup-self"), 1U);
  const auto many = read_many(10);
  EXPECT_FALSE(many[1]);
  EXPECT_FALSE(many[2]);
  EXPECT_TRUE(many[4]);
  EXPECT_EQ(vault().logins, 1);
  EXPECT_LE(vault().count("auth/token/lookup-self"), 2U);
}

TEST_F(Vault, DoesNotLogInForEverWhenItsPolicyKeepsItFromLookingItselfUp) {
  vault().denied = {"kv/data/app/s1", "auth/token/lookup-self"};
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(read("kv/app/s1").error().code(), Errc::denied);
    world.pass(seconds(10));
  }
  EXPECT_EQ(vault().logins, 2);
  EXPECT_EQ(vault().count("auth/token/lookup-self"), 2U);
}

TEST_F(Vault, BacksOffAfterARefusedLoginHoweverOftenItIsAsked) {
  vault().login_status = 400;
  const auto first = read("kv/app/s1");
  EXPECT_EQ(first.error().code(), Errc::denied);
  EXPECT_THAT(first.error().message(), HasSubstr("no such role id or secret id"));
  EXPECT_THAT(first.error().message(), Not(HasSubstr("canary")));
  EXPECT_EQ(read("kv/app/s1").error().code(), Errc::away);
  EXPECT_EQ(vault().seen.size(), 1U);
  EXPECT_TRUE(it().held_until({.path = "kv/app/s1"}));
  for (int i = 0; i < 3600; ++i) {
    static_cast<void>(read("kv/app/s1"));
    world.pass(seconds(1));
  }
  // 1, 2, 4 ... 256 s, then 300 s, each less an eighth here.
  EXPECT_THAT(vault().seen.size(), AllOf(Ge(18U), Le(22U)));
  vault().login_status.reset();
  world.pass(seconds(300));
  EXPECT_TRUE(read("kv/app/s1"));
}

TEST_F(Vault, WaitsAfterARefusedLoginAsItIsTold) {
  settings.login_first = seconds(10);
  settings.login_most = seconds(20);
  vault().login_status = 400;
  for (int i = 0; i < 600; ++i) {
    static_cast<void>(read("kv/app/s1"));
    world.pass(seconds(1));
  }
  // 10 s, then 20 s, each less an eighth here.
  EXPECT_THAT(vault().seen.size(), AllOf(Ge(30U), Le(38U)));
}

TEST_F(Vault, TriesAnewAsSoonAsItsCredentialFilesChange) {
  vault().login_status = 400;
  for (int i = 0; i < 6; ++i) {
    EXPECT_FALSE(read("kv/app/s1"));
    world.pass(seconds(60));
  }
  EXPECT_FALSE(read("kv/app/s1"));
  vault().login_status.reset();
  EXPECT_FALSE(read("kv/app/s1"));
  files.write("secret-id", "another");
  EXPECT_TRUE(read("kv/app/s1"));
}

TEST_F(Vault, EndsItsRenewalsWithItself) {
  ASSERT_TRUE(read("kv/app/s1"));
  backend.reset();
  world.pass(hours(3));
  EXPECT_EQ(vault().count("auth/token/renew-self"), 0U);
}

TEST_F(Vault, RenewsItsTokenForAsLongAsItLives) {
  ASSERT_TRUE(read("kv/app/s1"));
  world.pass(hours(24));
  EXPECT_TRUE(read("kv/app/s1"));
  EXPECT_EQ(vault().logins, 1);
  EXPECT_EQ(it().session(), 1U);
  // An hour each, renewed after 43 minutes.
  EXPECT_THAT(vault().count("auth/token/renew-self"), AllOf(Ge(32U), Le(34U)));
}

TEST_F(Vault, LogsInBeforeATokenEndsThatCannotBeRenewed) {
  vault().renewable = false;
  vault().ttl = seconds(600);
  ASSERT_TRUE(read("kv/app/s1"));
  world.pass(hours(1));
  EXPECT_EQ(vault().count("auth/token/renew-self"), 0U);
  EXPECT_THAT(vault().logins, AllOf(Ge(7), Le(8)));
  EXPECT_EQ(it().session(), static_cast<std::uint64_t>(vault().logins));
  for (std::size_t i = 3; i < vault().seen.size(); ++i) EXPECT_NE(vault().seen[i].path, "kv/data/app/s1");
}

TEST_F(Vault, NeverRenewsABatchToken) {
  vault().type = "batch";
  vault().ttl = seconds(600);
  ASSERT_TRUE(read("kv/app/s1"));
  world.pass(hours(1));
  EXPECT_EQ(vault().count("auth/token/renew-self"), 0U);
  EXPECT_GE(vault().logins, 7);
  world.run(it().close());
  EXPECT_EQ(vault().count("auth/token/revoke-self"), 0U);
}

TEST_F(Vault, LogsInAtTwoThirdsOnceARenewalIsCutShort) {
  vault().longest = seconds(900);
  ASSERT_TRUE(read("kv/app/s1"));
  world.pass(minutes(45));
  EXPECT_EQ(vault().count("auth/token/renew-self"), 1U);
  EXPECT_EQ(vault().logins, 1);
  world.pass(minutes(10));
  EXPECT_EQ(vault().logins, 2);
}

TEST_F(Vault, SpendsACountedTokenAndNoMore) {
  vault().uses = 5;
  for (const auto& result : read_many(20)) EXPECT_TRUE(result) << result.error().message();
  // Four each, the fifth is kept for the end; 21 requests are made with a token.
  EXPECT_EQ(vault().logins, 6);
  EXPECT_EQ(it().session(), 1U);
  std::map<std::string, int> used;
  for (const auto& one : vault().seen) {
    if (one.headers.contains("Authorization")) ++used[one.headers.at("Authorization")];
  }
  for (const auto& [token, times] : used) EXPECT_LE(times, 4) << token;
}

TEST_F(Vault, LogsInAtMostOnceASecond) {
  vault().uses = 2;
  const auto start = world.clock->now();
  for (const auto& result : read_many(9)) EXPECT_TRUE(result) << result.error().message();
  EXPECT_EQ(vault().logins, 10);
  EXPECT_GE(world.clock->now() - start, seconds(9));
}

TEST_F(Vault, KeepsUsingATokenToItsEndWhenLoginsFail) {
  vault().renewable = false;
  vault().ttl = seconds(600);
  ASSERT_TRUE(read("kv/app/s1"));
  vault().login_status = 403;
  world.pass(seconds(580));
  EXPECT_TRUE(read("kv/app/s1"));
  world.pass(seconds(30));
  EXPECT_FALSE(read("kv/app/s1"));
  EXPECT_LE(vault().count("auth/approle/login"), 10U);
}

TEST_F(Vault, AsksTheNextAddressAndStaysThere) {
  settings.addresses = {kA, kB};
  for (const auto* sky : {"refused", "472", "473", "474", "502", "503", "504", "530", "501"}) {
    vault().weather = {{kA, sky}};
    backend.reset();
    vault().seen.clear();
    ASSERT_TRUE(read("kv/app/s1")) << sky;
    ASSERT_TRUE(read("kv/app/s2"));
    std::vector<std::string> asked;
    for (const auto& one : vault().seen) asked.push_back(one.address);
    EXPECT_THAT(asked, ElementsAre(kA, kB, kB, kB, kB)) << sky;
  }
}

TEST_F(Vault, FollowsARedirectOnceAndOnlyToAnAddressOfItsOwn) {
  settings.addresses = {kA, kB};
  std::string target = kB + "/v1/kv/data/app/s1";
  vault().answer = [&](const FakeVault::Seen& seen) -> std::optional<net::Response> {
    if (seen.address != kA) return std::nullopt;
    return respond(307, nullptr, {{"location", target}});
  };
  ASSERT_TRUE(read("kv/app/s1"));
  EXPECT_EQ(vault().seen[1].address, kB);
  EXPECT_EQ(vault().seen[1].method, "POST");
  EXPECT_EQ(vault().seen[1].body, vault().seen[0].body);

  settings.addresses = {kA};
  for (const auto* hostile :
       {"https://evil.example/v1/x", "http://a.example:8200/v1/x", "https://a.example:8200@evil/",
        "https://a.example:8200.evil/", "//evil", "", "https://169.254.169.254/latest", "https://a.example/v1/x"}) {
    backend.reset();
    vault().seen.clear();
    target = hostile;
    const auto reading = read("kv/app/s1");
    ASSERT_FALSE(reading);
    EXPECT_EQ(reading.error().code(), Errc::away);
    EXPECT_THAT(reading.error().message(), HasSubstr("sends us on to"));
    EXPECT_EQ(vault().seen.size(), 1U) << hostile;
  }
}

TEST_F(Vault, AsksNoMoreThan60TimesInTenMinutesOfOutageAndIsBackWithin35Seconds) {
  ASSERT_TRUE(read_many(1)[0]);
  for (const auto* sky : {"refused", "503", "slow"}) {
    vault().weather = {{kA, sky}};
    vault().seen.clear();
    const auto end = world.clock->now() + minutes(10);
    while (world.clock->now() < end) {
      for (const auto& result : read_many(10)) EXPECT_EQ(result.error().code(), Errc::away);
      world.pass(seconds(1));
    }
    // The first ten were under way when the first of them failed.
    EXPECT_LE(vault().seen.size(), 60U) << sky;
    vault().weather.clear();
    const auto over = world.clock->now();
    while (!read("kv/app/s1")) world.pass(seconds(1));
    EXPECT_LE(world.clock->now() - over, seconds(35)) << sky;
    for (const auto& result : read_many(50)) EXPECT_TRUE(result);
  }
  // Sealed or away, the token is kept.
  EXPECT_EQ(vault().logins, 1);
  EXPECT_EQ(vault().count("auth/token/revoke-self"), 0U);
}

TEST_F(Vault, SendsOneRequestToSeeWhetherAnOutageIsOver) {
  vault().weather = {{kA, "refused"}};
  static_cast<void>(read_many(50));
  world.pass(seconds(30));
  vault().seen.clear();
  static_cast<void>(read_many(50));
  EXPECT_EQ(vault().seen.size(), 1U);
}

TEST_F(Vault, LeavesAMountAloneForAsLongAsItIsTold) {
  ASSERT_TRUE(read("kv/app/s1"));
  ASSERT_TRUE(read("old/app"));
  vault().answer = [&](const FakeVault::Seen& seen) -> std::optional<net::Response> {
    if (!seen.path.starts_with("kv/")) return std::nullopt;
    return respond(429, {{"errors", {"rate limit quota exceeded"}}}, {{"retry-after", "20"}});
  };
  vault().seen.clear();
  EXPECT_EQ(read("kv/app/s1").error().code(), Errc::away);
  world.pass(seconds(19));
  EXPECT_EQ(read("kv/app/s2").error().code(), Errc::away);
  EXPECT_EQ(vault().seen.size(), 1U);
  EXPECT_TRUE(read("old/app"));
  vault().answer = nullptr;
  world.pass(seconds(1));
  EXPECT_TRUE(read("kv/app/s2"));
}

TEST_F(Vault, BacksOffFromAQuotaThatDoesNotSayHowLong) {
  ASSERT_TRUE(read("kv/app/s1"));
  vault().answer = [&](const FakeVault::Seen&) { return std::optional(respond(429, {{"errors", {"quota"}}})); };
  vault().seen.clear();
  for (int i = 0; i < 600; ++i) {
    static_cast<void>(read("kv/app/s1"));
    world.pass(seconds(1));
  }
  EXPECT_LE(vault().seen.size(), 40U);
}

TEST_F(Vault, WaitsALittleForANodeThatLagsBehind) {
  int lags = 3;
  vault().answer = [&](const FakeVault::Seen& seen) -> std::optional<net::Response> {
    if (!seen.path.starts_with("kv/data") || lags-- <= 0) return std::nullopt;
    return respond(412, {{"errors", {"required index state not present"}}});
  };
  const auto start = world.clock->now();
  EXPECT_TRUE(read("kv/app/s1"));
  EXPECT_LE(world.clock->now() - start, seconds(2));
  EXPECT_EQ(vault().seen.back().headers.at("X-Vault-Inconsistent"), "forward-active-node");
}

TEST_F(Vault, AnswersAwayToWhatIsNoVault) {
  ASSERT_TRUE(read("kv/app/s1"));
  for (const auto* body : {"<html>hotel wifi</html>", "[1]", "{\"data\":", "null"}) {
    vault().answer = [&](const FakeVault::Seen&) {
      net::Response response;
      response.status = 200;
      response.body = memory::Secret::copy_of(body);
      return std::optional(std::move(response));
    };
    const auto reading = read("kv/app/s1");
    ASSERT_FALSE(reading) << body;
    EXPECT_EQ(reading.error().code(), Errc::away) << body;
  }
}

TEST_F(Vault, TellsNoSecretInAnyError) {
  settings.auth = JwtAuth{.role = "web", .token_file = files.write("jwt", "canary-jwt")};
  int status = 0;
  vault().answer = [&](const FakeVault::Seen& seen) -> std::optional<net::Response> {
    // A server that says back all that it was told.
    auto said = "canary-value " + seen.body + " " + seen.path;
    if (seen.headers.contains("Authorization")) said += seen.headers.at("Authorization");
    if (seen.path.ends_with("login") && status % 2 == 0) return std::nullopt;
    return respond(status, {{"errors", {said}}, {"data", {{"password", "canary-value"}}}});
  };
  for (status = 200; status < 600; ++status) {
    for (const auto& query : {Query{.path = "kv/app/s1"}, Query{.path = "pki/issue/x", .write = true}}) {
      const auto message = error_of(query);
      EXPECT_THAT(message, AllOf(Not(HasSubstr("canary")), Not(HasSubstr("token-")))) << status;
    }
    world.pass(minutes(6));
  }
}

TEST_F(Vault, BearsAnyStatusWithoutAnEmptyReading) {
  ASSERT_TRUE(read("kv/app/s1"));
  for (int status = 200; status < 600; ++status) {
    for (const auto* body : {"", "{}", R"({"errors":[]})", R"({"data":null})", R"({"data":{}})"}) {
      vault().answer = [&](const FakeVault::Seen& seen) -> std::optional<net::Response> {
        if (!seen.path.starts_with("kv/data")) return std::nullopt;
        net::Response response;
        response.status = status;
        response.body = memory::Secret::copy_of(body);
        return response;
      };
      const auto reading = read("kv/app/s1");
      EXPECT_FALSE(reading) << status << " " << body;
      vault().answer = nullptr;
      world.pass(seconds(61));
    }
  }
}

TEST_F(Vault, LooksForChangesWithoutReadingValues) {
  ASSERT_TRUE(read("kv/app/s1"));
  const auto metadata = [&](const Json& versions, int current) {
    vault().secrets["kv/metadata/app/s1"] = {{"current_version", current}, {"versions", versions}};
  };
  const Json good{{"deletion_time", ""}, {"destroyed", false}};
  metadata({{"1", good}}, 1);
  vault().seen.clear();
  EXPECT_FALSE(*world.run(it().changed({.path = "kv/app/s1"}, "1")));
  EXPECT_THAT(vault().paths(), ElementsAre("kv/metadata/app/s1"));
  metadata({{"1", good}, {"2", good}}, 2);
  EXPECT_TRUE(*world.run(it().changed({.path = "kv/app/s1"}, "1")));
  EXPECT_FALSE(*world.run(it().changed({.path = "kv/app/s1", .version = "1"}, "1")));
  metadata({{"1", {{"deletion_time", "2026-11-24T12:30:00Z"}, {"destroyed", false}}}}, 1);
  EXPECT_TRUE(*world.run(it().changed({.path = "kv/app/s1"}, "1")));
  metadata({{"1", {{"deletion_time", "2036-11-24T12:30:00Z"}, {"destroyed", false}}}}, 1);
  EXPECT_FALSE(*world.run(it().changed({.path = "kv/app/s1"}, "1")));
  metadata({{"1", {{"deletion_time", ""}, {"destroyed", true}}}}, 1);
  EXPECT_TRUE(*world.run(it().changed({.path = "kv/app/s1"}, "1")));
  EXPECT_TRUE(*world.run(it().changed({.path = "old/app"}, "")));
}

TEST_F(Vault, StopsAskingForMetadataThatItMayNotSee) {
  ASSERT_TRUE(read("kv/app/s1"));
  vault().denied = {"kv/metadata/app/s1"};
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(*world.run(it().changed({.path = "kv/app/s1"}, "1")));
  EXPECT_EQ(vault().count("kv/metadata/app/s1"), 1U);
}

TEST_F(Vault, RenewsALeaseInItsNamespace) {
  vault().answer = [](const FakeVault::Seen& seen) -> std::optional<net::Response> {
    if (seen.path == "database/creds/app") {
      return respond(200, {{"lease_id", "database/creds/app/l1"},
                           {"lease_duration", 60},
                           {"renewable", true},
                           {"data", {{"username", "u"}, {"password", "p"}}}});
    }
    if (seen.path == "sys/leases/renew") {
      return respond(200, {{"lease_id", "database/creds/app/l1"}, {"lease_duration", 60}, {"renewable", true}});
    }
    return std::nullopt;
  };
  const auto reading = read(Query{.path = "database/creds/app", .space = "team"});
  ASSERT_TRUE(reading && reading->lease);
  const auto renewed = world.run(it().renew(*reading->lease));
  ASSERT_TRUE(renewed);
  EXPECT_EQ(renewed->duration, seconds(60));
  EXPECT_EQ(vault().seen.back().headers.at("X-Vault-Namespace"), "team");
  EXPECT_EQ(vault().seen.back().body, R"({"lease_id":"database/creds/app/l1","increment":60})");
  vault().answer = [](const FakeVault::Seen&) {
    return std::optional(respond(400, {{"errors", {"lease not found"}}}));
  };
  EXPECT_EQ(world.run(it().renew(*reading->lease)).error().code(), Errc::missing);
}

TEST_F(Vault, OpensAWrappedAnswerMadeByWhatItAskedFor) {
  settings.wrap = seconds(60);
  std::string path = "kv/data/app/s1";
  vault().answer = [&](const FakeVault::Seen& seen) -> std::optional<net::Response> {
    if (seen.path == "kv/data/app/s1") {
      EXPECT_EQ(seen.headers.at("X-Vault-Wrap-TTL"), "60s");
      return respond(200, {{"data", nullptr}, {"wrap_info", {{"token", "wrapping-1"}, {"creation_path", path}}}});
    }
    if (seen.path == "sys/wrapping/unwrap") {
      EXPECT_EQ(seen.headers.at("Authorization"), "Bearer wrapping-1");
      return respond(200, {{"data", kv2({{"password", "unwrapped"}})}});
    }
    return std::nullopt;
  };
  const auto reading = read("kv/app/s1");
  ASSERT_TRUE(reading) << reading.error().message();
  EXPECT_EQ(reading->members[0].value.reveal(), "unwrapped");
  path = "cubbyhole/forged";
  vault().seen.clear();
  EXPECT_EQ(read("kv/app/s1").error().code(), Errc::denied);
  EXPECT_EQ(vault().count("sys/wrapping/unwrap"), 0U);
}

TEST_F(Vault, OpensAWrappedSecretIdOnceAndKeepsIt) {
  settings.auth = AppRoleAuth{.role_id_file = files / "role-id",
                              .secret_id_file = files.write("wrapped", "wrapping-9\n"),
                              .secret_id = AppRoleAuth::SecretId::wrapped};
  std::string made = "auth/approle/role/web/secret-id";
  vault().answer = [&](const FakeVault::Seen& seen) -> std::optional<net::Response> {
    if (seen.path == "sys/wrapping/lookup") {
      EXPECT_EQ(seen.body, R"({"token":"wrapping-9"})");
      return respond(200, {{"data", {{"creation_path", made}}}});
    }
    if (seen.path == "sys/wrapping/unwrap") return respond(200, {{"data", {{"secret_id", "sid-1"}}}});
    return std::nullopt;
  };
  ASSERT_TRUE(read("kv/app/s1"));
  vault().tokens.clear();
  ASSERT_TRUE(read("kv/app/s1"));
  EXPECT_EQ(vault().logins, 2);
  EXPECT_EQ(vault().count("sys/wrapping/unwrap"), 1U);

  for (const auto* forged :
       {"cubbyhole/x", "auth/approle/role/web/secret-id/lookup", "auth/other/role/web/secret-id",
        "auth/approle/role//secret-id", "auth/approle/role/a/b/secret-id", "sys/wrapping/wrap", ""}) {
    backend.reset();
    vault().seen.clear();
    made = forged;
    const auto reading = read("kv/app/s1");
    ASSERT_FALSE(reading) << forged;
    EXPECT_EQ(reading.error().code(), Errc::denied);
    EXPECT_THAT(reading.error().message(), HasSubstr("exchanged"));
    EXPECT_EQ(vault().count("sys/wrapping/unwrap"), 0U);
    EXPECT_EQ(vault().count("auth/approle/login"), 0U);
  }
}

TEST_F(Vault, LogsInEachWayWithItsOwnWords) {
  const auto jwt = files.write("jwt", "ey.j.wt\n");
  const auto login = [&](Auth auth) {
    settings.auth = std::move(auth);
    backend.reset();
    vault().seen.clear();
    static_cast<void>(read("kv/app/s1"));
    return vault().seen.empty() ? "" : vault().seen.front().path + " " + vault().seen.front().body;
  };
  EXPECT_EQ(login(KubernetesAuth{.role = "web", .token_file = jwt}),
            R"(auth/kubernetes/login {"role":"web","jwt":"ey.j.wt"})");
  EXPECT_EQ(login(JwtAuth{.mount = "ci/jwt", .token_file = jwt}), R"(auth/ci/jwt/login {"jwt":"ey.j.wt"})");
  EXPECT_EQ(login(CertAuth{.name = "web"}), R"(auth/cert/login {"name":"web"})");
  EXPECT_EQ(login(CertAuth{}), "auth/cert/login {}");
  EXPECT_EQ(login(AppRoleAuth{.role_id_file = jwt, .secret_id = AppRoleAuth::SecretId::none}),
            R"(auth/approle/login {"role_id":"ey.j.wt"})");
  signer = [](std::string server) -> net::Task<SignedIdentity> {
    SignedIdentity identity{"https://sts.amazonaws.com/", "Action=GetCallerIdentity", {}};
    identity.headers.push_back({"X-Vault-AWS-IAM-Server-ID", memory::Secret::copy_of(server)});
    co_return identity;
  };
  EXPECT_EQ(login(AwsAuth{.role = "web", .server_id = "v"}),
            R"(auth/aws/login {"role":"web","iam_http_request_method":"POST",)"
            R"("iam_request_url":"aHR0cHM6Ly9zdHMuYW1hem9uYXdzLmNvbS8=",)"
            R"("iam_request_body":"QWN0aW9uPUdldENhbGxlcklkZW50aXR5",)"
            R"("iam_request_headers":"eyJYLVZhdWx0LUFXUy1JQU0tU2VydmVyLUlEIjoidiJ9"})");
}

TEST_F(Vault, ReadsItsCredentialAnewForEveryLogin) {
  ASSERT_TRUE(read("kv/app/s1"));
  files.write("secret-id", "rotated");
  vault().tokens.clear();
  ASSERT_TRUE(read("kv/app/s1"));
  std::vector<std::string> bodies;
  for (const auto& one : vault().seen) {
    if (one.path == "auth/approle/login") bodies.push_back(one.body);
  }
  EXPECT_THAT(bodies.back(), HasSubstr("rotated"));
}

TEST_F(Vault, NamesTheCredentialFileThatItCannotRead) {
  settings.auth = JwtAuth{.token_file = files / "none"};
  const auto reading = read("kv/app/s1");
  EXPECT_EQ(reading.error().code(), Errc::config);
  EXPECT_THAT(reading.error().message(), HasSubstr("none: No such file"));
  settings.auth = JwtAuth{.token_file = files.write("empty", " \n")};
  backend.reset();
  EXPECT_THAT(error_of({.path = "kv/app/s1"}), HasSubstr("it is empty"));
  EXPECT_TRUE(vault().seen.empty());
}

TEST_F(Vault, LooksATokenFromAFileUpAndNeverRevokesIt) {
  vault().tokens["given"] = {};
  settings.auth = TokenFileAuth{files.write("token", "given\n")};
  ASSERT_TRUE(read("kv/app/s1"));
  EXPECT_EQ(vault().seen.front().path, "auth/token/lookup-self");
  world.pass(seconds(45));
  EXPECT_EQ(vault().count("auth/token/renew-self"), 1U);
  world.run(it().close());
  EXPECT_EQ(vault().count("auth/token/revoke-self"), 0U);
}

TEST_F(Vault, TakesTheNextTokenFromItsFileWhenTheFirstIsLost) {
  vault().tokens["given"] = {};
  vault().tokens["next"] = {};
  settings.auth = TokenFileAuth{files.write("token", "given\n")};
  ASSERT_TRUE(read("kv/app/s1"));
  vault().tokens.erase("given");
  files.write("token", "next\n");
  ASSERT_TRUE(read("kv/app/s1"));
  EXPECT_EQ(vault().seen.back().headers.at("Authorization"), "Bearer next");
  EXPECT_EQ(it().session(), 2U);
}

TEST_F(Vault, RevokesItsTokenAtTheEnd) {
  ASSERT_TRUE(read("kv/app/s1"));
  world.run(it().close());
  EXPECT_EQ(vault().paths().back(), "auth/token/revoke-self");
  EXPECT_TRUE(vault().tokens.empty());
  EXPECT_EQ(read("kv/app/s1").error().code(), Errc::away);
  EXPECT_EQ(vault().logins, 1);
  world.pass(hours(2));
  EXPECT_EQ(vault().paths().back(), "auth/token/revoke-self");
}

TEST_F(Vault, DoesNotRevokeWhenItIsToldNotTo) {
  settings.revoke = false;
  ASSERT_TRUE(read("kv/app/s1"));
  world.run(it().close());
  EXPECT_EQ(vault().count("auth/token/revoke-self"), 0U);
}

TEST_F(Vault, ClosesWithinASecondWhateverTheNetworkDoes) {
  ASSERT_TRUE(read("kv/app/s1"));
  vault().weather = {{kA, "slow"}};
  const auto start = world.clock->now();
  world.run(it().close());
  EXPECT_LE(world.clock->now() - start, seconds(1));
}

TEST_F(Vault, ClosesWithoutARequestWhenItNeverLoggedIn) {
  world.run(it().close());
  EXPECT_TRUE(vault().seen.empty());
}

TEST_F(Vault, GivesUpACallAtItsDeadline) {
  settings.addresses = {kA, kB, "https://c.example:8200", "https://d.example:8200"};
  for (const auto& address : settings.addresses) vault().weather[address] = "slow";
  const auto start = world.clock->now();
  EXPECT_EQ(read("kv/app/s1").error().code(), Errc::away);
  EXPECT_LE(world.clock->now() - start, seconds(31));
}

TEST_F(Vault, AsksAboutAMountAgainOnlyAfterAWhile) {
  vault().mounts.erase("kv/");
  EXPECT_EQ(read("kv/app/s1").error().code(), Errc::missing);
  vault().mounts["kv/"] = "2";
  EXPECT_FALSE(read("kv/app/s1"));
  EXPECT_EQ(vault().count("sys/internal/ui/mounts/kv/app/s1"), 1U);
  world.pass(minutes(6));
  EXPECT_TRUE(read("kv/app/s1"));
}

TEST_F(Vault, RefusesSettingsThatCannotWork) {
  const auto refusal = [&](const Settings& wrong) {
    auto made = VaultBackend::create(wrong, world.vault);
    return made ? "" : made.error().message();
  };
  EXPECT_EQ(refusal(settings), "");
  for (const auto* address :
       {"http://vault.example:8200", "vault:8200", "https://", "https://a/v1", "https://u@a", "ftp://a"}) {
    auto wrong = settings;
    wrong.addresses = {address};
    EXPECT_NE(refusal(wrong), "") << address;
  }
  auto local = settings;
  local.addresses = {"http://127.0.0.1:8200", "http://[::1]:8200", "https://a:8200/"};
  EXPECT_EQ(refusal(local), "");
  auto nowhere = settings;
  nowhere.addresses.clear();
  EXPECT_NE(refusal(nowhere), "");
  auto nobody = settings;
  nobody.auth = KubernetesAuth{};
  EXPECT_NE(refusal(nobody), "");
}

std::string table(const std::vector<Check>& checks) {
  std::string text;
  for (const auto& check : checks) {
    const char* state[] = {"ok", "warn", "FAIL", "skip"};
    text += std::string(state[static_cast<int>(check.state)]) + " " + check.what + ": " + check.detail + "\n";
  }
  return text;
}

TEST_F(Vault, ChecksWithoutReadingAValue) {
  vault().answer = [](const FakeVault::Seen& seen) -> std::optional<net::Response> {
    if (seen.path == "sys/capabilities-self") {
      EXPECT_EQ(seen.body, R"({"paths":["kv/data/app/s1","old/app","pki/issue/web"]})");
      return respond(200,
                     {{"data", {{"kv/data/app/s1", {"read"}}, {"old/app", {"list"}}, {"pki/issue/web", {"create"}}}}});
    }
    if (seen.path == "kv/subkeys/app/s1") {
      return respond(200, {{"data", {{"subkeys", {{"password", nullptr}}}}}});
    }
    return std::nullopt;
  };
  const auto checks = world.run(it().check(
      {{.path = "kv/app/s1", .key = "user"}, {.path = "old/app"}, {.path = "pki/issue/web", .write = true}}));
  EXPECT_EQ(table(checks), R"(ok name, connection and TLS of a.example:8200: 
ok clock, compared with a.example:8200: 5 s
ok state of a.example:8200: active
ok login: a token for 3600 s, renewable
ok access to kv/app/s1: read on kv/data/app/s1
FAIL content of kv/app/s1: it has no key user
FAIL access to old/app: no policy of the token gives read on old/app
ok access to pki/issue/web: update on pki/issue/web
)");
  EXPECT_EQ(vault().count("kv/data/app/s1"), 0U);
}

TEST_F(Vault, ChecksTellALoginThatIsRefused) {
  vault().login_status = 400;
  const auto checks = world.run(it().check({{.path = "kv/app/s1"}}));
  EXPECT_THAT(table(checks), HasSubstr("FAIL login: "));
}

}  // namespace
}  // namespace injector::backend::vault
