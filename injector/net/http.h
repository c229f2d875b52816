#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "injector/memory/secret.h"
#include "scanner/base/result.h"

namespace injector::net {

/// What a coroutine on the one loop gives in the end. Cancelled from outside, it ends with Errc::away.
template <typename T>
using Task = boost::asio::awaitable<scanner::base::Result<T>>;

struct Header {
  std::string name;
  memory::Secret value;  ///< Whether a header is secret is nobody's guess: all are.
};

struct Request {
  std::string method = "GET";
  std::string url;  ///< https; http only where the client's settings allow the host (loopback, link-local metadata).
  std::vector<Header> headers;
  memory::Secret body;
  std::chrono::milliseconds timeout{10'000};  ///< For all of it, connection and body included.
};

struct Response {
  int status = 0;
  std::vector<Header> headers;  ///< Names in lower case.
  memory::Secret body;
  bool fresh_connection = false;  ///< A connection was opened for it (for metrics and tests).
  std::string peer_certificate_error;

  [[nodiscard]] std::string header(
      const std::string& lower_case_name) const;  ///< Empty when absent; never for secrets.
};

/// Sends requests. One for each store, with its own TLS settings: connections are never shared across different ones.
class Http {
 public:
  virtual ~Http() = default;
  /// `Errc::away` for whatever the network or the server's TLS did (the message says what: "connection refused",
  /// "certificate is not for this host"); `Errc::limit` for an answer larger than the client's limit. A status is not
  /// an error. Redirects are answers like any other: nobody follows them here.
  virtual Task<Response> send(Request request) = 0;
};

}  // namespace injector::net
