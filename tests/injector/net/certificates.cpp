#include "tests/injector/net/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

#include "scanner/base/check.h"

namespace tests {
namespace {

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  std::string text(bytes, static_cast<std::size_t>(size));
  ::BIO_free(bio);
  return text;
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = ::X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  SCANNER_CHECK(extension != nullptr);
  ::X509_add_ext(certificate, extension, -1);
  ::X509_EXTENSION_free(extension);
}

}  // namespace

Identity make_identity(const CertificateWish& wish) {
  EVP_PKEY* const key =
      wish.rsa_bits > 0 ? EVP_RSA_gen(static_cast<unsigned>(wish.rsa_bits)) : EVP_EC_gen("prime256v1");
  X509* const certificate = ::X509_new();
  ::X509_set_version(certificate, 2);
  std::uint64_t serial = 0;
  ::RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ::ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1U);
  ::X509_gmtime_adj(X509_getm_notBefore(certificate), wish.from_seconds);
  ::X509_gmtime_adj(X509_getm_notAfter(certificate), wish.to_seconds);
  ::X509_set_pubkey(certificate, key);
  ::X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(wish.common_name.c_str()), -1, -1, 0);
  X509* issuer = certificate;
  EVP_PKEY* signer = key;
  if (wish.issuer != nullptr) {
    BIO* const pem = ::BIO_new_mem_buf(wish.issuer->certificate.data(), -1);
    issuer = ::PEM_read_bio_X509(pem, nullptr, nullptr, nullptr);
    ::BIO_free(pem);
    BIO* const key_pem = ::BIO_new_mem_buf(wish.issuer->key.data(), -1);
    signer = ::PEM_read_bio_PrivateKey(key_pem, nullptr, nullptr, nullptr);
    ::BIO_free(key_pem);
  }
  ::X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  extend(certificate, issuer, NID_subject_key_identifier, "hash");
  if (wish.issuer != nullptr) extend(certificate, issuer, NID_authority_key_identifier, "keyid");
  extend(certificate, issuer, NID_basic_constraints, wish.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (wish.authority) {
    extend(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
  } else {
    extend(certificate, issuer, NID_ext_key_usage, wish.usage);
  }
  std::string names;
  for (const std::string& name : wish.names) names += (names.empty() ? "" : ",") + name;
  if (!names.empty()) extend(certificate, issuer, NID_subject_alt_name, names);
  SCANNER_CHECK(::X509_sign(certificate, signer, ::EVP_sha256()) > 0);

  Identity made;
  BIO* const out = ::BIO_new(::BIO_s_mem());
  ::PEM_write_bio_X509(out, certificate);
  made.certificate = text_of(out);
  BIO* const key_out = ::BIO_new(::BIO_s_mem());
  ::PEM_write_bio_PrivateKey(key_out, key, nullptr, nullptr, 0, nullptr, nullptr);
  made.key = text_of(key_out);
  if (issuer != certificate) ::X509_free(issuer);
  if (signer != key) ::EVP_PKEY_free(signer);
  ::X509_free(certificate);
  ::EVP_PKEY_free(key);
  return made;
}

}  // namespace tests
