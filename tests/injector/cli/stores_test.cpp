#include "injector/cli/stores.h"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace injector::cli {
namespace {

using ::testing::HasSubstr;

class StoresTest : public ::testing::Test {
 protected:
  static config::Config config(const std::string& stores) {
    const std::string name = stores.substr(2, stores.find(':') - 2);
    auto parsed = config::parse(
        "mount: /run/x\nstores:\n" + stores + "files:\n  - { path: x, from: '" + name + ":x' }\n", "test.yaml");
    if (!parsed) ADD_FAILURE() << parsed.error().message();
    return parsed ? *parsed : config::Config();
  }
  scanner::base::Result<Stores> open(const std::string& stores, const Stores* before = nullptr) {
    return Stores::open(io_.get_executor(), config(stores), environment_, before);
  }

  boost::asio::io_context io_{1};
  backend::aws::Environment environment_;
};

TEST_F(StoresTest, AreOpenedForEachKind) {
  environment_.emplace("AWS_REGION", memory::Secret::copy_of("eu-central-1"));
  const auto stores = open(
      "  a: { file: { directory: /run/values } }\n"
      "  b: { aws: { region: eu-central-1, failover_regions: [eu-west-1] } }\n"
      "  c: { vault: { address: 'https://bao.example:8200', auth: { kubernetes: { role: app } } } }\n"
      "  d: { vault: { address: 'https://bao.example:8200', auth: { aws: { role: app } } } }\n");
  ASSERT_TRUE(stores) << stores.error().message();
  const auto named = stores->named();
  ASSERT_EQ(named.size(), 4U);
  EXPECT_EQ(named[0].kind, "file");
  EXPECT_EQ(named[1].kind, "aws");
  EXPECT_EQ(named[2].kind, "vault");
  EXPECT_EQ(named[3].name, "d");
}

TEST_F(StoresTest, NameTheStoreThatCannotBeOpened) {
  const auto no_file =
      open("  x: { vault: { address: 'https://b:1', ca_file: /absent/ca.crt, auth: { token_file: /t } } }\n");
  ASSERT_FALSE(no_file);
  EXPECT_THAT(no_file.error().message(), HasSubstr("store x: "));
  EXPECT_THAT(no_file.error().message(), HasSubstr("/absent/ca.crt"));
  const auto no_region = open("  sm: { aws: { failover_regions: [eu-west-1] } }\n");
  ASSERT_FALSE(no_region);
  EXPECT_THAT(no_region.error().message(), HasSubstr("store sm: failover_regions needs a region"));
}

TEST_F(StoresTest, AreTakenOverWhereTheirSettingsAreTheSame) {
  const auto before = open("  a: { file: { directory: /run/a } }\n  b: { file: { directory: /run/b } }\n");
  ASSERT_TRUE(before);
  const auto after = open("  b: { file: { directory: /run/b } }\n  a: { file: { directory: /run/other } }\n", &*before);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->all()[0], before->all()[1]);
  EXPECT_NE(after->all()[1], before->all()[0]);
}

}  // namespace
}  // namespace injector::cli
