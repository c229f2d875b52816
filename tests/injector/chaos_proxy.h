#pragma once

#include <cstdint>
#include <string>

#include "scanner/base/json.h"
#include "tests/support/talking_child.h"

namespace tests {

/// chaos_proxy.py between us and `to` ("127.0.0.1:8200"); its commands are listed there.
class ChaosProxy {
 public:
  explicit ChaosProxy(const std::string& to)
      : child_({"/usr/bin/python3", PROJECT_ROOT "/tests/injector/chaos_proxy.py", to}),
        port_(said(child_.line())["port"]) {}

  /// On 127.0.0.1.
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// False when it does not know the command.
  bool tell(const std::string& command) { return !said(child_.tell(command)).contains("error"); }
  /// Connections that were accepted since the start, or since `forget`.
  int connections() { return said(child_.tell("stats"))["connections"]; }

 private:
  static scanner::base::Json said(const std::string& line) {
    const auto json = scanner::base::parse_json(line);
    return json ? *json : scanner::base::Json{{"error", "no answer"}, {"port", 0}, {"connections", -1}};
  }

  TalkingChild child_;
  std::uint16_t port_;
};

}  // namespace tests
