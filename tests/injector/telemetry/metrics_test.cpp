#include "injector/telemetry/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <limits>

#include "scanner/base/fd.h"

namespace injector::telemetry {
namespace {

using Type = Exposition::Type;

TEST(Metrics, WriteAFamilyWithItsSamples) {
  Exposition page;
  page.family("fetch_total", Type::counter, "Readings.");
  page.sample(std::uint64_t{3}, {{"provider", "vault"}, {"result", "success"}});
  page.sample(0.5);
  EXPECT_EQ(page.text(),
            "# HELP fetch_total Readings.\n# TYPE fetch_total counter\n"
            "fetch_total{provider=\"vault\",result=\"success\"} 3\nfetch_total 0.5\n");
}

TEST(Metrics, LeaveOutAFamilyWithoutSamples) {
  Exposition page;
  page.family("lease", Type::gauge, "None.");
  page.family("files", Type::gauge, "Some.");
  page.sample(1.0);
  EXPECT_EQ(page.text(), "# HELP files Some.\n# TYPE files gauge\nfiles 1\n");
}

TEST(Metrics, EscapeWhatLabelsHold) {
  Exposition page;
  page.family("x", Type::gauge, "A \\ and\na line.");
  page.sample(std::uint64_t{1}, {{"file", "a\"b\\c\nd"}});
  EXPECT_EQ(page.text(),
            "# HELP x A \\\\ and\\na line.\n# TYPE x gauge\n"
            "x{file=\"a\\\"b\\\\c\\nd\"} 1\n");
}

TEST(Metrics, AddUpTheBucketsOfAHistogram) {
  Exposition page;
  page.family("d_seconds", Type::histogram, "D.");
  constexpr std::array<double, 2> kBounds = {0.005, 1};
  constexpr std::array<std::uint64_t, 3> kCounts = {2, 1, 4};
  page.histogram(kBounds, kCounts, 12.5, {{"store", "bao"}});
  EXPECT_EQ(page.text(),
            "# HELP d_seconds D.\n# TYPE d_seconds histogram\n"
            "d_seconds_bucket{store=\"bao\",le=\"0.005\"} 2\nd_seconds_bucket{store=\"bao\",le=\"1\"} 3\n"
            "d_seconds_bucket{store=\"bao\",le=\"+Inf\"} 7\nd_seconds_sum{store=\"bao\"} 12.5\n"
            "d_seconds_count{store=\"bao\"} 7\n");
}

TEST(Metrics, TakeAHistogramThatWasNeverObservedForZeros) {
  Exposition page;
  page.family("d_seconds", Type::histogram, "D.");
  constexpr std::array<double, 1> kBounds = {1};
  page.histogram(kBounds, {}, 0);
  EXPECT_THAT(page.text(), ::testing::EndsWith("d_seconds_bucket{le=\"1\"} 0\nd_seconds_bucket{le=\"+Inf\"} 0\n"
                                               "d_seconds_sum 0\nd_seconds_count 0\n"));
}

TEST(Metrics, WriteLargeAndStrangeNumbers) {
  Exposition page;
  page.family("x", Type::gauge, "X.");
  page.sample(std::numeric_limits<double>::infinity());
  page.sample(1795600000.125);
  page.sample(std::numeric_limits<std::uint64_t>::max());
  EXPECT_THAT(page.text(), ::testing::EndsWith("x +Inf\nx 1795600000.125\nx 18446744073709551615\n"));
}

TEST(Metrics, KnowThisProcess) {
  const Process before = this_process();
  const scanner::base::Fd one(::dup(0));
  const Process after = this_process();
  EXPECT_EQ(after.open_descriptors, before.open_descriptors + 1);
  EXPECT_GT(after.resident_bytes, 1UL << 20);
  EXPECT_GE(after.cpu_seconds, before.cpu_seconds);
  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_LE(after.start_seconds, now + 0.02);
  EXPECT_GT(after.start_seconds, now - 300);
}

}  // namespace
}  // namespace injector::telemetry
