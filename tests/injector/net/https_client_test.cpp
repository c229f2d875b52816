#include "injector/net/https_client.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <openssl/ssl.h>

#include <chrono>
#include <cstring>
#include <thread>

#include "injector/memory/arena.h"
#include "injector/net/start.h"
#include "tests/injector/net/loop.h"
#include "tests/injector/net/tls_server.h"
#include "tests/support/temporary.h"

// A name server that does not answer: the resolver's thread hangs in the C library.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** results) {
  static auto* const real = reinterpret_cast<decltype(&getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  if (node != nullptr && std::strcmp(node, "slow.test") == 0) {
    std::this_thread::sleep_for(std::chrono::seconds(3));
    return EAI_AGAIN;
  }
  return real(node, service, hints, results);
}

namespace injector::net {
namespace {

using scanner::base::Errc;
using scanner::base::Result;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using tests::Client;
using tests::Identity;
using tests::TlsServer;

using namespace std::chrono_literals;

const Identity& authority() {
  static const Identity made = [] {
    start();
    return tests::make_identity({.common_name = "test CA", .authority = true});
  }();
  return made;
}

const Identity& localhost() {
  static const Identity made =
      tests::make_identity({.names = {"DNS:localhost", "IP:127.0.0.1"}, .issuer = &authority()});
  return made;
}

void hello(Client& client, const std::string&) { client.answer("hello", 200, "X-Kind: greeting\r\n"); }

class HttpsClientTest : public ::testing::Test {
 protected:
  std::unique_ptr<HttpsClient> client(ClientSettings settings = {}) {
    if (settings.ca_file.empty() && settings.ca_pem.empty()) settings.ca_pem = authority().certificate;
    auto made = HttpsClient::create(loop_.get_executor(), std::move(settings));
    EXPECT_TRUE(made);
    return *std::move(made);
  }

  Result<Response> get(HttpsClient& client, const std::string& url, std::chrono::milliseconds timeout = 5s) {
    Request request;
    request.url = url;
    request.headers.push_back({"X-Vault-Token", memory::Secret::copy_of("canary-token")});
    request.timeout = timeout;
    return tests::run(loop_, client.send(std::move(request)));
  }

  std::string refusal(HttpsClient& client, const std::string& url, Errc code = Errc::away) {
    const auto response = get(client, url);
    if (response) return "no error";
    EXPECT_EQ(response.error().code(), code);
    return response.error().message();
  }

  std::string refusal_of(const TlsServer& server, ClientSettings settings = {}) {
    const auto made = client(std::move(settings));
    const std::string message = refusal(*made, server.url());
    for (const std::string& request : server.requests()) EXPECT_THAT(request, Not(HasSubstr("canary-token")));
    return message;
  }

