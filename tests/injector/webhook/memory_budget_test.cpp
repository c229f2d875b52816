#include "injector/webhook/memory_budget.h"

#include <gtest/gtest.h>

namespace {

using injector::webhook::MemoryBudget;

constexpr std::size_t kSmall = MemoryBudget::kSmall;

TEST(MemoryBudget, GivesWhatIsThereAndTakesItBack) {
  MemoryBudget budget(2 * kSmall, 1000);
  {
    MemoryBudget::Share share(budget);
    EXPECT_TRUE(share.set(100));
    EXPECT_TRUE(share.set(kSmall + 1000));
    EXPECT_FALSE(share.set(kSmall + 1001));
    EXPECT_EQ(budget.taken(), kSmall + 1000);
    EXPECT_TRUE(share.set(50));
    EXPECT_EQ(budget.taken(), 50U);
  }
  EXPECT_EQ(budget.taken(), 0U);
}

TEST(MemoryBudget, KeepsRoomForTheSmallBesideTheLarge) {
  MemoryBudget budget(10 * kSmall, 1000);
  MemoryBudget::Share large(budget);
  MemoryBudget::Share second(budget);
  MemoryBudget::Share small(budget);
  EXPECT_TRUE(large.set(kSmall + 1000));
  EXPECT_FALSE(second.set(kSmall + 1));
  EXPECT_TRUE(small.set(kSmall));
}

}  // namespace
