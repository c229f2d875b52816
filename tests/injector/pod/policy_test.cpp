#include "injector/pod/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "injector/pod/names.h"

namespace injector::pod {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Policy good(const std::string& text) {
  auto policy = parse_policy(text, "policy.yaml");
  EXPECT_TRUE(policy) << (policy ? "" : policy.error().message());
  return policy ? *policy : Policy{};
}

std::string mistakes(const std::string& text) {
  auto policy = parse_policy(text, "policy.yaml");
  EXPECT_FALSE(policy);
  return policy ? "" : policy.error().message();
}

TEST(Policy, HasStoresInsideTheClusterWithoutAFile) {
  const Policy policy = default_policy();
  ASSERT_EQ(policy.stores.size(), 3U);
  EXPECT_EQ(policy.default_store_or_null()->addresses, (std::vector<std::string>{"https://vault.vault.svc:8200"}));
  EXPECT_EQ(policy.store("openbao")->ca.config_map, "kube-root-ca.crt");
  EXPECT_FALSE(policy.store("aws")->is_vault());
}

TEST(Policy, LeavesThePresetWhereTheFileSaysNothing) {
  const Policy policy = good("image: registry.example/secret-injector:1.0\nresources: { limits: { memory: 128Mi } }\n");
  EXPECT_EQ(policy.resources.memory_limit, "128Mi");
  EXPECT_EQ(policy.resources.memory_request, default_policy().resources.memory_request);
  EXPECT_EQ(policy.stores, default_policy().stores);
  EXPECT_EQ(policy.default_store, "vault");
}

TEST(Policy, ReadsEverythingThatAStoreCanHave) {
  const Policy policy = good(R"(
stores:
  prod:
    openbao:
      address: [https://bao-0.example:8200, https://bao-1.example:8200]
      ca: { secret: bao-ca, key: tls.crt }
      server_name: bao.example
      login: jwt
      auth_mount: jwt/cluster-1
      audience: bao
      role: shop
      roles: [shop, "shop-*"]
      namespace: team/app
      auth_namespace: team
      namespaces: ["team/*"]
      revoke: false
    pod_namespaces: [shop, "shop-*"]
  sm: { aws: { region: eu-central-1, identity: pod_identity } }
)");
  const StorePolicy& store = *policy.store("prod");
  EXPECT_EQ(store.provider, StorePolicy::Provider::openbao);
  EXPECT_EQ(store.login, StorePolicy::Login::jwt);
  EXPECT_EQ(store.auth_mount, "jwt/cluster-1");
  EXPECT_EQ(store.ca.key, "tls.crt");
  EXPECT_THAT(store.roles, ElementsAre("shop", "shop-*"));
  EXPECT_THAT(store.pod_namespaces, ElementsAre("shop", "shop-*"));
  EXPECT_FALSE(store.revoke);
  EXPECT_EQ(policy.store("sm")->identity, StorePolicy::Identity::pod_identity);
  EXPECT_EQ(policy.default_store_or_null(), nullptr);
}

TEST(Policy, TellsAllMistakesWithTheirLinesAndQuotesNothing) {
  const std::string told = mistakes(R"(image: "two words"
native_sidecars: true
stores:
  prod:
    vault: { address: "http://vault.example:8200", tokn: hvs.CANARY }
  arn: { aws: {} }
  both: { aws: {}, vault: { address: "https://v.example" } }
default_store: nowhere
token_expiration: 1m
)");
  EXPECT_THAT(told, HasSubstr("policy.yaml:1: image: must be an image"));
  EXPECT_THAT(told, HasSubstr("policy.yaml:2: native_sidecars: "));
  EXPECT_THAT(told, HasSubstr("did you mean \"native_sidecar\"?"));
  EXPECT_THAT(told, HasSubstr("policy.yaml:5: stores.prod.vault.address: must be https"));
  EXPECT_THAT(told, HasSubstr("policy.yaml:6: stores.arn: must have another name"));
  EXPECT_THAT(told, HasSubstr("policy.yaml:7: stores.both"));
  EXPECT_THAT(told, HasSubstr("policy.yaml:9: token_expiration: must be from 10m to 1d"));
  EXPECT_EQ(told.find("CANARY"), std::string::npos);
}

TEST(Policy, TakesCertificatesButNoKey) {
  const std::string body(64, 'A');
  const std::string good_pem = "-----BEGIN CERTIFICATE-----\n      " + body + "\n      -----END CERTIFICATE-----\n";
  const auto with = [](const std::string& pem) {
    return "stores:\n  v:\n    vault:\n      address: https://v.example\n      ca: { pem: \"" + pem + "\" }\n";
  };
  std::string escaped = "-----BEGIN CERTIFICATE-----\\n" + body + "\\n-----END CERTIFICATE-----\\n";
  EXPECT_THAT(good(with(escaped)).stores[0].ca.pem, HasSubstr(body));
  EXPECT_THAT(mistakes(with("-----BEGIN PRIVATE KEY-----")), HasSubstr("a private key stands here"));
  EXPECT_THAT(mistakes(with("hello")), HasSubstr("must be PEM certificates"));
}

TEST(Policy, RefusesRequestsBeyondTheirLimits) {
  EXPECT_THAT(mistakes("resources: { requests: { memory: 1Gi }, limits: { memory: 64Mi } }\n"),
              HasSubstr("requests more than the limit"));
}

TEST(Policy, FindsAStoreByItsAddressWithAndWithoutASlash) {
  const Policy policy = default_policy();
  EXPECT_EQ(policy.store_at("https://vault.vault.svc:8200/"), policy.store("vault"));
  EXPECT_EQ(policy.store_at("https://vault.vault.svc:8201"), nullptr);
  EXPECT_EQ(policy.store_at(""), nullptr);
}

TEST(Policy, ChoosesTheStoreThatAnnotationsOfVaultMean) {
  using Provider = StorePolicy::Provider;
  const Policy preset = default_policy();
  EXPECT_EQ(preset.default_vault_store(Provider::vault)->name, "vault");
  EXPECT_EQ(preset.default_vault_store(Provider::openbao)->name, "openbao");
  const Policy one = good("stores: { bao: { openbao: { address: https://b.example } }, sm: { aws: {} } }\n");
  EXPECT_EQ(one.default_vault_store(Provider::vault)->name, "bao");
  const Policy none = good("stores: { sm: { aws: {} } }\n");
  EXPECT_EQ(none.default_vault_store(Provider::vault), nullptr);
}

TEST(Policy, AllowsItsOwnImageAndThoseThatItNames) {
  const Policy policy = good("image: a/b:1\nimages: [\"a/b:*\", c/d]\n");
  EXPECT_TRUE(policy.allows_image("a/b:1"));
  EXPECT_TRUE(policy.allows_image("a/b:2"));
  EXPECT_TRUE(policy.allows_image("c/d"));
  EXPECT_FALSE(policy.allows_image("c/d:1"));
}

TEST(Policy, TellsItsSchema) { EXPECT_THAT(policy_schema(), HasSubstr("\"native_sidecar\"")); }

TEST(Names, KnowQuantitiesAsKubernetesDoes) {
  EXPECT_EQ(quantity("64Mi"), 64.0 * 1024 * 1024);
  EXPECT_EQ(quantity("50m"), 0.05);
  EXPECT_EQ(quantity("1.5"), 1.5);
  EXPECT_EQ(quantity("2e3"), 2000.0);
  EXPECT_EQ(quantity("0"), 0.0);
  for (const char* wrong : {"", "Mi", "1 Mi", "-1", "1mi", "1.2.3", "1e", ".", "0x10", "1KiB"})
    EXPECT_FALSE(quantity(wrong)) << wrong;
}

TEST(Names, KeepPlacesOfTheSystemFree) {
  EXPECT_EQ(flaw_of_directory("/run/secrets/app"), nullptr);
  EXPECT_EQ(flaw_of_directory("/vault/secrets"), nullptr);
  for (const char* wrong :
       {"", "/", "app", "/a/../b", "/a//b", "/a/", "/a:b", "/proc/1", "/dev", "/run", "/run/secrets",
        "/var/run/secrets/kubernetes.io/serviceaccount", "/run/secret-injector/x", "/a\nb"})
    EXPECT_NE(flaw_of_directory(wrong), nullptr) << wrong;
}

}  // namespace
}  // namespace injector::pod
