#include "injector/webhook/self_managed.h"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "tests/injector/net/loop.h"
#include "tests/injector/webhook/fake_api.h"

namespace {

using namespace injector::webhook;
using injector::memory::Secret;
using injector::telemetry::Level;
using injector::telemetry::Log;
using nlohmann::json;
using scanner::base::Errc;
using scanner::base::Ok;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

constexpr const char* kSecret = "/api/v1/namespaces/ns/secrets/certs";
constexpr const char* kLease = "/apis/coordination.k8s.io/v1/namespaces/ns/leases/leader";
constexpr const char* kWebhook = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/hook";

std::string decoded(const std::string& base64) {
  std::string out(base64.size() / 4 * 3, '\0');
  const int size =
      ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(base64.data()), static_cast<int>(base64.size()));
  const std::size_t padding = base64.ends_with("==") ? 2 : base64.ends_with("=") ? 1 : 0;
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

class SelfManagedTest : public testing::Test {
 protected:
  SelfManagedTest() {
    char name[] = "/tmp/self-managed-XXXXXX";
    const int fd = ::mkstemp(name);
    token_ = name;
    EXPECT_EQ(::write(fd, "token\n", 6), 6);
    ::close(fd);
    api_.put(kWebhook,
             {{"webhooks",
               {{{"name", "one"}, {"clientConfig", {{"service", {{"name", "svc"}}}}}, {"failurePolicy", "Fail"}},
                {{"name", "two"}, {"clientConfig", {{"caBundle", "b2xk"}}}}}}});
  }
  ~SelfManagedTest() override { ::unlink(token_.c_str()); }

  /// A replica of the webhook.
  struct Replica {
    Replica(SelfManagedTest& test, const std::string& holder, SelfManagedTimes times = {})
        : kubernetes(std::make_unique<tests::FakeApiHttp>(test.api_), "https://api", test.token_),
          self_managed(kubernetes, {"svc", "ns", "certs", "hook", "leader", holder}, times, test.log_,
                       [this](const Pair& leaf) {
                         served.push_back(leaf.certificate);
                         return Ok();
                       }) {}

    Kubernetes kubernetes;
    std::vector<std::string> served;
    SelfManaged self_managed;
  };

  Ok look(Replica& replica) { return tests::run(loop_, replica.self_managed.look()); }

  std::string bundle(std::size_t webhook) const {
    return decoded(api_.objects.at(kWebhook).at("webhooks").at(webhook).at("clientConfig").at("caBundle"));
  }
  std::string kept(const std::string& name) const { return decoded(api_.objects.at(kSecret).at("data").at(name)); }
  void keep(const Keeping& keeping) {
    json data = json::object();
    for (const auto& [name, value] : write_keeping(keeping)) {
      std::string text((value.size() + 2) / 3 * 4 + 1, '\0');
      const std::string plain(value.reveal());
      text.resize(static_cast<std::size_t>(::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                                             reinterpret_cast<const unsigned char*>(plain.data()),
                                                             static_cast<int>(plain.size()))));
      data[name] = text;
    }
    api_.put(kSecret, {{"metadata", {{"name", "certs"}, {"labels", {{"kept", "yes"}}}}}, {"data", data}});
  }
  static Keeping made_at(Time time) {
    auto plan = injector::webhook::plan({}, names_of_service("svc", "ns"), Published::no, time);
    EXPECT_TRUE(plan);
    return std::move(plan->keeping);
  }
  [[nodiscard]] std::size_t times_asked(const std::string& what) const {
    return static_cast<std::size_t>(std::ranges::count(api_.asked, what));
  }

  tests::FakeApi api_;
  std::string token_;
  Log log_{-1, Log::Format::json, Level::debug};
  boost::asio::io_context loop_;
};

TEST_F(SelfManagedTest, MakesEverythingInAnEmptyNamespace) {
  Replica replica(*this, "a");
  const Ok looked = look(replica);
  ASSERT_TRUE(looked) << looked.error().message();
  ASSERT_EQ(replica.served.size(), 1U);
  EXPECT_EQ(kept("tls.crt"), replica.served[0]);
  EXPECT_EQ(bundle(0), kept("ca.crt"));
  EXPECT_EQ(bundle(1), kept("ca.crt"));
  EXPECT_EQ(api_.objects.at(kWebhook).at("webhooks").at(0).at("failurePolicy"), "Fail");
  EXPECT_EQ(api_.objects.at(kLease).at("spec").at("holderIdentity"), "a");
  EXPECT_TRUE(replica.self_managed.leads());
}

