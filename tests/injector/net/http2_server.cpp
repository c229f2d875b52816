#include "tests/injector/net/http2_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#include <vector>

#include "tests/injector/net/certificates.h"

namespace tests {
namespace {

using namespace std::chrono_literals;

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  ::socklen_t size = sizeof address;
  ::bind(fd, reinterpret_cast<::sockaddr*>(&address), size);
  ::getsockname(fd, reinterpret_cast<::sockaddr*>(&address), &size);
  ::close(fd);
  return ::ntohs(address.sin_port);
}

bool answers(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  address.sin_port = ::htons(port);
  const bool connected = ::connect(fd, reinterpret_cast<::sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

}  // namespace

Http2Server::Http2Server(const TemporaryDirectory& folder) : port_(free_port()) {
  const auto authority = make_identity({.common_name = "CA", .authority = true});
  const auto identity = make_identity({.names = {"DNS:localhost"}, .issuer = &authority});
  authority_ = authority.certificate;
  std::vector<std::string> words = {"nghttpd",
                                    "--verbose",
                                    "--address=127.0.0.1",
                                    "--htdocs=" + folder.path(),
                                    std::to_string(port_),
                                    folder.write("server.key", identity.key),
                                    folder.write("server.crt", identity.certificate)};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  log_ = folder / "log";
  ::posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 1, log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
  started_ = ::posix_spawnp(&child_, "nghttpd", &actions, nullptr, arguments.data(), environ) == 0;
  ::posix_spawn_file_actions_destroy(&actions);
  for (int i = 0; started_ && i < 100 && !answers(port_); ++i) std::this_thread::sleep_for(20ms);
}
void Http2Server::stop() {
  if (!started_) return;
  started_ = false;
  ::kill(child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
}

std::string Http2Server::url(const std::string& path) const {
  return "https://localhost:" + std::to_string(port_) + path;
}

}  // namespace tests
