#include "injector/backend/aws/host.h"

#include <system_error>

#include <algorithm>
#include <charconv>

namespace injector::backend::aws {

std::string_view host_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == url.npos) return {};
  url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  // A name before '@' is no host, whatever it looks like.
  if (url.find('@') != url.npos) return {};
  if (url.starts_with('[')) return url.substr(0, std::min(url.find(']'), url.size() - 1) + 1);
  return url.substr(0, url.find(':'));
}

bool is_loopback(std::string_view host) {
  if (host == "localhost" || host == "[::1]") return true;
  if (!host.starts_with("127.")) return false;
  int parts = 0;
  while (!host.empty()) {
    unsigned part = 0;
    const auto [end, error] = std::from_chars(host.data(), host.data() + host.size(), part);
    const auto size = static_cast<std::size_t>(end - host.data());
    if (error != std::errc() || part > 255 || size > 3) return false;
    ++parts;
    host.remove_prefix(size);
    if (host.empty()) break;
    if (host.front() != '.' || host.size() == 1) return false;
    host.remove_prefix(1);
  }
  return parts == 4;
}

}  // namespace injector::backend::aws
