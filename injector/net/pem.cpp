#include "injector/net/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>

namespace injector::net {

namespace {

/// Without it OpenSSL would ask the terminal.
int no_password(char*, int, int, void*) { return -1; }

}  // namespace

Bio reading(std::string_view text) { return Bio(::BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

Certificate next_certificate(BIO* pem) { return Certificate(::PEM_read_bio_X509(pem, nullptr, no_password, nullptr)); }

Certificate first_certificate(std::string_view pem) {
  const Bio bio = reading(pem);
  Certificate certificate = next_certificate(bio.get());
  ::ERR_clear_error();
  return certificate;
}

PrivateKey private_key(std::string_view pem) {
  const Bio bio = reading(pem);
  PrivateKey key(::PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  ::ERR_clear_error();
  return key;
}

}  // namespace injector::net