  boost::asio::io_context loop_;
};

TEST_F(HttpsClientTest, GivesStatusHeadersAndBodyInTheArena) {
  const TlsServer server({.identity = localhost()}, hello);
  const auto made = client();
  auto response = get(*made, server.url("/v1/a?b=c"));
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->header("x-kind"), "greeting");
  EXPECT_EQ(response->header("absent"), "");
  EXPECT_EQ(response->body.reveal(), "hello");
  EXPECT_TRUE(memory::Arena::contains(response->body.reveal().data()));
  EXPECT_TRUE(response->fresh_connection);
  const std::string request = server.requests().at(0);
  EXPECT_THAT(request, StartsWith("GET /v1/a?b=c HTTP/1.1\r\nHost: localhost:"));
  EXPECT_THAT(request, HasSubstr("\r\nX-Vault-Token: canary-token\r\n"));
  EXPECT_THAT(request, Not(HasSubstr("Accept-Encoding")));
}

TEST_F(HttpsClientTest, SendsMethodsHeadersAndBodiesAsTheyAre) {
  const TlsServer server({.identity = localhost()}, hello);
  const auto made = client();
  const auto send = [&](const std::string& method, const std::string& body) {
    Request request;
    request.method = method;
    request.url = server.url("/x/../y");
    request.headers.push_back({"X-Empty", {}});
    request.body = memory::Secret::copy_of(body);
    const auto response = tests::run(loop_, made->send(std::move(request)));
    EXPECT_TRUE(response);
    return server.requests().back();
  };
  EXPECT_THAT(send("POST", "{\"a\":1}"), AllOf(StartsWith("POST /x/../y HTTP/1.1\r\n"), EndsWith("\r\n\r\n{\"a\":1}"),
                                               HasSubstr("Content-Length: 7\r\n"), HasSubstr("\r\nX-Empty:\r\n"),
                                               Not(HasSubstr("Content-Type")), Not(HasSubstr("Expect"))));
  EXPECT_THAT(send("PUT", ""), AllOf(StartsWith("PUT "), HasSubstr("Content-Length: 0\r\n")));
  EXPECT_THAT(send("LIST", ""), StartsWith("LIST "));
  EXPECT_THAT(send("DELETE", ""), StartsWith("DELETE "));
  EXPECT_THAT(send("POST", std::string(2'000'000, 'x')), HasSubstr("Content-Length: 2000000\r\n"));
}

TEST_F(HttpsClientTest, RefusesWhatIsNoRequest) {
  const auto made = client();
  EXPECT_THAT(refusal(*made, "http://localhost:1/", Errc::config), HasSubstr("may only be spoken to by https"));
  EXPECT_THAT(refusal(*made, "ftp://localhost/", Errc::config), HasSubstr("https"));
  EXPECT_THAT(refusal(*made, "file:///etc/passwd", Errc::config), Not(IsEmpty()));
  EXPECT_THAT(refusal(*made, "https://user:pass@localhost/", Errc::config), HasSubstr("no URL"));
  Request request;
  request.url = "https://localhost:1/";
  request.headers.push_back({"X-A", memory::Secret::copy_of("a\r\nX-B: b")});
  const auto split = tests::run(loop_, made->send(std::move(request)));
  ASSERT_FALSE(split);
  EXPECT_EQ(split.error().message(), "the value of header X-A holds a line break or NUL");
}

TEST_F(HttpsClientTest, SpeaksPlainHttpToNamedHostsOnly) {
  const TlsServer server({}, hello);
  const auto made = client({.plain_hosts = {"localhost"}});
  EXPECT_TRUE(get(*made, server.url()));
  EXPECT_THAT(refusal(*made, "http://127.0.0.1:" + std::to_string(server.port()) + "/", Errc::config),
              HasSubstr("https"));
}

TEST_F(HttpsClientTest, KeepsItsConnection) {
  const TlsServer server({.identity = localhost()}, hello);
  const auto made = client();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(get(*made, server.url()));
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(made->counts().connections, 1U);
  EXPECT_EQ(made->counts().requests, 5U);
}

TEST_F(HttpsClientTest, OpensAFewConnectionsForManyRequestsAtOnce) {
  const TlsServer server({.identity = localhost()}, hello);
  const auto made = client();
  std::vector<Task<Response>> tasks;
  for (int i = 0; i < 100; ++i) {
    Request request;
    request.url = server.url();
    tasks.push_back(made->send(std::move(request)));
  }
  for (const auto& response : tests::run_all(loop_, std::move(tasks))) EXPECT_TRUE(response);
  EXPECT_LE(server.connections(), 2);
}

TEST_F(HttpsClientTest, TriesADeadServerOnceForAllThatWait) {
  const TlsServer server({.identity = tests::make_identity({.names = {"DNS:localhost"}})}, hello);
  const auto made = client();
  std::vector<Task<Response>> tasks;
  for (int i = 0; i < 50; ++i) {
    Request request;
    request.url = server.url();
    tasks.push_back(made->send(std::move(request)));
  }
  for (const auto& response : tests::run_all(loop_, std::move(tasks))) {
    ASSERT_FALSE(response);
    EXPECT_THAT(response.error().message(), HasSubstr("self-signed"));
  }
  EXPECT_LE(server.connections(), 2);
}

TEST_F(HttpsClientTest, RefusesBadCertificatesInPlainWordsAndSendsNothing) {
  const auto message = [&](const tests::CertificateWish& wish) {
    const TlsServer server({.identity = tests::make_identity(wish)}, hello);
    const std::string text = refusal_of(server);
    EXPECT_THAT(text, HasSubstr("localhost:" + std::to_string(server.port())));
    EXPECT_THAT(server.requests(), IsEmpty());
    return text;
  };
  const Identity other = tests::make_identity({.common_name = "other CA", .authority = true});
  const Identity not_an_authority = localhost();
  EXPECT_THAT(message({.names = {"DNS:localhost"}, .to_seconds = -60, .issuer = &authority()}),
              HasSubstr("has expired"));
  EXPECT_THAT(message({.names = {"DNS:localhost"}, .from_seconds = 600, .issuer = &authority()}),
              HasSubstr("is not valid yet (or this machine's clock is behind)"));
  EXPECT_THAT(message({.names = {"DNS:other.example"}, .issuer = &authority()}),
              HasSubstr("is not for the name localhost"));
  EXPECT_THAT(message({.names = {"IP:127.0.0.2"}, .issuer = &authority()}), HasSubstr("is not for the name localhost"));
  EXPECT_THAT(message({.names = {"DNS:*"}, .issuer = &authority()}), HasSubstr("is not for the name localhost"));
  EXPECT_THAT(message({.names = {"DNS:localhost"}}), HasSubstr("is self-signed"));
  EXPECT_THAT(message({.names = {"DNS:localhost"}, .issuer = &other}),
              HasSubstr("is signed by an authority that the configuration does not trust"));
  EXPECT_THAT(message({.names = {"DNS:localhost"}, .issuer = &not_an_authority}), HasSubstr("authority"));
  EXPECT_THAT(message({.names = {"DNS:localhost"}, .issuer = &authority(), .usage = "clientAuth"}),
              HasSubstr("is not for servers"));
  EXPECT_THAT(message({.names = {"DNS:localhost"}, .issuer = &authority(), .rsa_bits = 1024}), HasSubstr("refused"));
}

TEST_F(HttpsClientTest, TrustsTheGivenAuthoritiesAndNoOthers) {
  const TlsServer server({.identity = localhost()}, hello);
  const Identity other = tests::make_identity({.common_name = "other CA", .authority = true});
  EXPECT_THAT(refusal_of(server, {.ca_pem = other.certificate}), HasSubstr("does not trust"));
  const tests::TemporaryDirectory folder;
  EXPECT_THAT(refusal_of(server, {.ca_file = folder.write("ca.crt", other.certificate)}),
              HasSubstr("ca.crt does not trust"));
  const auto both = client({.ca_file = folder / "ca.crt", .ca_pem = authority().certificate});
  EXPECT_TRUE(get(*both, server.url()));
}

TEST_F(HttpsClientTest, RefusesOldTlsAndWhatIsNoTls) {
  const TlsServer old({.identity = localhost(), .newest_version = TLS1_1_VERSION}, hello);
  EXPECT_THAT(refusal_of(old), HasSubstr("speaks no TLS of version 1.2 or newer"));
  const TlsServer plain({.greeting = "HTTP/1.1 400 Bad Request\r\n\r\n"}, hello);
  const auto made = client();
  EXPECT_THAT(refusal(*made, "https://localhost:" + std::to_string(plain.port()) + "/"),
              HasSubstr("does not speak TLS"));
}

TEST_F(HttpsClientTest, VerifiesTheServerNameThatIsAskedFor) {
  const Identity named = tests::make_identity({.names = {"DNS:vault.internal"}, .issuer = &authority()});
  const TlsServer server({.identity = named}, hello);
  const auto right = client({.server_name = "vault.internal"});
  ASSERT_TRUE(get(*right, server.url()));
  EXPECT_THAT(server.requests().at(0), HasSubstr("Host: localhost:" + std::to_string(server.port())));
  const auto wrong = client({.server_name = "other.internal"});
  EXPECT_THAT(refusal(*wrong, server.url()), HasSubstr("is not for the name other.internal"));
}

TEST_F(HttpsClientTest, ShowsItsCertificateAndReadsItAgainWhenItChanges) {
  const tests::TemporaryDirectory folder;
  const Identity mine = tests::make_identity({.common_name = "me", .issuer = &authority(), .usage = "clientAuth"});
  const Identity stranger = tests::make_identity({.common_name = "stranger", .usage = "clientAuth"});
  const TlsServer server({.identity = localhost(), .client_authority = authority().certificate}, hello);
  EXPECT_THAT(refusal_of(server), HasSubstr("demands a client certificate"));
  ClientSettings settings;
  settings.cert_file = folder.write("me.crt", stranger.certificate);
  settings.key_file = folder.write("me.key", stranger.key);
  const auto made = client(settings);
  EXPECT_THAT(refusal(*made, server.url()), HasSubstr("client certificate"));
  folder.write("me.crt", mine.certificate);
  EXPECT_THAT(refusal(*made, server.url()), HasSubstr("client certificate")) << "half a change is none";
  folder.write("me.key", mine.key);
  EXPECT_TRUE(get(*made, server.url()));
  EXPECT_EQ(server.handshakes(), 1);
}

TEST_F(HttpsClientTest, SaysWhichFileIsWrongBeforeAnyRequest) {
  const tests::TemporaryDirectory folder;
  const auto error_of = [&](ClientSettings settings) {
    const auto made = HttpsClient::create(loop_.get_executor(), std::move(settings));
    if (made) return std::string();
    EXPECT_EQ(made.error().code(), Errc::config);
    return made.error().message();
  };
  EXPECT_THAT(error_of({.ca_file = folder / "absent.crt"}), HasSubstr("absent.crt"));
  EXPECT_THAT(error_of({.ca_file = folder.write("empty.crt", "")}), HasSubstr("no certificate in"));
  const std::string cert = folder.write("a.crt", localhost().certificate);
  const std::string key = folder.write("b.key", authority().key);
  EXPECT_THAT(error_of({.cert_file = cert, .key_file = key}), HasSubstr("is not that of the certificate"));
  EXPECT_THAT(error_of({.cert_file = cert, .key_file = cert}), HasSubstr("no private key"));
  EXPECT_THAT(error_of({.cert_file = cert}), HasSubstr("needs its key"));
}

TEST_F(HttpsClientTest, FollowsNoRedirect) {
  const TlsServer target({.identity = localhost()}, hello);
  for (const int status : {301, 302, 303, 307, 308}) {
    const TlsServer server({.identity = localhost()}, [&](Client& client, const std::string&) {
      client.answer("", status, "Location: " + target.url("/next") + "\r\nAlt-Svc: h2=\"localhost:1\"\r\n");
    });
    const auto made = client();
    const auto response = get(*made, server.url());
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, status);
    EXPECT_EQ(response->header("location"), target.url("/next"));
  }
  EXPECT_EQ(target.connections(), 0);
}

