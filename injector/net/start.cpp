#include "injector/net/start.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <signal.h>

#include "injector/memory/zeroing.h"
#include "scanner/base/check.h"

namespace injector::net {
namespace {

void* crypto_malloc(std::size_t size, const char*, int) { return memory::zeroing_malloc(size); }
void* crypto_realloc(void* block, std::size_t size, const char*, int) { return memory::zeroing_realloc(block, size); }
void crypto_free(void* block, const char*, int) { memory::zeroing_free(block); }

}  // namespace

bool start() {
  static const bool kWiping = [] {
    ::signal(SIGPIPE, SIG_IGN);
    const bool taken = ::CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) == 1;
    SCANNER_CHECK(::curl_global_init_mem(CURL_GLOBAL_DEFAULT, memory::zeroing_malloc, memory::zeroing_free,
                                         memory::zeroing_realloc, memory::zeroing_strdup,
                                         memory::zeroing_calloc) == CURLE_OK);
    return taken;
  }();
  return kWiping;
}

}  // namespace injector::net
