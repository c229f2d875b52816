#pragma once

#include <algorithm>
#include <cstddef>

namespace injector::webhook {

/// How much the bodies of all requests that are under way may take together, in two purses: the first `kSmall` bytes of
/// each come from one, what is more from the other. So a few that send megabytes and stall take nothing from the many
/// that send what pods are like. One thread.
class MemoryBudget {
 public:
  static constexpr std::size_t kSmall = 32UL << 10;

  MemoryBudget(std::size_t small, std::size_t large) : small_(small), large_(large) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  [[nodiscard]] std::size_t taken() const { return taken_small_ + taken_large_; }

  /// One request's part.
  class Share {
   public:
    explicit Share(MemoryBudget& budget) : budget_(&budget) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { set(0); }

    /// Makes the share that large; false, and as it was, when there is not as much.
    bool set(std::size_t bytes) {
      const std::size_t small = std::min(bytes, kSmall);
      const std::size_t large = bytes - small;
      MemoryBudget& all = *budget_;
      if (all.taken_small_ - small_ + small > all.small_ && small > small_) return false;
      if (all.taken_large_ - large_ + large > all.large_ && large > large_) return false;
      all.taken_small_ += small - small_;  // Unsigned, and so right both ways.
      all.taken_large_ += large - large_;
      small_ = small;
      large_ = large;
      return true;
    }

   private:
    MemoryBudget* budget_;
    std::size_t small_ = 0;
    std::size_t large_ = 0;
  };

 private:
  std::size_t small_;
  std::size_t large_;
  std::size_t taken_small_ = 0;
  std::size_t taken_large_ = 0;
};

}  // namespace injector::webhook
