#include "scanner/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace scanner::base {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "scan-secrets: internal error: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace scanner::base
