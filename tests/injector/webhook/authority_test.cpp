#include "injector/webhook/authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

#include "injector/webhook/tls.h"

namespace {

using namespace injector::webhook;
using injector::memory::Secret;
using std::chrono::hours;
using std::chrono::minutes;
using testing::HasSubstr;

const std::vector<std::string> kNames = names_of_service("secret-webhook", "secret-injector");
const Time kBegin = std::chrono::system_clock::now();
constexpr auto kDay = hours(24);

/// Plans until nothing changes, as a leader does in one look; how many steps it took.
int settle(Keeping& keeping, Time now, Published published = Published::yes) {
  for (int steps = 0; steps < 5; ++steps) {
    auto next = plan(keeping, kNames, published, now);
    EXPECT_TRUE(next);
    if (!next->changed) return steps;
    keeping = std::move(next->keeping);
  }
  ADD_FAILURE() << "the plan does not come to an end";
  return -1;
}

Keeping fresh() {
  Keeping keeping;
  EXPECT_EQ(settle(keeping, kBegin), 1);
  return keeping;
}

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
Certificate parsed(const std::string& pem) {
  BIO* const bio = ::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  Certificate certificate(::PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), &X509_free);
  ::BIO_free(bio);
  return certificate;
}

/// As a client does that trusts the bundle: 0, or OpenSSL's X509_V_ERR_*.
int verified(const std::string& leaf, const std::string& bundle, Time now, const std::string& host) {
  X509_STORE* const store = ::X509_STORE_new();
  BIO* const bio = ::BIO_new_mem_buf(bundle.data(), static_cast<int>(bundle.size()));
  while (X509* const one = ::PEM_read_bio_X509(bio, nullptr, nullptr, nullptr)) {
    ::X509_STORE_add_cert(store, one);
    ::X509_free(one);
  }
  ::BIO_free(bio);
  const Certificate certificate = parsed(leaf);
  X509_STORE_CTX* const context = ::X509_STORE_CTX_new();
  ::X509_STORE_CTX_init(context, store, certificate.get(), nullptr);
  X509_VERIFY_PARAM* const parameters = ::X509_STORE_CTX_get0_param(context);
  ::X509_VERIFY_PARAM_set_time(parameters, std::chrono::system_clock::to_time_t(now));
  ::X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size());
  ::X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER);
  ::X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
  ::X509_verify_cert(context);
  const int error = ::X509_STORE_CTX_get_error(context);
  ::X509_STORE_CTX_free(context);
  ::X509_STORE_free(store);
  return error;
}

constexpr const char* kHost = "secret-webhook.secret-injector.svc";

