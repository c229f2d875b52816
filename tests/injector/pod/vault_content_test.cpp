#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>

#include "injector/model/reading.h"
#include "injector/pod/vault_annotations.h"
#include "injector/render/template/template.h"

namespace injector::pod {
namespace {

/// What stands in the file of a secret without a template, when the store answers so.
std::string content(const std::string& kind, const std::string& document, const std::string& metadata,
                    const std::string& path = "kv/data/shop") {
  Policy policy;
  StorePolicy store;
  store.name = "vault";
  store.addresses = {"https://vault.vault.svc:8200"};
  policy.stores = {store};
  const std::string domain = "vault.hashicorp.com/";
  const nlohmann::json pod = {{"metadata",
                               {{"annotations",
                                 {{domain + "agent-inject", "true"},
                                  {domain + "role", "shop"},
                                  {domain + "agent-inject-secret-x", path},
                                  {domain + "agent-inject-default-template", kind}}}}},
                              {"spec", {{"containers", {{{"name", "app"}}}}}}};
  const Asked asked = read_vault_annotations(pod, "team", policy);
  EXPECT_TRUE(asked.mistakes.empty()) << asked.mistakes.front();
  if (asked.request.files.empty()) return "nothing";
  const auto checked = render::templates::Template::check(asked.request.files[0].templ->text);
  EXPECT_TRUE(checked.mistakes.empty());
  if (!checked.good) return "no template";
  EXPECT_EQ(checked.good->calls().size(), 1U);
  Reading reading;
  reading.document = memory::Secret::copy_of(document);
  if (!metadata.empty()) reading.metadata = memory::Secret::copy_of(metadata);
  const std::array<const Reading*, 1> readings = {&reading};
  auto rendered = checked.good->render(readings, {});
  if (!rendered) return "error: " + rendered.error().message();
  return std::string(rendered->reveal());
}

constexpr const char* kMetadata = R"({"created_time":"2026-11-24T00:00:00Z","version":3,"custom_metadata":null})";

TEST(VaultContent, OfAMapIsALineForEachKey) {
  EXPECT_EQ(content("map", R"({"user":"u","Password":"p w","n":1.50})", ""), "Password: p w\nn: 1.50\nuser: u\n");
}

TEST(VaultContent, OfAMapOfKv2IsWhatTheSecretHolds) {
  EXPECT_EQ(content("map", R"({"user":"u","password":"p"})", kMetadata), "password: p\nuser: u\n");
}

TEST(VaultContent, OfAMapWithKeysThatAreCalledLikeThoseOfKv2IsItsOwn) {
  EXPECT_EQ(content("map", R"({"data":"d","metadata":"m"})", ""), "data: d\nmetadata: m\n");
  EXPECT_EQ(content("map", R"({"data":"d","metadata":"m"})", kMetadata), "data: d\nmetadata: m\n");
}

TEST(VaultContent, OfJsonIsTheWholeAnswerAndALineEnd) {
  EXPECT_EQ(content("json", R"({"b":"<2>","a":1})", ""), "{\"a\":1,\"b\":\"\\u003c2\\u003e\"}\n");
  EXPECT_EQ(content("json", R"({"a":"1"})", R"({"version":3})"),
            "{\"data\":{\"a\":\"1\"},\"metadata\":{\"version\":3}}\n");
}

TEST(VaultContent, TakesOddLettersInAPath) {
  EXPECT_EQ(content("map", R"({"a":"1"})", "", "kv/a \"b\" \\c"), "a: 1\n");
}

}  // namespace
}  // namespace injector::pod
