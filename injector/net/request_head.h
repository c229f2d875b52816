#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "injector/net/http_server.h"

namespace injector::net {

/// The head of a request, strictly: RFC 9112 without its allowances for old clients.
struct RequestHead {
  ServerRequest request;      ///< Without a body.
  std::size_t body_size = 0;  ///< Content-Length.
  bool chunked = false;       ///< The body comes in chunks, and there is no Content-Length.
  bool keeps_alive = true;
  bool expects_continue = false;
};

/// Which bodies the server can read.
enum class Bodies : std::uint8_t { sized, sized_or_chunked };

/// Reads a head that ends with its empty line. Gives the status to answer with where it is refused: 400 for what is no
/// request or can be read in two ways, 501 for a transfer coding that is not taken, 505 for another version, 417 for
/// another expectation.
struct HeadOrStatus {
  int refused = 0;
  RequestHead head{};
};
HeadOrStatus read_head(std::string_view text, Bodies bodies = Bodies::sized);

/// What a status that a server of ours answers with is called (RFC 9110, section 15).
std::string_view reason_phrase(int status);

}  // namespace injector::net
