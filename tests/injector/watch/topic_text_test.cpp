#include "injector/watch/topic_text.h"

#include <gtest/gtest.h>

#include "injector/model/members.h"

namespace injector::watch {
namespace {

using namespace std::chrono_literals;

Topic read_again(const Topic& topic, bool held, std::uint64_t session) {
  memory::Text out;
  write_topic(out, topic);
  const auto document = memory::Document::parse(out.finish());
  EXPECT_TRUE(document);
  Topic fresh;
  fresh.query = topic.query;
  fresh.held = held;
  read_topic(document->root(), fresh, session);
  return fresh;
}

Topic leased() {
  Topic topic;
  topic.query = Query{.store = "bao", .path = "database/creds/shop"};
  topic.refresh = 5min;
  Reading reading;
  reading.document = memory::Secret::copy_of(R"({"username":"u","password":"p\"1"})");
  add_members(reading);
  reading.lease = Lease{.id = "database/creds/shop/1", .duration = 1h, .renewable = true, .space = "team"};
  reading.version = "7";
  reading.request_id = "r";
  topic.was_read(std::move(reading), BootClock::now(), 3, 0.5);
  return topic;
}

TEST(TopicText, KeepsALeaseAndWhenItIsRenewed) {
  const Topic before = leased();
  Topic after = read_again(before, false, 9);
  after.wanted = true;
  EXPECT_TRUE(after.known);
  EXPECT_EQ(after.version, "7");
  EXPECT_EQ(after.request_id, "r");
  EXPECT_EQ(after.lease.id, before.lease.id);
  EXPECT_EQ(after.lease.space, "team");
  EXPECT_EQ(after.session, 9U);
  ASSERT_TRUE(after.term);
  EXPECT_EQ(after.term->ends, before.term->ends);
  EXPECT_EQ(after.term->next.at, before.term->next.at);
  EXPECT_EQ(after.term->asked, before.term->asked);
  EXPECT_EQ(after.when(9), before.when(3));
  EXPECT_EQ(after.act(before.term->next.at + 1s, 9), Topic::Act::renew);
  EXPECT_EQ(after.act(BootClock::now(), 9), Topic::Act::nothing);
}

TEST(TopicText, KeepsNoValueThatIsNotHeldForGood) {
  Topic topic = leased();
  topic.reading.reset();
  const Topic after = read_again(topic, false, 1);
  EXPECT_FALSE(after.reading);
}

TEST(TopicText, KeepsTheValueThatATemplateNeedsAgain) {
  Topic topic = leased();
  topic.held = true;
  topic.reading->metadata = memory::Secret::copy_of(R"({"version":7})");
  const Topic after = read_again(topic, true, 1);
  ASSERT_TRUE(after.reading);
  ASSERT_EQ(after.reading->members.size(), 2U);
  EXPECT_EQ(after.reading->members[1].value.reveal(), "p\"1");
  EXPECT_EQ(after.reading->metadata.reveal(), R"({"version":7})");
}

TEST(TopicText, ReadsAnewWhatCannotGoAlong) {
  Topic topic = leased();
  topic.held = true;
  topic.reading->document = memory::Secret::copy_of("\xff\xfe");
  EXPECT_FALSE(read_again(topic, true, 1).known);
  EXPECT_FALSE(read_again(Topic{}, false, 1).known);
}

}  // namespace
}  // namespace injector::watch
