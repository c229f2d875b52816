#include "injector/webhook/tls.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <climits>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <string>

#include "injector/net/pem.h"

namespace injector::webhook {

namespace asio = boost::asio;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Result;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

/// OpenSSL keeps errors until somebody looks, and SSL_get_error() looks.
struct ClearedErrors {
  ClearedErrors() = default;
  ClearedErrors(const ClearedErrors&) = delete;
  ClearedErrors& operator=(const ClearedErrors&) = delete;
  ~ClearedErrors() { ::ERR_clear_error(); }
};

/// The API server offers h2, too; without a protocol in common the handshake goes on, and HTTP/1.1 is spoken.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  static constexpr std::string_view kOurs = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  const int found = ::SSL_select_next_proto(&chosen, size, reinterpret_cast<const unsigned char*>(kOurs.data()),
                                            kOurs.size(), offered, offered_size);
  if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

void configure(SSL_CTX* context) {
  ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  ::SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
  ::SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
  ::SSL_CTX_set_mode(context,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Tickets hold all there is to a session; a cache of them would grow with every client (CVE-2024-2511).
  ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_num_tickets(context, 1);
  ::SSL_CTX_set_timeout(context, 3600);
  ::SSL_CTX_set_max_early_data(context, 0);
  ::SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
}

/// The certificate and its chain, in this order, into the context. Null when there is none, or one is broken.
X509* take_chain(SSL_CTX* context, std::string_view pem) {
  const net::Bio bio = net::reading(pem);
  const net::Certificate first = net::next_certificate(bio.get());
  if (!first || ::SSL_CTX_use_certificate(context, first.get()) != 1) return nullptr;
  while (net::Certificate next = net::next_certificate(bio.get())) {
    if (::SSL_CTX_add0_chain_cert(context, next.get()) != 1) return nullptr;
    (void)next.release();
  }
  return ::SSL_CTX_get0_certificate(context);
}

}  // namespace

TlsIdentityInUse::~TlsIdentityInUse() { ::SSL_CTX_free(context_); }

Result<std::shared_ptr<const TlsIdentityInUse>> TlsIdentityInUse::create(std::string_view chain_pem,
                                                                         const memory::Secret& key_pem) {
  const ClearedErrors cleared;
  std::shared_ptr<TlsIdentityInUse> made(new TlsIdentityInUse);
  made->context_ = ::SSL_CTX_new(::TLS_server_method());
  if (made->context_ == nullptr) return fail(Errc::limit, "no memory for TLS");
  configure(made->context_);
  X509* const certificate = take_chain(made->context_, chain_pem);
  if (certificate == nullptr) return fail(Errc::config, "there is no certificate, or one that OpenSSL does not take");
  const net::PrivateKey key = net::private_key(key_pem.reveal());
  if (!key) return fail(Errc::config, "there is no private key without a passphrase");
  if (::SSL_CTX_use_PrivateKey(made->context_, key.get()) != 1 || ::SSL_CTX_check_private_key(made->context_) != 1) {
    return fail(Errc::config, "the private key is not that of the certificate");
  }
  std::tm end{};
  if (::ASN1_TIME_to_tm(::X509_get0_notAfter(certificate), &end) == 1) {
    made->expires_ = std::chrono::system_clock::from_time_t(::timegm(&end));
  }
  return std::shared_ptr<const TlsIdentityInUse>(std::move(made));
}

TlsStream::TlsStream(asio::ip::tcp::socket socket, std::shared_ptr<const TlsIdentityInUse> identity)
    : socket_(std::move(socket)), identity_(std::move(identity)) {
  boost::system::error_code ignored;
  socket_.native_non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

TlsStream::~TlsStream() {
  ::SSL_free(ssl_);
  close();
}

void TlsStream::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

asio::awaitable<bool> TlsStream::wait_after(int result) {
  const int wanted = ::SSL_get_error(ssl_, result);
  ::ERR_clear_error();
  if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE) co_return false;
  const auto what =
      wanted == SSL_ERROR_WANT_READ ? asio::ip::tcp::socket::wait_read : asio::ip::tcp::socket::wait_write;
  const auto [failed] = co_await socket_.async_wait(what, kTuple);
  // A socket that was closed meanwhile: its number may belong to another by now.
  co_return !failed && socket_.is_open();
}

asio::awaitable<TlsStream::Handshake> TlsStream::handshake() {
  // Who says nothing costs a socket, and not the 45 KiB of a handshake.
  const auto [gone] = co_await socket_.async_wait(asio::ip::tcp::socket::wait_read, kTuple);
  if (gone || !socket_.is_open()) co_return Handshake::failed;
  ssl_ = ::SSL_new(identity_->context());
  if (ssl_ == nullptr || ::SSL_set_fd(ssl_, socket_.native_handle()) != 1) co_return Handshake::failed;
  for (;;) {
    const int result = ::SSL_accept(ssl_);
    if (result == 1) break;
    const bool again = co_await wait_after(result);
    if (!again) co_return Handshake::failed;
  }
  co_return ::SSL_session_reused(ssl_) == 1 ? Handshake::resumed : Handshake::full;
}

asio::awaitable<std::size_t> TlsStream::read_some(std::span<char> block) {
  const int most = static_cast<int>(std::min<std::size_t>(block.size(), INT_MAX));
  for (;;) {
    const int result = ::SSL_read(ssl_, block.data(), most);
    if (result > 0) co_return static_cast<std::size_t>(result);
    const bool again = co_await wait_after(result);
    if (!again) co_return 0;
  }
}

asio::awaitable<bool> TlsStream::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const int result = ::SSL_write(ssl_, bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX)));
    if (result > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(result));
      continue;
    }
    const bool again = co_await wait_after(result);
    if (!again) co_return false;
  }
  co_return true;
}

asio::awaitable<void> TlsStream::finish(std::chrono::milliseconds linger, std::span<char> block) {
  if (!socket_.is_open()) co_return;
  const auto end = std::chrono::steady_clock::now() + linger;
  ::SSL_shutdown(ssl_);
  ::ERR_clear_error();
  boost::system::error_code failed;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, failed);
  while (!failed && socket_.is_open() && std::chrono::steady_clock::now() < end) {
    const auto [stopped] = co_await socket_.async_wait(asio::ip::tcp::socket::wait_read, kTuple);
    if (stopped || !socket_.is_open()) break;
    socket_.read_some(asio::buffer(block.data(), block.size()), failed);
    if (failed == asio::error::would_block) failed.clear();
  }
}

}  // namespace injector::webhook
