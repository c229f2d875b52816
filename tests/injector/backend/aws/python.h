#pragma once

#include <unistd.h>

#include <cstdlib>
#include <string>

namespace tests {

inline constexpr const char* kNoMoto =
    "PyPI moto and botocore are not installed: tests/run.sh does it (python3 -m venv; pip install moto flask "
    "flask-cors)";

/// The interpreter that has moto and botocore; empty when there is none.
inline std::string python_with_moto() {
  const char* tools = std::getenv("SCAN_SECRETS_TOOLS");
  const char* home = std::getenv("HOME");
  const std::string folder =
      tools != nullptr ? tools : std::string(home != nullptr ? home : "") + "/.cache/scan-secrets-tests";
  const std::string python = folder + "/moto/bin/python3";
  return ::access(python.c_str(), X_OK) == 0 ? python : std::string();
}

}  // namespace tests
