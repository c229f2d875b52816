#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string_view>

/// OpenSSL's objects with an owner, and PEM without questions to a terminal.
namespace injector::net {

template <auto kFree>
struct OpenSslFree {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Bio = std::unique_ptr<BIO, OpenSslFree<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, OpenSslFree<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, OpenSslFree<EVP_PKEY_free>>;

/// Reads from `text`, which must live as long; at most 2 GiB.
Bio reading(std::string_view text);

/// The next certificate of `pem`; null where there is none, or a broken one. OpenSSL's errors stay queued.
Certificate next_certificate(BIO* pem);

/// The first certificate; null where there is none. Leaves no error queued.
Certificate first_certificate(std::string_view pem);

/// Null where there is none, or one with a passphrase. Leaves no error queued.
PrivateKey private_key(std::string_view pem);

}  // namespace injector::net