TEST_F(HttpsClientTest, EndsAtItsDeadlineWhateverTheServerDoes) {
  const auto takes = [&](const TlsServer::Handler& handler) {
    const TlsServer server({.identity = localhost()}, handler);
    const auto made = client();
    const auto before = std::chrono::steady_clock::now();
    const auto response = get(*made, server.url(), 400ms);
    EXPECT_LT(std::chrono::steady_clock::now() - before, 1s);
    return response ? "no error" : response.error().message();
  };
  EXPECT_THAT(takes([](Client& client, const std::string&) { client.next(); }), HasSubstr("no whole answer"));
  EXPECT_THAT(takes([](Client& client, const std::string&) {
                client.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
                while (client.send("x")) std::this_thread::sleep_for(50ms);
              }),
              HasSubstr("no whole answer"));
  EXPECT_THAT(takes([](Client& client, const std::string&) {
                client.send("HTTP/1.1 200 OK\r\n");
                while (client.send("X-More: header\r\n")) std::this_thread::sleep_for(20ms);
              }),
              HasSubstr("no whole answer"));
}

TEST_F(HttpsClientTest, TakesNoHalfAnswer) {
  const std::string whole =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{\"a\":\"b\"}";
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    const TlsServer server({.identity = localhost()}, [&](Client& client, const std::string&) {
      client.send(whole.substr(0, cut));
      client.reset();
    });
    const auto made = client();
    const auto response = get(*made, server.url(), 2s);
    EXPECT_FALSE(response) << "cut at " << cut;
  }
}

