#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "injector/backend/aws/settings.h"
#include "tests/injector/backend/aws/python.h"
#include "tests/support/temporary.h"

namespace injector::backend::aws {
namespace {

TEST(Endpoint, IsWhereBotocoreWouldSendInEveryRegion) {
  const std::string python = tests::python_with_moto();
  if (python.empty()) GTEST_SKIP() << tests::kNoMoto;
  const tests::TemporaryDirectory directory;
  const std::string out = directory / "endpoints";
  const std::string command = python + " " PROJECT_ROOT "/tests/injector/backend/aws/endpoints.py > " + out;
  ASSERT_EQ(std::system(command.c_str()), 0);
  std::ifstream lines(out);
  std::string service;
  std::string region;
  std::string url;
  bool fips = false;
  bool dual_stack = false;
  int compared = 0;
  while (lines >> service >> region >> fips >> dual_stack >> url) {
    const auto host = endpoint_host(service, region, fips, dual_stack);
    EXPECT_EQ(host ? "https://" + *host + "/" : "-", url) << service << " " << region << fips << dual_stack;
    ++compared;
  }
  EXPECT_GT(compared, 200);
}

}  // namespace
}  // namespace injector::backend::aws