TEST_F(SelfManagedTest, FillsWhatTheManifestsMadeWithoutTheRightToCreate) {
  api_.may_create = false;
  api_.put(kSecret, {{"metadata", {{"name", "certs"}, {"labels", {{"kept", "yes"}}}}}});
  api_.put(kLease, {{"metadata", {{"name", "leader"}}}});
  Replica replica(*this, "a");
  const Ok looked = look(replica);
  ASSERT_TRUE(looked) << looked.error().message();
  EXPECT_EQ(bundle(0), kept("ca.crt"));
  EXPECT_EQ(api_.objects.at(kSecret).at("metadata").at("labels").at("kept"), "yes");
  for (const std::string& asked : api_.asked) EXPECT_THAT(asked, Not(HasSubstr("POST")));
}

TEST_F(SelfManagedTest, WritesNothingMoreWhenAllIsWell) {
  Replica replica(*this, "a");
  ASSERT_TRUE(look(replica));
  api_.asked.clear();
  ASSERT_TRUE(look(replica));
  EXPECT_EQ(api_.asked, (std::vector<std::string>{std::string("GET ") + kLease, std::string("PATCH ") + kLease,
                                                  std::string("GET ") + kSecret, std::string("GET ") + kWebhook}));
  EXPECT_EQ(replica.served.size(), 1U);
}

TEST_F(SelfManagedTest, ServesOneLeafFromAllReplicasAndLetsOneLead) {
  Replica a(*this, "a");
  Replica b(*this, "b");
  ASSERT_TRUE(look(a));
  ASSERT_TRUE(look(b));
  EXPECT_TRUE(a.self_managed.leads());
  EXPECT_FALSE(b.self_managed.leads());
  EXPECT_EQ(a.served, b.served);
}

TEST_F(SelfManagedTest, LetsAnotherLeadWhenTheLeaderLeaves) {
  Replica a(*this, "a");
  Replica b(*this, "b");
  ASSERT_TRUE(look(a));
  boost::asio::co_spawn(loop_, a.self_managed.leave(), boost::asio::detached);
  loop_.restart();
  loop_.run();
  ASSERT_TRUE(look(b));
  EXPECT_TRUE(b.self_managed.leads());
  EXPECT_EQ(api_.objects.at(kLease).at("spec").at("leaseTransitions"), 1);
}

TEST_F(SelfManagedTest, LetsAnotherLeadWhenTheLeaderIsSilentForTheLeasesTime) {
  SelfManagedTimes times;
  times.lease = 1s;
  Replica a(*this, "a", times);
  Replica b(*this, "b", times);
  ASSERT_TRUE(look(a));
  ASSERT_TRUE(look(b));
  EXPECT_FALSE(b.self_managed.leads());
  std::this_thread::sleep_for(600ms);
  ASSERT_TRUE(look(a));  // Renewed: the time begins anew for b.
  std::this_thread::sleep_for(600ms);
  ASSERT_TRUE(look(b));
  EXPECT_FALSE(b.self_managed.leads());
  std::this_thread::sleep_for(1100ms);
  ASSERT_TRUE(look(b));
  EXPECT_TRUE(b.self_managed.leads());
}

TEST_F(SelfManagedTest, DoesNotLeadWhereAnotherTookTheLeaseInTheSameMoment) {
  api_.put(kLease, {{"metadata", {{"name", "leader"}}}});
  api_.weather = [this](const std::string& method, const std::string& path) {
    if (method == "PATCH" && path == kLease) {
      api_.weather = nullptr;
      api_.put(kLease,
               {{"metadata", {{"name", "leader"}}}, {"spec", {{"holderIdentity", "b"}, {"leaseDurationSeconds", 40}}}});
    }
    return 0;
  };
  keep(made_at(std::chrono::system_clock::now()));
  Replica a(*this, "a");
  ASSERT_TRUE(look(a));
  EXPECT_FALSE(a.self_managed.leads());
  EXPECT_EQ(times_asked(std::string("PATCH ") + kSecret), 0U);
  EXPECT_EQ(a.served.size(), 1U);
}

TEST_F(SelfManagedTest, YieldsToASecretThatAnotherWroteMeanwhile) {
  const Keeping theirs = made_at(std::chrono::system_clock::now());
  api_.put(kSecret, {{"metadata", {{"name", "certs"}}}});
  api_.weather = [&](const std::string& method, const std::string& path) {
    if (method == "PATCH" && path == kSecret) {
      api_.weather = nullptr;
      keep(theirs);
    }
    return 0;
  };
  Replica a(*this, "a");
  const Ok first = look(a);
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code(), Errc::limit);
  EXPECT_EQ(kept("tls.crt"), theirs.leaf.certificate);
  ASSERT_TRUE(look(a));
  EXPECT_EQ(a.served, std::vector<std::string>{theirs.leaf.certificate});
}

