#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tests {

/// Why no process can be traced here; empty when it can.
const std::string& no_tracing();

/// One system call of a traced process, on its way in.
struct Call {
  int index = 0;  ///< From 1, counted from the process' own SIGSTOP.
  std::uint64_t number = 0;
  bool files = false;  ///< One that names or changes files: an error of it is something a kernel may well answer.
  bool write = false;
};

struct Deed {
  enum class What : std::uint8_t { go, kill, fail, halve } what = What::go;
  int error = 0;  ///< For `fail`.
};

struct Ended {
  bool killed = false;
  int code = -1;
  int calls = 0;
};

/// Runs this test program again as "child ARGUMENTS...", asks `on_call` at each system call from its SIGSTOP on.
Ended trace(const std::vector<std::string>& arguments, const std::function<Deed(const Call&)>& on_call);

}  // namespace tests
