#include "injector/memory/secret.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "injector/memory/arena.h"

namespace injector::memory {
namespace {

TEST(Secret, HoldsACopyInTheArena) {
  const Secret secret = Secret::copy_of("hunter2");
  EXPECT_EQ(secret.reveal(), "hunter2");
  EXPECT_TRUE(Arena::contains(secret.reveal().data()));
  EXPECT_FALSE(Arena::contains(&secret));
}

TEST(Secret, MovesItsBytesAndLeavesNothing) {
  Secret a = Secret::copy_of("hunter2");
  const char* const bytes = a.reveal().data();
  Secret b = std::move(a);
  EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move): that is what is asked
  EXPECT_EQ(b.reveal().data(), bytes);
  Secret c = Secret::copy_of("other");
  c = std::move(b);
  EXPECT_EQ(c.reveal(), "hunter2");
}

TEST(Secret, WipesWhatItHeld) {
  const char* bytes = nullptr;
  {
    const Secret secret = Secret::copy_of("hunter2hunter2hunter2");
    bytes = secret.reveal().data();
  }
  const Secret next = Secret::of_size(21);
  ASSERT_EQ(next.reveal().data(), bytes) << "first fit gives the same place";
  EXPECT_EQ(next.reveal(), std::string(21, '\0'));
}

TEST(Secret, ShrinksInPlaceAndWipesTheTail) {
  Secret secret = Secret::copy_of(std::string(100, 'x'));
  const char* const bytes = secret.reveal().data();
  secret.shrink(37);
  EXPECT_EQ(secret.reveal(), std::string(37, 'x'));
  EXPECT_EQ(secret.reveal().data(), bytes);
  const Secret tail = Secret::of_size(48);
  EXPECT_EQ(tail.reveal().data(), bytes + 48);
  EXPECT_EQ(tail.reveal(), std::string(48, '\0'));
  secret.shrink(0);
  EXPECT_TRUE(secret.empty());
}

TEST(Secret, ComparesByContent) {
  EXPECT_TRUE(Secret::copy_of("a").equals(Secret::copy_of("a")));
  EXPECT_FALSE(Secret::copy_of("a").equals(Secret::copy_of("b")));
  EXPECT_FALSE(Secret::copy_of("a").equals(Secret::copy_of("ab")));
  EXPECT_TRUE(Secret().equals(Secret::copy_of("")));
}

TEST(Arena, NeverGivesOneByteTwiceAndTakesEverythingBack) {
  const std::size_t before = Arena::status().used_bytes;
  std::mt19937 random(7);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same cases each time
  std::vector<std::pair<Secret, char>> held;
  for (int i = 0; i < 20'000; ++i) {
    if (held.size() < 200 && random() % 2 == 0) {
      const char mark = static_cast<char>('a' + i % 26);
      Secret secret = Secret::of_size(1 + random() % (random() % 50 == 0 ? 400'000 : 300));
      ASSERT_TRUE(std::ranges::all_of(secret.reveal(), [](char c) { return c == 0; }));
      std::ranges::fill(secret.writable(), mark);
      held.emplace_back(std::move(secret), mark);
    } else if (!held.empty()) {
      std::swap(held[random() % held.size()], held.back());
      auto& [secret, mark] = held.back();
      ASSERT_TRUE(std::ranges::all_of(secret.reveal(), [m = mark](char c) { return c == m; }));
      if (random() % 4 == 0) {
        secret.shrink(secret.size() / 2);
      } else {
        held.pop_back();
      }
    }
  }
  held.clear();
  EXPECT_EQ(Arena::status().used_bytes, before);
  EXPECT_LE(Arena::status().segments, 2U);
}

TEST(Arena, IsSharedByThreads) {
  const std::size_t before = Arena::status().used_bytes;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 2000; ++i) {
        const std::string text(static_cast<std::size_t>(1 + i % 500), static_cast<char>('a' + t));
        const Secret secret = Secret::copy_of(text);
        ASSERT_EQ(secret.reveal(), text);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Arena::status().used_bytes, before);
}

TEST(Arena, ShowsAChildZerosAndLetsItGoOn) {
  const Secret secret = Secret::copy_of("hunter2");
  const ::pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const bool blank = std::ranges::all_of(secret.reveal(), [](char c) { return c == 0; });
    const Secret own = Secret::copy_of("mine");
    ::_exit(blank && own.reveal() == "mine" ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(secret.reveal(), "hunter2");
}

}  // namespace
}  // namespace injector::memory