TEST_F(SelfManagedTest, YieldsToAConfigurationThatAnotherWroteMeanwhile) {
  api_.weather = [&](const std::string& method, const std::string& path) {
    if (method == "PATCH" && path == kWebhook) {
      api_.weather = nullptr;
      json changed = api_.objects.at(kWebhook);
      std::swap(changed["webhooks"][0], changed["webhooks"][1]);
      api_.put(kWebhook, changed);
    }
    return 0;
  };
  Replica a(*this, "a");
  const Ok first = look(a);
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code(), Errc::limit);
  ASSERT_TRUE(look(a));
  EXPECT_EQ(bundle(0), kept("ca.crt"));
  EXPECT_EQ(bundle(1), kept("ca.crt"));
}

TEST_F(SelfManagedTest, MendsABundleThatSomebodyReplaced) {
  Replica a(*this, "a");
  ASSERT_TRUE(look(a));
  json changed = api_.objects.at(kWebhook);
  changed["webhooks"][1]["clientConfig"]["caBundle"] = "b2xk";
  api_.put(kWebhook, changed);
  ASSERT_TRUE(look(a));
  EXPECT_EQ(bundle(1), kept("ca.crt"));
}

TEST_F(SelfManagedTest, RenewsALeafAtTwoThirdsAndAllReplicasFollow) {
  keep(made_at(std::chrono::system_clock::now() - std::chrono::hours(24 * 21)));
  const std::string old_leaf = kept("tls.crt");
  Replica a(*this, "a");
  Replica b(*this, "b");
  ASSERT_TRUE(look(a));
  ASSERT_TRUE(look(b));
  EXPECT_NE(kept("tls.crt"), old_leaf);
  EXPECT_EQ(a.served, b.served);
  EXPECT_EQ(bundle(0), kept("ca.crt"));
}

TEST_F(SelfManagedTest, AnnouncesANewAuthorityBeforeItServesALeafOfIt) {
  keep(made_at(std::chrono::system_clock::now() - std::chrono::hours(24 * 245)));
  const std::string old_authority = kept("ca.crt");
  SelfManagedTimes times;
  times.lifetimes.announcement = 1s;
  times.lifetimes.farewell = 1s;
  Replica a(*this, "a", times);
  ASSERT_TRUE(look(a));
  const std::string next = kept("next-ca.crt");
  EXPECT_EQ(kept("ca.crt"), old_authority);
  EXPECT_EQ(bundle(0), old_authority + next);
  std::this_thread::sleep_for(2100ms);
  ASSERT_TRUE(look(a));
  EXPECT_EQ(kept("ca.crt"), next);
  EXPECT_EQ(bundle(0), next + old_authority);
  EXPECT_EQ(a.served.size(), 2U);
  std::this_thread::sleep_for(2100ms);
  ASSERT_TRUE(look(a));
  EXPECT_EQ(bundle(0), next);
  EXPECT_FALSE(api_.objects.at(kSecret).at("data").contains("previous-ca.crt"));
  EXPECT_EQ(api_.objects.at(kSecret).at("metadata").at("labels").at("kept"), "yes");
}

TEST_F(SelfManagedTest, ServesWhatItHasWhileTheApiServerIsAway) {
  Replica a(*this, "a");
  ASSERT_TRUE(look(a));
  for (const int status : {-1, 500, 503, 429, 401, 403}) {
    api_.weather = [status](const std::string&, const std::string&) { return status; };
    const Ok looked = look(a);
    ASSERT_FALSE(looked);
    EXPECT_EQ(looked.error().code(), status == 401 || status == 403 ? Errc::denied : Errc::away) << status;
    EXPECT_FALSE(a.self_managed.leads());
  }
  api_.weather = nullptr;
  ASSERT_TRUE(look(a));
  EXPECT_EQ(a.served.size(), 1U);
}

TEST_F(SelfManagedTest, NamesWhatItMayNotDoAndShowsNoKey) {
  api_.may_create = false;
  Replica a(*this, "a");
  const Ok looked = look(a);
  ASSERT_FALSE(looked);
  EXPECT_THAT(looked.error().message(), HasSubstr("403"));
  EXPECT_THAT(looked.error().message(), HasSubstr("/leases"));
  EXPECT_THAT(looked.error().message(), Not(HasSubstr("token")));
}

TEST_F(SelfManagedTest, GoesOnWhereTheSecretHoldsGarbage) {
  api_.put(kSecret, {{"metadata", {{"name", "certs"}}},
                     {"data", {{"ca.crt", "!!!"}, {"tls.crt", "Z2FyYmFnZQ=="}, {"tls.key", 7}, {"mine", "bWluZQ=="}}}});
  Replica a(*this, "a");
  const Ok looked = look(a);
  ASSERT_TRUE(looked) << looked.error().message();
  EXPECT_EQ(a.served.size(), 1U);
  EXPECT_EQ(kept("mine"), "mine");
}

}  // namespace
