#include "scanner/base/edit_distance.h"

#include <gtest/gtest.h>

namespace scanner::base {
namespace {

TEST(EditDistance, CountsLettersPutInTakenOutChangedAndNeighboursSwapped) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("image", ""), 5U);
  EXPECT_EQ(edit_distance("image", "imge"), 1U);
  EXPECT_EQ(edit_distance("imgae", "image"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

}  // namespace
}  // namespace scanner::base
