#include "injector/cli/probe.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "injector/cli/commands.h"
#include "injector/cli/say.h"
#include "injector/telemetry/harmless.h"
#include "scanner/base/fd.h"

namespace injector::cli {
namespace {

using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Fd;
using scanner::base::Ok;
using scanner::base::Result;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostAnswer = 64UL << 10;
constexpr int kPause = 20;  ///< Milliseconds between two questions of --wait.

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

/// A numeric address; what listens everywhere is asked on loopback.
std::optional<Address> address_of(std::string host, std::uint16_t port) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host == "localhost" || host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  Address address;
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (::inet_pton(AF_INET, host.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    address.size = sizeof four;
    std::memcpy(&address.storage, &four, sizeof four);
  } else if (::inet_pton(AF_INET6, host.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    address.size = sizeof six;
    std::memcpy(&address.storage, &six, sizeof six);
  } else {
    return std::nullopt;
  }
  return address;
}

std::string reason() { return std::generic_category().message(errno); }

Ok wait_for(const Fd& socket, short events, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return fail(Errc::away, "no answer in time");
    pollfd one{socket.get(), events, 0};
    const int ready = ::poll(&one, 1, static_cast<int>(left));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return fail(Errc::away, reason());
  }
}

Result<Fd> connect_to(const Address& address, Clock::time_point deadline) {
  Fd socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return fail(Errc::away, reason());
  // sockaddr is how the C interface takes every kind of address.
  const auto* any = reinterpret_cast<const sockaddr*>(&address.storage);
  if (::connect(socket.get(), any, address.size) == 0) return socket;
  if (errno != EINPROGRESS) return fail(Errc::away, reason());
  if (Ok connected = wait_for(socket, POLLOUT, deadline); !connected) return fail(std::move(connected).error());
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return fail(Errc::away, std::generic_category().message(error));
  return socket;
}

/// The whole answer to a request that lets the server close.
Result<std::string> exchange(const Address& address, const std::string& request, Clock::time_point deadline) {
  auto socket = connect_to(address, deadline);
  if (!socket) return fail(std::move(socket).error());
  if (Ok free = wait_for(*socket, POLLOUT, deadline); !free) return fail(std::move(free).error());
  if (::send(socket->get(), request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
    return fail(Errc::away, reason());
  }
  std::string answer;
  std::array<char, 4096> block{};
  for (;;) {
    if (Ok ready = wait_for(*socket, POLLIN, deadline); !ready) return fail(std::move(ready).error());
    const ssize_t n = ::recv(socket->get(), block.data(), block.size(), 0);
    if (n == 0) return answer;
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) return fail(Errc::away, reason());
    answer.append(block.data(), static_cast<std::size_t>(n));
    if (answer.size() > kMostAnswer) return fail(Errc::limit, "an answer that is too long");
  }
}

const char* path_of(Probe probe) {
  switch (probe) {
    case Probe::live:
      return "/livez";
    case Probe::started:
      return "/startupz";
    case Probe::ready:
      break;
  }
  return "/readyz";
}

struct Target {
  std::string host;
  std::uint16_t port = 0;
};

Result<Target> target_of(const Options& options, const Environment& environment) {
  if (options.address.empty()) {
    auto config = load_config(options, environment);
    if (!config) return fail(std::move(config).error());
    if (config->health.port == 0) return fail(Errc::usage, "the configuration has no health server (listen: none)");
    return Target{config->health.host, config->health.port};
  }
  const auto colon = options.address.rfind(':');
  Target target;
  if (colon != std::string::npos) {
    target.host = options.address.substr(0, colon);
    const char* const begin = options.address.data() + colon + 1;
    const char* const end = options.address.data() + options.address.size();
    if (std::from_chars(begin, end, target.port).ptr != end) target.port = 0;
  }
  if (target.host.empty()) target.host = "127.0.0.1";
  if (target.port == 0 || !address_of(target.host, target.port)) {
    return fail(Errc::usage, "--address must be an IP address and a port, such as 127.0.0.1:9909");
  }
  return target;
}

/// What was answered: the first line of a 200, or why not.
struct Answer {
  bool yes = false;
  std::string line;
};

Answer ask(const Options& options, const Address& address, const std::string& shown) {
  const std::string request =
      std::string("GET ") + path_of(options.probe) + " HTTP/1.1\r\nHost: " + shown + "\r\nConnection: close\r\n\r\n";
  const auto answer = exchange(address, request, Clock::now() + options.timeout);
  if (!answer) return {false, shown + ": " + answer.error().message()};
  const bool http = answer->starts_with("HTTP/1.1 ") && answer->size() > 12;
  const auto end = answer->find("\r\n\r\n");
  if (!http || end == std::string::npos) return {false, shown + ": answers, but not as a sidecar"};
  std::string line = answer->substr(end + 4);
  line.resize(std::min(line.size(), line.find('\n')));
  line = telemetry::harmless(line);
  if (answer->compare(9, 3, "200") != 0) return {false, line.empty() ? "no" : line};
  return {true, line};
}

}  // namespace

int run_probe(const Options& options, const Environment& environment) {
  const auto target = target_of(options, environment);
  if (!target) return refuse_config(options, target.error());
  const auto address = address_of(target->host, target->port);
  if (!address) return refuse(options, {Errc::config, target->host + " is no IP address"});
  const std::string shown = target->host + ":" + std::to_string(target->port);
  const auto until = Clock::now() + options.wait;
  Answer answer = ask(options, *address, shown);
  while (!answer.yes && Clock::now() < until) {
    ::poll(nullptr, 0, kPause);
    answer = ask(options, *address, shown);
  }
  if (!answer.yes) {
    say(answer.line);
    return kFailed;
  }
  std::printf("%s\n", answer.line.c_str());
  return kGood;
}

}  // namespace injector::cli
