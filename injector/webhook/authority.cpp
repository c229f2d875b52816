#include "injector/webhook/authority.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <memory>
#include <utility>

#include "injector/net/pem.h"

namespace injector::webhook {

using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Result;
using std::chrono::seconds;

namespace {

using net::Bio;
using net::Certificate;
using Key = net::PrivateKey;
using Extension = std::unique_ptr<X509_EXTENSION, net::OpenSslFree<X509_EXTENSION_free>>;

Time time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (::ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

struct Life {
  Time begin;
  Time end;
};
Life life_of(const X509* certificate) {
  return {time_of(::X509_get0_notBefore(certificate)), time_of(::X509_get0_notAfter(certificate))};
}

/// Not yet at two thirds of its life, and begun.
bool is_young(const Life& life, Time now) {
  return now >= life.begin && now < life.begin + (life.end - life.begin) * 2 / 3;
}

bool is_pair(const X509* certificate, const EVP_PKEY* key) {
  const bool belongs = ::X509_check_private_key(certificate, key) == 1;
  ::ERR_clear_error();
  return belongs;
}

/// Whether a pair is whole and, at this time, of use.
bool is_usable(const Pair& pair, Time now) {
  const Certificate certificate = net::first_certificate(pair.certificate);
  const Key key = net::private_key(pair.key.reveal());
  if (!certificate || !key || !is_pair(certificate.get(), key.get())) return false;
  const Life life = life_of(certificate.get());
  return now >= life.begin && now < life.end;
}

bool is_signed_by(X509* leaf, const Pair& authority) {
  const Certificate issuer = net::first_certificate(authority.certificate);
  if (!issuer) return false;
  const bool is = ::X509_check_issued(issuer.get(), leaf) == X509_V_OK &&
                  ::X509_verify(leaf, ::X509_get0_pubkey(issuer.get())) == 1;
  ::ERR_clear_error();
  return is;
}

bool carries(X509* certificate, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (::X509_check_host(certificate, name.data(), name.size(), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, nullptr) != 1) {
      return false;
    }
  }
  return true;
}

bool extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509V3_set_ctx_nodb(&context);
  const Extension extension(::X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && ::X509_add_ext(certificate, extension.get(), -1) == 1;
}

std::string text_of(X509* certificate) {
  const Bio bio(::BIO_new(::BIO_s_mem()));
  if (!bio || ::PEM_write_bio_X509(bio.get(), certificate) != 1) return {};
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

memory::Secret text_of(EVP_PKEY* key) {
  const Bio bio(::BIO_new(::BIO_s_secmem()));
  if (!bio || ::PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) return {};
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return memory::Secret::copy_of({bytes, static_cast<std::size_t>(size)});
}

struct Wish {
  std::string common_name;
  std::vector<std::string> names;  ///< Of a leaf.
  const Pair* issuer = nullptr;    ///< Null: an authority, signed by itself.
  Time begin;
  Time end;
};

bool describe(X509* certificate, X509* issuer, const Wish& wish) {
  bool well = extend(certificate, issuer, NID_subject_key_identifier, "hash");
  if (wish.issuer == nullptr) {
    return well && extend(certificate, issuer, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
           extend(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
  }
  std::string names;
  for (const std::string& name : wish.names) names += (names.empty() ? "DNS:" : ",DNS:") + name;
  well = well && extend(certificate, issuer, NID_authority_key_identifier, "keyid:always");
  well = well && extend(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE");
  well = well && extend(certificate, issuer, NID_key_usage, "critical,digitalSignature");
  well = well && extend(certificate, issuer, NID_ext_key_usage, "serverAuth");
  return well && extend(certificate, issuer, NID_subject_alt_name, names);
}

Result<Pair> make(const Wish& wish) {
  const auto failed = [] {
    ::ERR_clear_error();
    return fail(Errc::limit, "OpenSSL could not make a certificate");
  };
  const Key key(::EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "prime256v1"));
  const Certificate certificate(::X509_new());
  if (!key || !certificate) return failed();
  X509* const made = certificate.get();
  std::array<unsigned char, 16> serial{};
  if (::RAND_bytes(serial.data(), serial.size()) != 1) return failed();
  serial[0] = static_cast<unsigned char>((serial[0] & 0x7FU) | 0x40U);  // Positive, and never shorter.
  const std::unique_ptr<BIGNUM, net::OpenSslFree<BN_free>> number(::BN_bin2bn(serial.data(), serial.size(), nullptr));
  bool well = number && ::BN_to_ASN1_INTEGER(number.get(), ::X509_get_serialNumber(made)) != nullptr;
  well = well && ::X509_set_version(made, 2) == 1;
  well =
      well && ::ASN1_TIME_set(::X509_getm_notBefore(made), std::chrono::system_clock::to_time_t(wish.begin)) != nullptr;
  well = well && ::ASN1_TIME_set(::X509_getm_notAfter(made), std::chrono::system_clock::to_time_t(wish.end)) != nullptr;
  well = well && ::X509_set_pubkey(made, key.get()) == 1;
  well = well &&
         ::X509_NAME_add_entry_by_txt(::X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(wish.common_name.c_str()), -1, -1, 0) == 1;
  const Certificate issuer = wish.issuer == nullptr ? nullptr : net::first_certificate(wish.issuer->certificate);
  const Key signer = wish.issuer == nullptr ? nullptr : net::private_key(wish.issuer->key.reveal());
  if (!well || (wish.issuer != nullptr && (!issuer || !signer))) return failed();
  X509* const by = issuer ? issuer.get() : made;
  well = ::X509_set_issuer_name(made, ::X509_get_subject_name(by)) == 1 && describe(made, by, wish) &&
         ::X509_sign(made, signer ? signer.get() : key.get(), ::EVP_sha256()) > 0;
  if (!well) return failed();
  Pair pair{text_of(made), text_of(key.get())};
  if (pair.certificate.empty() || pair.key.empty()) return failed();
  return pair;
}

Result<Pair> make_authority(Time now, const Lifetimes& lifetimes) {
  // With its time in the name: of two authorities of one name, OpenSSL and Go would try the wrong one first.
  const auto stamp = std::to_string(std::chrono::duration_cast<seconds>(now.time_since_epoch()).count());
  return make({.common_name = "secret-webhook authority " + stamp,
               .names = {},
               .issuer = nullptr,
               .begin = now - lifetimes.skew,
               .end = now + lifetimes.authority});
}

Result<Pair> make_leaf(const Pair& authority, const std::vector<std::string>& names, Time now,
                       const Lifetimes& lifetimes) {
  // A leaf that outlived its authority would fail before it says so.
  const Time end = std::min(now + lifetimes.leaf, end_of(authority.certificate));
  return make({.common_name = "secret-webhook",
               .names = names,
               .issuer = &authority,
               .begin = now - lifetimes.skew,
               .end = end});
}

const memory::Secret* member(const SecretData& data, std::string_view name) {
  const auto found = data.find(name);
  return found == data.end() ? nullptr : &found->second;
}

std::string text_member(const SecretData& data, std::string_view name) {
  const memory::Secret* const found = member(data, name);
  // Certificates are public; keys never come here.
  return found == nullptr ? std::string() : std::string(found->reveal());
}

Pair pair_of(const SecretData& data, const std::string& name) {
  const memory::Secret* const key = member(data, name + ".key");
  return {text_member(data, name + ".crt"), key == nullptr ? memory::Secret() : key->clone()};
}

/// A step of plan(): null when it has nothing to do.
struct Step {
  const std::vector<std::string>& names;
  Published published;
  Time now;
  const Lifetimes& lifetimes;

  Result<Plan> begin_anew(std::string reason) const {
    Plan plan{.keeping = {}, .changed = true, .reason = std::move(reason)};
    auto authority = make_authority(now, lifetimes);
    if (!authority) return fail(std::move(authority).error());
    plan.keeping.authority = std::move(*authority);
    return with_leaf(std::move(plan));
  }
  Result<Plan> with_leaf(Plan plan) const {
    auto leaf = make_leaf(plan.keeping.authority, names, now, lifetimes);
    if (!leaf) return fail(std::move(leaf).error());
    plan.keeping.leaf = std::move(*leaf);
    return plan;
  }
};

}  // namespace

std::string Keeping::bundle() const {
  std::string all;
  for (const std::string* one : {&authority.certificate, &next.certificate, &previous}) {
    if (one->empty()) continue;
    all += *one;
    if (all.back() != '\n') all += '\n';
  }
  return all;
}

Keeping Keeping::clone() const { return {authority.clone(), next.clone(), previous, leaf.clone()}; }

Keeping read_keeping(const SecretData& data) {
  return {pair_of(data, "ca"), pair_of(data, "next-ca"), text_member(data, "previous-ca.crt"), pair_of(data, "tls")};
}

SecretData write_keeping(const Keeping& keeping) {
  SecretData data;
  const auto put = [&data](const std::string& name, const Pair& pair) {
    if (pair.empty()) return;
    data.emplace(name + ".crt", memory::Secret::copy_of(pair.certificate));
    data.emplace(name + ".key", pair.key.clone());
  };
  put("ca", keeping.authority);
  put("next-ca", keeping.next);
  put("tls", keeping.leaf);
  if (!keeping.previous.empty()) data.emplace("previous-ca.crt", memory::Secret::copy_of(keeping.previous));
  return data;
}

Result<Plan> plan(const Keeping& kept, const std::vector<std::string>& names, Published published, Time now,
                  const Lifetimes& lifetimes) {
  const Step step{names, published, now, lifetimes};
  if (kept.authority.empty()) return step.begin_anew("there are no certificates yet");
  if (!is_usable(kept.authority, now)) return step.begin_anew("the authority is broken, or its time is over");
  Plan plan{.keeping = kept.clone(), .changed = true, .reason = {}};

  const Certificate leaf = net::first_certificate(kept.leaf.certificate);
  const bool whole =
      leaf && is_usable(kept.leaf, now) && is_signed_by(leaf.get(), kept.authority) && carries(leaf.get(), names);
  if (!whole) {
    plan.reason = "the leaf is missing or broken, its time is over, or it is not for this service";
    return step.with_leaf(std::move(plan));
  }
  const Life authority_life = life_of(net::first_certificate(kept.authority.certificate).get());
  const bool announced = !kept.next.empty();
  if (announced && !is_usable(kept.next, now)) {
    plan.keeping.next = {};
    plan.reason = "the next authority is broken, or its time is over";
    return plan;
  }
  if (announced && published == Published::yes &&
      now >= life_of(net::first_certificate(kept.next.certificate).get()).begin + lifetimes.skew +
                 lifetimes.announcement) {
    plan.keeping.previous = kept.authority.certificate;
    plan.keeping.authority = kept.next.clone();
    plan.keeping.next = {};
    plan.reason = "the next authority takes over";
    return step.with_leaf(std::move(plan));
  }
  if (!announced && !is_young(authority_life, now)) {
    auto next = make_authority(now, lifetimes);
    if (!next) return fail(std::move(next).error());
    plan.keeping.next = std::move(*next);
    plan.reason = "the authority is at two thirds of its life";
    return plan;
  }
  if (!is_young(life_of(leaf.get()), now) && end_of(kept.authority.certificate) > life_of(leaf.get()).end) {
    plan.reason = "the leaf is at two thirds of its life";
    return step.with_leaf(std::move(plan));
  }
  if (!kept.previous.empty() && now >= life_of(leaf.get()).begin + lifetimes.skew + lifetimes.farewell) {
    plan.keeping.previous.clear();
    plan.reason = "the previous authority is not needed any more";
    return plan;
  }
  plan.changed = false;
  return plan;
}

Time end_of(std::string_view certificate_pem) {
  const Certificate certificate = net::first_certificate(certificate_pem);
  return certificate ? life_of(certificate.get()).end : Time{};
}

std::vector<std::string> names_of_service(std::string_view service, std::string_view service_namespace) {
  const std::string name = std::string(service) + "." + std::string(service_namespace);
  return {name + ".svc", name + ".svc.cluster.local", name, std::string(service)};
}

}  // namespace injector::webhook