TEST(Authority, MakesALeafThatAClientOfTheBundleTrusts) {
  const Keeping keeping = fresh();
  EXPECT_EQ(verified(keeping.leaf.certificate, keeping.bundle(), kBegin, kHost), X509_V_OK);
  EXPECT_EQ(verified(keeping.leaf.certificate, keeping.bundle(), kBegin - minutes(4), kHost), X509_V_OK);
  EXPECT_EQ(verified(keeping.leaf.certificate, keeping.bundle(), kBegin, "secret-webhook.elsewhere.svc"),
            X509_V_ERR_HOSTNAME_MISMATCH);
  EXPECT_EQ(verified(keeping.leaf.certificate, fresh().bundle(), kBegin, kHost),
            X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
  EXPECT_TRUE(TlsIdentityInUse::create(keeping.leaf.certificate, keeping.leaf.key));
}

TEST(Authority, UsesP256AndThirtyDays) {
  const Keeping keeping = fresh();
  for (const std::string& pem : {keeping.leaf.certificate, keeping.authority.certificate}) {
    EXPECT_EQ(::EVP_PKEY_get_bits(::X509_get0_pubkey(parsed(pem).get())), 256);
  }
  const auto life = end_of(keeping.leaf.certificate) - kBegin;
  EXPECT_GT(life, 30 * kDay - hours(1));
  EXPECT_LE(life, 30 * kDay + hours(1));
}

TEST(Authority, KeepsWhatIsGood) {
  Keeping keeping = fresh();
  const std::string leaf = keeping.leaf.certificate;
  EXPECT_EQ(settle(keeping, kBegin + 19 * kDay), 0);
  EXPECT_EQ(keeping.leaf.certificate, leaf);
}

TEST(Authority, RenewsTheLeafAtTwoThirds) {
  Keeping keeping = fresh();
  const std::string authority = keeping.authority.certificate;
  const std::string leaf = keeping.leaf.certificate;
  EXPECT_EQ(settle(keeping, kBegin + 20 * kDay + hours(1)), 1);
  EXPECT_NE(keeping.leaf.certificate, leaf);
  EXPECT_EQ(keeping.authority.certificate, authority);
  EXPECT_EQ(verified(keeping.leaf.certificate, authority, kBegin + 45 * kDay, kHost), X509_V_OK);
}

TEST(Authority, RollsInThreeStepsAndTrustsBothMeanwhile) {
  Keeping keeping = fresh();
  const std::string first = keeping.authority.certificate;
  Time now = kBegin + 244 * kDay;
  settle(keeping, now);
  const std::string second = keeping.next.certificate;
  ASSERT_FALSE(second.empty());
  EXPECT_EQ(keeping.authority.certificate, first);
  EXPECT_THAT(keeping.bundle(), HasSubstr(first));
  EXPECT_THAT(keeping.bundle(), HasSubstr(second));
  const std::string old_leaf = keeping.leaf.certificate;

  // Not while the API server may not have heard of it, and not before the time for it to hear.
  EXPECT_EQ(settle(keeping, now + minutes(9)), 0);
  EXPECT_EQ(settle(keeping, now + minutes(11), Published::no), 0);
  EXPECT_EQ(keeping.authority.certificate, first);

  now += minutes(11);
  const std::string bundle_before = keeping.bundle();
  EXPECT_EQ(settle(keeping, now), 1);
  EXPECT_EQ(keeping.authority.certificate, second);
  EXPECT_EQ(keeping.previous, first);
  EXPECT_TRUE(keeping.next.empty());
  // Each leaf is trusted by the bundle before the change and by the one after it.
  for (const std::string& bundle : {bundle_before, keeping.bundle()}) {
    EXPECT_EQ(verified(old_leaf, bundle, now, kHost), X509_V_OK);
    EXPECT_EQ(verified(keeping.leaf.certificate, bundle, now, kHost), X509_V_OK);
  }

  EXPECT_EQ(settle(keeping, now + minutes(59)), 0);
  EXPECT_EQ(settle(keeping, now + minutes(61)), 1);
  EXPECT_TRUE(keeping.previous.empty());
  EXPECT_EQ(keeping.bundle(), second);
}

TEST(Authority, LivesFourYearsByItsOwnPlanWithoutAGap) {
  Keeping keeping = fresh();
  std::string published = keeping.bundle();
  for (Time now = kBegin; now < kBegin + 1460 * kDay; now += hours(23)) {
    const std::string served = keeping.leaf.certificate;
    auto next = plan(keeping, kNames, published == keeping.bundle() ? Published::yes : Published::no, now);
    ASSERT_TRUE(next);
    if (next->changed) keeping = std::move(next->keeping);
    // Others still serve the leaf of before, and the API server still trusts the bundle of before.
    ASSERT_EQ(verified(served, keeping.bundle(), now, kHost), X509_V_OK) << next->reason;
    ASSERT_EQ(verified(keeping.leaf.certificate, published, now, kHost), X509_V_OK) << next->reason;
    published = keeping.bundle();
    ASSERT_EQ(verified(keeping.leaf.certificate, published, now, kHost), X509_V_OK) << next->reason;
  }
}

TEST(Authority, BeginsAnewWhereWhatIsKeptIsOfNoUse) {
  const std::vector<std::function<void(Keeping&)>> harms = {
      [](Keeping& k) { k.authority.certificate = "garbage"; },
      [](Keeping& k) { k.authority.key = Secret::copy_of("garbage"); },
      [](Keeping& k) { k.authority.key = fresh().authority.key.clone(); },
      [](Keeping& k) { k.authority.certificate.resize(k.authority.certificate.size() / 2); },
      [](Keeping& k) { k.leaf = {}; },
      [](Keeping& k) { k.leaf.key = {}; },
      [](Keeping& k) { k.leaf.key = fresh().leaf.key.clone(); },
      [](Keeping& k) { k.leaf = fresh().leaf.clone(); },
      [](Keeping& k) {
        k.next = {"garbage", Secret::copy_of("garbage")};
      },
      [](Keeping& k) { k.leaf = k.authority.clone(); }};
  for (std::size_t i = 0; i < harms.size(); ++i) {
    Keeping keeping = fresh();
    harms[i](keeping);
    EXPECT_GE(settle(keeping, kBegin), 1) << i;
    EXPECT_EQ(verified(keeping.leaf.certificate, keeping.bundle(), kBegin, kHost), X509_V_OK) << i;
    EXPECT_TRUE(TlsIdentityInUse::create(keeping.leaf.certificate, keeping.leaf.key)) << i;
  }
}

TEST(Authority, MakesALeafAnewForAnotherService) {
  const Keeping keeping = fresh();
  const auto next = plan(keeping, names_of_service("other", "secret-injector"), Published::yes, kBegin);
  ASSERT_TRUE(next);
  EXPECT_TRUE(next->changed);
  EXPECT_EQ(next->keeping.authority.certificate, keeping.authority.certificate);
}

TEST(Authority, ComesBackFromASecretAsItWentIn) {
  Keeping keeping = fresh();
  settle(keeping, kBegin + 244 * kDay);
  keeping.previous = keeping.next.certificate;
  const Keeping back = read_keeping(write_keeping(keeping));
  EXPECT_EQ(back.bundle(), keeping.bundle());
  EXPECT_EQ(back.leaf.certificate, keeping.leaf.certificate);
  EXPECT_TRUE(back.leaf.key.equals(keeping.leaf.key));
  EXPECT_TRUE(back.authority.key.equals(keeping.authority.key));
  EXPECT_TRUE(back.next.key.equals(keeping.next.key));
  EXPECT_TRUE(read_keeping({}).authority.empty());
}

}  // namespace
