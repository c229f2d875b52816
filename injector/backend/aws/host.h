#pragma once

#include <string_view>

namespace injector::backend::aws {

/// The host in a URL, without its port, an IPv6 address with its brackets; empty when there is none or a user name
/// stands before it, whatever that looks like. A view into the URL.
std::string_view host_of(std::string_view url);

/// 127.0.0.0/8 in four decimal parts, "[::1]", "localhost": nothing that is resolved.
bool is_loopback(std::string_view host);

}  // namespace injector::backend::aws
