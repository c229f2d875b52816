#include "injector/cli/aws_identity.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>

namespace injector::cli {
namespace {

using backend::vault::SignedIdentity;
using ::testing::HasSubstr;

backend::aws::Environment credentials() {
  backend::aws::Environment environment;
  environment.emplace("AWS_ACCESS_KEY_ID", memory::Secret::copy_of("AKIDEXAMPLE"));
  environment.emplace("AWS_SECRET_ACCESS_KEY", memory::Secret::copy_of("a-made-up-key"));
  return environment;
}

boost::asio::awaitable<void> sign(AwsIdentity& identity, std::optional<scanner::base::Result<SignedIdentity>>& out) {
  std::string server_id = "vault.example";
  out.emplace(co_await identity.sign(std::move(server_id)));
}

TEST(AwsIdentity, IsASignedQuestionWhoWeAre) {
  boost::asio::io_context io(1);
  const auto environment = credentials();
  auto identity = AwsIdentity::create(io.get_executor(), "eu-central-1", environment);
  ASSERT_TRUE(identity) << identity.error().message();
  std::optional<scanner::base::Result<SignedIdentity>> signed_identity;
  boost::asio::co_spawn(io, sign(**identity, signed_identity), boost::asio::detached);
  io.run();
  ASSERT_TRUE(signed_identity && *signed_identity);
  EXPECT_EQ((*signed_identity)->url, "https://sts.eu-central-1.amazonaws.com/");
  EXPECT_EQ((*signed_identity)->body, "Action=GetCallerIdentity&Version=2011-06-15");
  std::map<std::string, std::string> headers;
  for (const auto& header : (*signed_identity)->headers) headers[header.name] = header.value.reveal();
  EXPECT_EQ(headers["X-Vault-AWS-IAM-Server-ID"], "vault.example");
  EXPECT_THAT(headers["Authorization"], HasSubstr("Credential=AKIDEXAMPLE/"));
  EXPECT_THAT(headers["Authorization"], HasSubstr("/eu-central-1/sts/aws4_request"));
  EXPECT_THAT(headers["Authorization"],
              HasSubstr("SignedHeaders=content-type;host;x-amz-date;x-vault-aws-iam-server-id"));
}

TEST(AwsIdentity, NeedsARegion) {
  boost::asio::io_context io(1);
  const auto environment = credentials();
  const auto identity = AwsIdentity::create(io.get_executor(), "", environment);
  ASSERT_FALSE(identity);
  EXPECT_THAT(identity.error().message(), HasSubstr("AWS_REGION"));
}

}  // namespace
}  // namespace injector::cli
