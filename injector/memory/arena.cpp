#include "injector/memory/arena.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "scanner/base/check.h"
#include "scanner/base/fd.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) (static_cast<void>(address), static_cast<void>(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) (static_cast<void>(address), static_cast<void>(size))
#endif

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

namespace injector::memory {
namespace {

std::size_t round_up(std::size_t size, std::size_t unit) { return (size + unit - 1) / unit * unit; }

std::size_t page_bytes() {
  static const auto kSize = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return kSize;
}

/// One mapping between two guard pages. What is free stands outside of it, so that an overflow cannot corrupt it.
class Segment {
 public:
  Segment(char* begin, std::size_t size, Tier tier) : begin_(begin), size_(size), tier_(tier), free_{{0, size}} {
    ASAN_POISON_MEMORY_REGION(begin, size);
  }

  [[nodiscard]] Tier tier() const { return tier_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] char* begin() const { return begin_; }
  [[nodiscard]] bool holds(const void* address) const {
    return !std::less<>()(static_cast<const char*>(address), begin_) &&
           std::less<>()(static_cast<const char*>(address), begin_ + size_);
  }
  [[nodiscard]] bool empty() const { return free_.size() == 1 && free_.begin()->second == size_; }

  /// First fit; null when no gap is wide enough.
  char* take(std::size_t size) {
    for (auto gap = free_.begin(); gap != free_.end(); ++gap) {
      if (gap->second < size) continue;
      const auto [offset, width] = *gap;
      free_.erase(gap);
      if (width > size) free_.emplace(offset + size, width - size);
      return begin_ + offset;
    }
    return nullptr;
  }

  void give_back(const char* block, std::size_t size) {
    auto offset = static_cast<std::size_t>(block - begin_);
    auto next = free_.lower_bound(offset);
    SCANNER_CHECK(next == free_.end() || offset + size <= next->first);
    if (next != free_.end() && offset + size == next->first) {
      size += next->second;
      next = free_.erase(next);
    }
    if (next != free_.begin()) {
      const auto before = std::prev(next);
      SCANNER_CHECK(before->first + before->second <= offset);
      if (before->first + before->second == offset) {
        before->second += size;
        return;
      }
    }
    free_.emplace_hint(next, offset, size);
  }

