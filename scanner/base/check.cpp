#include "scanner/base/check.h"

#include <cerrno>  // program_invocation_short_name
#include <cstdio>
#include <cstdlib>

namespace scanner::base {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s: internal error: %s (%s:%d)\n", program_invocation_short_name, condition, file, line);
  std::abort();
}

}  // namespace scanner::base