TEST_F(HttpsClientTest, TakesNoAnswerWhoseEndOnlyACutConnectionShows) {
  const TlsServer server({.identity = localhost()}, [&](Client& client, const std::string&) {
    client.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"a\":\"b\"}");
    client.reset();
  });
  const auto made = client();
  EXPECT_THAT(refusal(*made, server.url()), HasSubstr("broke off"));
  const TlsServer chunked({.identity = localhost()}, [&](Client& client, const std::string&) {
    client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    client.reset();
  });
  EXPECT_THAT(refusal(*made, chunked.url()), HasSubstr("broke off"));
}

TEST_F(HttpsClientTest, TakesNothingLargerThanItsLimit) {
  const auto refused = [&](const TlsServer::Handler& handler) {
    const TlsServer server({.identity = localhost()}, handler);
    const auto made = client({.response_limit = 10'000});
    return refusal(*made, server.url(), Errc::limit);
  };
  EXPECT_THAT(refused([](Client& client, const std::string&) { client.answer(std::string(10'001, 'x')); }),
              HasSubstr("more than 10000 bytes"));
  EXPECT_THAT(refused([](Client& client, const std::string&) {
                client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                while (client.send("400\r\n" + std::string(1024, 'x') + "\r\n")) {
                }
              }),
              HasSubstr("more than"));
  EXPECT_THAT(refused([](Client& client, const std::string&) {
                client.send("HTTP/1.1 200 OK\r\n");
                for (int i = 0; i < 10'000; ++i) client.send("X-" + std::to_string(i) + ": y\r\n");
              }),
              HasSubstr("more than"));
  const TlsServer fits({.identity = localhost()},
                       [](Client& client, const std::string&) { client.answer(std::string(10'000, 'x')); });
  const auto made = client({.response_limit = 10'000});
  const auto response = get(*made, fits.url());
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body.size(), 10'000U);
}

TEST_F(HttpsClientTest, SurvivesAServerThatClosedTheConnectionItKept) {
  const TlsServer server({.identity = localhost()}, [](Client& client, const std::string&) {
    client.answer("once");
    client.reset();
  });
  const auto made = client();
  for (int i = 0; i < 5; ++i) {
    const auto response = get(*made, server.url());
    ASSERT_TRUE(response) << response.error().message();
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_EQ(server.connections(), 5);
}

TEST_F(HttpsClientTest, NamesWhatTheNetworkDid) {
  const auto made = client();
  std::uint16_t port = 0;
  {
    const TlsServer gone({}, hello);
    port = gone.port();
  }
  EXPECT_EQ(refusal(*made, "https://localhost:" + std::to_string(port) + "/"),
            "cannot connect to localhost:" + std::to_string(port) + ": Connection refused");
  EXPECT_EQ(refusal(*made, "https://nowhere.invalid/"), "the name of nowhere.invalid:443 does not resolve");
  const TlsServer mute({.identity = localhost()}, [](Client& client, const std::string&) { client.reset(); });
  EXPECT_THAT(refusal(*made, mute.url()), HasSubstr("localhost:"));
  const TlsServer gibberish({.identity = localhost()}, [](Client& client, const std::string&) {
    client.send("canary gibberish\r\n\r\n");
    client.reset();
  });
  EXPECT_THAT(refusal(*made, gibberish.url()), AllOf(HasSubstr("does not answer in HTTP"), Not(HasSubstr("canary"))));
}

TEST_F(HttpsClientTest, DoesNotWaitForAResolverThatHangs) {
  const auto made = client();
  const auto before = std::chrono::steady_clock::now();
  const auto response = get(*made, "https://slow.test/", 300ms);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 1s);
  ASSERT_FALSE(response);
  EXPECT_THAT(response.error().message(), HasSubstr("slow.test:443"));
  const TlsServer server({.identity = localhost()}, hello);
  EXPECT_TRUE(get(*made, server.url()));
}

TEST_F(HttpsClientTest, EndsWithAwayWhenItIsCancelled) {
  const TlsServer server({.identity = localhost()}, [](Client& client, const std::string&) { client.next(); });
  const auto made = client();
  std::optional<Result<Response>> result;
  boost::asio::cancellation_signal stop;
  boost::asio::co_spawn(
      loop_,
      [&]() -> boost::asio::awaitable<void> {
        Request request;
        request.url = server.url();
        result.emplace(co_await made->send(std::move(request)));
      },
      boost::asio::bind_cancellation_slot(stop.slot(), boost::asio::detached));
  boost::asio::steady_timer timer(loop_, 200ms);
  timer.async_wait([&](auto) { stop.emit(boost::asio::cancellation_type::all); });
  const auto before = std::chrono::steady_clock::now();
  loop_.run();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 2s);
  ASSERT_TRUE(result.has_value());
  ASSERT_FALSE(*result);
  EXPECT_EQ(result->error().code(), Errc::away);
  EXPECT_THAT(result->error().message(), HasSubstr("cancelled"));
}

TEST_F(HttpsClientTest, HeedsNothingOfTheEnvironment) {
  const tests::TemporaryDirectory folder;
  folder.write(".netrc", "machine localhost login user password canary-netrc\n");
  const TlsServer proxy({}, hello);
  const TlsServer server({.identity = localhost()}, hello);
  const std::string proxy_url = "http://127.0.0.1:" + std::to_string(proxy.port());
  for (const char* name : {"HTTPS_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "all_proxy"}) {
    ::setenv(name, proxy_url.c_str(), 1);
  }
  ::setenv("HOME", folder.path().c_str(), 1);
  ::setenv("CURL_CA_BUNDLE", "/absent", 1);
  ::setenv("SSL_CERT_FILE", "/absent", 1);
  const auto made = client();
  EXPECT_TRUE(get(*made, server.url()));
  EXPECT_EQ(proxy.connections(), 0);
  EXPECT_THAT(server.requests().at(0), Not(HasSubstr("Authorization")));
  for (const char* name :
       {"HTTPS_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "all_proxy", "CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    ::unsetenv(name);
  }
}

TEST_F(HttpsClientTest, GoesThroughAProxyThatIsConfigured) {
  const TlsServer proxy({}, [](Client& client, const std::string&) { client.answer("", 403); });
  const auto made = client({.proxy = "http://127.0.0.1:" + std::to_string(proxy.port())});
  EXPECT_THAT(refusal(*made, "https://somewhere.example/"), Not(HasSubstr("canary")));
  ASSERT_EQ(proxy.requests().size(), 1U);
  EXPECT_THAT(proxy.requests().at(0),
              AllOf(StartsWith("CONNECT somewhere.example:443"), Not(HasSubstr("canary-token"))));
}

TEST_F(HttpsClientTest, LeavesNothingInTheArena) {
  const std::size_t before = memory::Arena::status().used_bytes;
  {
    const TlsServer server({.identity = localhost()},
                           [](Client& client, const std::string&) { client.answer(std::string(300'000, 'x')); });
    const auto made = client();
    EXPECT_TRUE(get(*made, server.url()));
    EXPECT_FALSE(get(*made, "https://nowhere.invalid/"));
  }
  EXPECT_EQ(memory::Arena::status().used_bytes, before);
}

}  // namespace
}  // namespace injector::net
