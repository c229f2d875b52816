#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "injector/net/http.h"

namespace injector::net {

/// For preflights, which tell a name that does not resolve from a port that does not answer. Not for fetching.

/// The numeric addresses of `host`, as the system resolves it. `Errc::away` with the resolver's reason.
Task<std::vector<std::string>> resolve(std::string host, std::chrono::milliseconds timeout);

/// Whether a TCP connection to a numeric address can be made; it is closed again. `Errc::away` with the reason.
Task<void> connect(std::string address, std::uint16_t port, std::chrono::milliseconds timeout);

}  // namespace injector::net
