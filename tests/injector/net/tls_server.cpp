#include "tests/injector/net/tls_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <utility>

#include "scanner/base/check.h"

namespace tests {
namespace {

X509* certificate_of(const std::string& pem) {
  BIO* const bio = ::BIO_new_mem_buf(pem.data(), -1);
  X509* const certificate = ::PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  ::BIO_free(bio);
  SCANNER_CHECK(certificate != nullptr);
  return certificate;
}

EVP_PKEY* key_of(const std::string& pem) {
  BIO* const bio = ::BIO_new_mem_buf(pem.data(), -1);
  EVP_PKEY* const key = ::PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  ::BIO_free(bio);
  SCANNER_CHECK(key != nullptr);
  return key;
}

SSL_CTX* context_of(const TlsServer::Settings& settings) {
  SSL_CTX* const context = ::SSL_CTX_new(::TLS_server_method());
  ::SSL_CTX_set_security_level(context, 0);  // A bad server, where a test wants one.
  SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
  if (settings.newest_version != 0) SSL_CTX_set_max_proto_version(context, settings.newest_version);
  X509* const certificate = certificate_of(settings.identity.certificate);
  EVP_PKEY* const key = key_of(settings.identity.key);
  SCANNER_CHECK(::SSL_CTX_use_certificate(context, certificate) == 1);
  SCANNER_CHECK(::SSL_CTX_use_PrivateKey(context, key) == 1);
  ::X509_free(certificate);
  ::EVP_PKEY_free(key);
  if (!settings.client_authority.empty()) {
    X509* const authority = certificate_of(settings.client_authority);
    ::X509_STORE_add_cert(::SSL_CTX_get_cert_store(context), authority);
    ::SSL_CTX_add_client_CA(context, authority);
    ::X509_free(authority);
    ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return context;
}

std::size_t content_length(std::string head) {
  std::ranges::transform(head, head.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::size_t at = head.find("content-length:");
  return at == std::string::npos ? 0 : std::strtoul(head.c_str() + at + 15, nullptr, 10);
}

}  // namespace

std::string Client::read_some() {
  std::array<char, 16384> block{};
  const auto n = ssl_ != nullptr ? ::SSL_read(ssl_, block.data(), static_cast<int>(block.size()))
                                 : static_cast<int>(::read(fd_, block.data(), block.size()));
  return n > 0 ? std::string(block.data(), static_cast<std::size_t>(n)) : std::string();
}

std::string Client::next() {
  std::size_t end = std::string::npos;
  while ((end = unread_.find("\r\n\r\n")) == std::string::npos) {
    const std::string more = read_some();
    if (more.empty()) return {};
    unread_ += more;
  }
  const std::size_t whole = end + 4 + content_length(unread_.substr(0, end + 2));
  while (unread_.size() < whole) {
    const std::string more = read_some();
    if (more.empty()) return {};
    unread_ += more;
  }
  std::string request = unread_.substr(0, whole);
  unread_.erase(0, whole);
  return request;
}

bool Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ssl_ != nullptr ? ::SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                                   : static_cast<int>(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool Client::answer(std::string_view body, int status, const std::string& headers) {
  return send("HTTP/1.1 " + std::to_string(status) + " x\r\n" + headers +
              "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
}

void Client::reset() {
  const ::linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::shutdown(fd_, SHUT_RDWR);
}

TlsServer::TlsServer(Settings settings, Handler handler)
    : settings_(std::move(settings)), handler_(std::move(handler)) {
  if (!settings_.identity.certificate.empty()) context_ = context_of(settings_);
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  SCANNER_CHECK(::bind(listener_, reinterpret_cast<::sockaddr*>(&address), sizeof address) == 0);
  SCANNER_CHECK(::listen(listener_, 256) == 0);
  ::socklen_t size = sizeof address;
  ::getsockname(listener_, reinterpret_cast<::sockaddr*>(&address), &size);
  port_ = ::ntohs(address.sin_port);
  accepting_ = std::thread([this] { accept_all(); });
}

TlsServer::~TlsServer() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  {
    const std::scoped_lock lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
  ::close(listener_);
  ::SSL_CTX_free(context_);
}

std::string TlsServer::url(const std::string& path) const {
  return (context_ != nullptr ? "https://localhost:" : "http://localhost:") + std::to_string(port_) + path;
}

std::vector<std::string> TlsServer::requests() const {
  const std::scoped_lock lock(mutex_);
  return requests_;
}

void TlsServer::accept_all() {
  while (!stopping_) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    ++connections_;
    const std::scoped_lock lock(mutex_);
    open_.push_back(fd);
    threads_.emplace_back([this, fd] { serve(fd); });
  }
}

void TlsServer::serve(int fd) {
  SSL* ssl = nullptr;
  bool ready = true;
  if (!settings_.greeting.empty()) Client(fd, nullptr).send(settings_.greeting);
  if (context_ != nullptr) {
    ssl = ::SSL_new(context_);
    ::SSL_set_fd(ssl, fd);
    ready = ::SSL_accept(ssl) == 1;
  }
  if (ready) {
    ++handshakes_;
    Client client(fd, ssl);
    for (std::string request = client.next(); !request.empty() && !stopping_; request = client.next()) {
      {
        const std::scoped_lock lock(mutex_);
        requests_.push_back(request);
      }
      handler_(client, request);
    }
  }
  // What was said last, an alert perhaps, would be lost in a reset if bytes stayed unread.
  ::shutdown(fd, SHUT_WR);
  const ::timeval patience{.tv_sec = 0, .tv_usec = 300'000};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::array<char, 4096> unread{};
  while (!stopping_ && ::read(fd, unread.data(), unread.size()) > 0) {
  }
  ::SSL_free(ssl);
  const std::scoped_lock lock(mutex_);
  std::erase(open_, fd);
  ::close(fd);
}

}  // namespace tests
