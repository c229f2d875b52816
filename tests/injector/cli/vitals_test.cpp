#include "injector/cli/vitals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace injector::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using watch::FileStatus;
using watch::Status;
using watch::StoreStatus;

const auto kNow = std::chrono::system_clock::time_point(1'795'000'000s);

FileStatus file(const std::string& path, FileStatus::State state) {
  FileStatus out;
  out.path = path;
  out.state = state;
  out.source = "bao:kv/" + path;
  return out;
}

Status delivered() {
  Status status;
  status.started = true;
  status.ready = true;
  status.generation = 7;
  status.files = {file("db/password", FileStatus::State::fresh), file("app.env", FileStatus::State::fresh)};
  status.files[0].confirmed = kNow - 12s;
  status.files[0].ends = kNow + 3h;
  status.files[0].version = "4";
  StoreStatus store;
  store.name = "bao";
  store.kind = "vault";
  store.fetched = 3;
  store.buckets.resize(std::size(watch::kFetchBuckets) + 1);
  store.buckets[1] = 3;
  store.seconds = 0.02;
  status.stores = {store};
  return status;
}

Vitals vitals() {
  Vitals out;
  out.now = kNow;
  return out;
}

net::ServerResponse get(const std::string& target, const Status& status, const Vitals& of = vitals()) {
  return answer({.method = "GET", .target = target, .headers = {}, .body = ""}, status, of);
}

TEST(Vitals, SayYesWhenAllIsDelivered) {
  for (const char* path : {"/livez", "/readyz", "/healthz", "/startupz"}) {
    EXPECT_EQ(get(path, delivered()).status, 200) << path;
  }
}

TEST(Vitals, AreLiveButNothingElseBeforeTheFirstDelivery) {
  Status status = delivered();
  status.started = status.ready = false;
  status.files[1].state = FileStatus::State::absent;
  EXPECT_EQ(get("/livez", status).status, 200);
  EXPECT_EQ(get("/startupz", status).status, 503);
  EXPECT_EQ(get("/startupz", status).body, "not started: 1 of 2 files not delivered yet\n");
  EXPECT_EQ(get("/readyz", status).body, "not ready: 1 of 2 files not delivered yet\n");
}

TEST(Vitals, SayWhyAFileIsNotThere) {
  Status status = delivered();
  status.started = status.ready = false;
  status.files[1].state = FileStatus::State::absent;
  status.files[1].path = "db/password";
  status.files[1].error = "logging in at auth/kubernetes: HTTP 400, there is no such role";
  EXPECT_EQ(
      get("/startupz", status).body,
      "not started: 1 of 2 files not delivered yet; db/password: logging in at auth/kubernetes: HTTP 400, there is "
      "no such role\n");
}

TEST(Vitals, SayHowManyFilesMakeReadinessSayNo) {
  Status status = delivered();
  status.ready = false;
  status.files[0].unready = true;
  EXPECT_EQ(get("/readyz", status).body, "not ready: 1 of 2 files too old\n");
  EXPECT_EQ(get("/startupz", status).status, 200);
}

TEST(Vitals, AreNotLiveWhenTheLoopIsStuck) {
  Vitals stuck = vitals();
  stuck.heartbeat_age = 11s;
  EXPECT_EQ(get("/livez", delivered(), stuck).body, "stuck: the loop has not turned for 11 s\n");
  EXPECT_EQ(get("/livez", delivered(), stuck).status, 503);
}

TEST(Vitals, AreNotReadyWhileStopping) {
  Vitals stopping = vitals();
  stopping.stopping = true;
  EXPECT_EQ(get("/readyz", delivered(), stopping).status, 503);
  EXPECT_EQ(get("/livez", delivered(), stopping).status, 200);
}

TEST(Vitals, ListFilesAndStoresWhenAskedTo) {
  Status status = delivered();
  status.files[1].error = "denied by https://bao-0.internal";
  status.stores[0].away = true;
  EXPECT_EQ(get("/readyz?verbose", status).body,
            "ready\ngeneration 7\n"
            "file db/password: fresh, from bao:kv/db/password, version 4, confirmed 12 s ago, ends in 3 h\n"
            "file app.env: fresh, from bao:kv/app.env, the last attempt failed\n"
            "store bao (vault): away\n");
  EXPECT_EQ(get("/readyz?v", status).body, "ready\n");
}

TEST(Vitals, TakeNoOtherPathAndNoOtherMethod) {
  EXPECT_EQ(get("/", delivered()).status, 404);
  EXPECT_EQ(get("/readyz/../metrics", delivered()).status, 404);
  EXPECT_EQ(answer({.method = "POST", .target = "/readyz", .headers = {}, .body = ""}, delivered(), vitals()).status,
            405);
}

TEST(Vitals, GiveEachFileExactlyOneState) {
  const std::string page = metrics_page(delivered(), vitals());
  EXPECT_THAT(page, AllOf(HasSubstr("secret_injector_file_state{file=\"app.env\",state=\"fresh\"} 1\n"),
                          HasSubstr("secret_injector_file_state{file=\"app.env\",state=\"absent\"} 0\n"),
                          HasSubstr("secret_injector_file_state{file=\"app.env\",state=\"stale\"} 0\n"),
                          HasSubstr("secret_injector_file_state{file=\"app.env\",state=\"adopted\"} 0\n")));
}

TEST(Vitals, ShowTimesOnlyWhereThereAreAny) {
  const std::string page = metrics_page(delivered(), vitals());
  EXPECT_THAT(page, AllOf(HasSubstr("last_success_timestamp_seconds{file=\"db/password\"} 1794999988\n"),
                          HasSubstr("lease_expiry_timestamp_seconds{file=\"db/password\"} 1795010800\n"),
                          Not(HasSubstr("timestamp_seconds{file=\"app.env\"}"))));
}

TEST(Vitals, CountFetchesByStoreAndResult) {
  const std::string page = metrics_page(delivered(), vitals());
  EXPECT_THAT(page, AllOf(HasSubstr("fetch_total{store=\"bao\",provider=\"vault\",result=\"success\"} 3\n"),
                          HasSubstr("fetch_total{store=\"bao\",provider=\"vault\",result=\"failure\"} 0\n"),
                          HasSubstr("fetch_duration_seconds_bucket{store=\"bao\",provider=\"vault\",le=\"0.005\"} 0\n"),
                          HasSubstr("fetch_duration_seconds_bucket{store=\"bao\",provider=\"vault\",le=\"0.01\"} 3\n"),
                          HasSubstr("fetch_duration_seconds_count{store=\"bao\",provider=\"vault\"} 3\n")));
}

TEST(Vitals, WriteAPageThatPrometheusFindsNoFaultWith) {
  if (std::system("command -v promtool > /dev/null") != 0) GTEST_SKIP() << "promtool (Debian: prometheus) is missing";
  for (const Status& status : {delivered(), Status()}) {
    FILE* const lint = ::popen("promtool check metrics > /dev/null 2>&1", "w");
    ASSERT_NE(lint, nullptr);
    const std::string page = metrics_page(status, vitals());
    EXPECT_EQ(std::fwrite(page.data(), 1, page.size(), lint), page.size());
    EXPECT_EQ(::pclose(lint), 0) << page;
  }
}

TEST(Vitals, WriteTimesForPeople) {
  EXPECT_EQ(span_text(-5s), "0 s");
  EXPECT_EQ(span_text(119s), "119 s");
  EXPECT_EQ(span_text(5min), "5 min");
  EXPECT_EQ(span_text(3h), "3 h");
  EXPECT_EQ(span_text(50h), "2 d");
}

}  // namespace
}  // namespace injector::cli