 private:
  char* begin_;
  std::size_t size_;
  Tier tier_;
  std::map<std::size_t, std::size_t> free_;  ///< Offset to width; no two touch.
};

/// Pages of one tier at `place`, in the room that was reserved there.
bool map_at(char* place, std::size_t size, Tier tier) {
  if (tier == Tier::secret) {
    const scanner::base::Fd fd(static_cast<int>(::syscall(SYS_memfd_secret, O_CLOEXEC)));
    if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) return false;
    if (::mmap(place, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd.get(), 0) == MAP_FAILED) return false;
    // Shared pages would be the child's to read and to wipe; `after_fork` puts zeros in their place.
    return ::madvise(place, size, MADV_DONTFORK) == 0;
  }
  if (::mmap(place, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
    return false;
  }
  if (tier == Tier::locked && ::mlock2(place, size, MLOCK_ONFAULT) != 0) return false;
  ::madvise(place, size, MADV_DONTDUMP);
  ::madvise(place, size, MADV_WIPEONFORK);
  return true;
}

std::optional<Segment> map_segment(std::size_t size, Tier best) {
  const std::size_t guard = page_bytes();
  void* room = ::mmap(nullptr, size + 2 * guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return std::nullopt;
  char* const begin = static_cast<char*>(room) + guard;
  for (const Tier tier : {Tier::secret, Tier::locked, Tier::plain}) {
    if (tier >= best && map_at(begin, size, tier)) return Segment(begin, size, tier);
  }
  ::munmap(room, size + 2 * guard);
  return std::nullopt;
}

void unmap(const Segment& segment) {
  ASAN_UNPOISON_MEMORY_REGION(segment.begin(), segment.size());
  ::munmap(segment.begin() - page_bytes(), segment.size() + 2 * page_bytes());
}

struct State {
  std::mutex mutex;
  std::vector<Segment> segments;
  Tier wish = Tier::secret;
  Arena::Status status;

  void add_segment(std::size_t size) {
    auto segment = map_segment(std::max(Arena::kSegmentBytes, round_up(size, page_bytes())), wish);
    // A limit that is too small for a whole segment may have room for this one secret.
    if (segment && segment->tier() != wish && size < Arena::kSegmentBytes) {
      auto smaller = map_segment(round_up(size, page_bytes()), wish);
      if (smaller && smaller->tier() < segment->tier()) std::swap(segment, smaller);
      if (smaller) unmap(*smaller);
    }
    SCANNER_CHECK(segment.has_value());
    if (segments.empty() && status.peak_bytes == 0) status.tier = segment->tier();
    if (segment->tier() > status.tier) ++status.fallen;
    status.mapped_bytes += segment->size();
    segments.push_back(*std::move(segment));
    status.segments = segments.size();
  }

  Segment* segment_of(const void* address) {
    const auto found = std::ranges::find_if(segments, [&](const Segment& segment) { return segment.holds(address); });
    return found == segments.end() ? nullptr : &*found;
  }

  /// Keeps one empty segment for the next secret.
  void drop_if_spare(Segment* segment) {
    if (!segment->empty()) return;
    const bool another = std::ranges::any_of(segments, [&](const Segment& s) { return &s != segment && s.empty(); });
    if (!another && segment->size() == Arena::kSegmentBytes && segment->tier() == status.tier) return;
    unmap(*segment);
    status.mapped_bytes -= segment->size();
    segments.erase(segments.begin() + (segment - segments.data()));
    status.segments = segments.size();
  }
};

State& state();

void before_fork() { state().mutex.lock(); }
void after_fork_in_parent() { state().mutex.unlock(); }
void after_fork() {
  for (const Segment& segment : state().segments) {
    if (segment.tier() == Tier::secret) map_at(segment.begin(), segment.size(), Tier::plain);
  }
  state().mutex.unlock();
}

State& state() {
  // Never destroyed: secrets in static objects may outlive any object of ours.
  static State* const kTheOne = [] {
    ::pthread_atfork(before_fork, after_fork_in_parent, after_fork);
    return new State;
  }();
  return *kTheOne;
}

}  // namespace

std::string_view to_string(Tier tier) {
  switch (tier) {
    case Tier::secret:
      return "secretmem";
    case Tier::locked:
      return "mlock";
    case Tier::plain:
      break;
  }
  return "plain";
}

Tier Arena::open(Tier wish) {
  State& arena = state();
  const std::scoped_lock lock(arena.mutex);
  if (arena.segments.empty() && arena.status.peak_bytes == 0) {
    arena.wish = wish;
    arena.add_segment(kSegmentBytes);
  }
  return arena.status.tier;
}

Arena::Status Arena::status() {
  const std::scoped_lock lock(state().mutex);
  return state().status;
}

void* Arena::allocate(std::size_t size) {
  const std::size_t width = round_up(std::max<std::size_t>(size, 1), kAlignment);
  SCANNER_CHECK(width >= size);
  State& arena = state();
  const std::scoped_lock lock(arena.mutex);
  char* block = nullptr;
  for (Segment& segment : arena.segments) {
    block = segment.take(width);
    if (block != nullptr) break;
  }
  if (block == nullptr) {
    arena.add_segment(width);
    block = arena.segments.back().take(width);
  }
  arena.status.used_bytes += width;
  arena.status.peak_bytes = std::max(arena.status.peak_bytes, arena.status.used_bytes);
  ASAN_UNPOISON_MEMORY_REGION(block, size);
  return block;
}

void Arena::free(void* block, std::size_t size) noexcept {
  if (block == nullptr) return;
  const std::size_t width = round_up(std::max<std::size_t>(size, 1), kAlignment);
  State& arena = state();
  ASAN_UNPOISON_MEMORY_REGION(block, width);
  ::explicit_bzero(block, width);
  ASAN_POISON_MEMORY_REGION(block, width);
  const std::scoped_lock lock(arena.mutex);
  Segment* const segment = arena.segment_of(block);
  SCANNER_CHECK(segment != nullptr);
  segment->give_back(static_cast<char*>(block), width);
  arena.status.used_bytes -= width;
  arena.drop_if_spare(segment);
}

void Arena::shrink(void* block, std::size_t size, std::size_t smaller) noexcept {
  SCANNER_CHECK(smaller <= size);
  if (block == nullptr || smaller == size) return;
  if (smaller == 0) return free(block, size);
  char* const begin = static_cast<char*>(block);
  const std::size_t kept = round_up(smaller, kAlignment);
  ::explicit_bzero(begin + smaller, std::min(kept, size) - smaller);
  if (kept < size) free(begin + kept, size - kept);
  ASAN_POISON_MEMORY_REGION(begin, kept);
  ASAN_UNPOISON_MEMORY_REGION(begin, smaller);
}

bool Arena::contains(const void* address) {
  const std::scoped_lock lock(state().mutex);
  return state().segment_of(address) != nullptr;
}

void Arena::wipe() noexcept {
  const std::scoped_lock lock(state().mutex);
  for (const Segment& segment : state().segments) {
    ASAN_UNPOISON_MEMORY_REGION(segment.begin(), segment.size());
    ::explicit_bzero(segment.begin(), segment.size());
  }
}

}  // namespace injector::memory
