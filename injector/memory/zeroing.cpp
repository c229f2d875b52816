#include "injector/memory/zeroing.h"

#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>

// Defined by zeroed_heap/free.cpp, where that is linked.
extern "C" __attribute__((weak)) const bool injector_zeroed_heap;  // NOLINT(readability-identifier-naming): a C name

namespace injector::memory {

void* zeroing_malloc(std::size_t size) { return std::malloc(size); }

void* zeroing_calloc(std::size_t count, std::size_t size) { return std::calloc(count, size); }

void zeroing_free(void* block) {
  if (block == nullptr) return;
  ::explicit_bzero(block, ::malloc_usable_size(block));
  std::free(block);
}

void* zeroing_realloc(void* block, std::size_t size) {
  if (block == nullptr) return std::malloc(size);
  if (size == 0) {
    zeroing_free(block);
    return nullptr;
  }
  const std::size_t old_size = ::malloc_usable_size(block);
  if (size <= old_size && size >= old_size / 2) {
    return block;
  }
  void* const moved = std::malloc(size);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, block, std::min(size, old_size));
  zeroing_free(block);
  return moved;
}

char* zeroing_strdup(const char* text) {
  const std::size_t size = std::strlen(text) + 1;
  auto* const copy = static_cast<char*>(std::malloc(size));
  if (copy != nullptr) std::memcpy(copy, text, size);
  return copy;
}

bool heap_is_zeroed() { return &injector_zeroed_heap != nullptr; }

[[gnu::noinline]] void wipe_stack() {
  std::array<char, 64UL << 10> below;
  ::explicit_bzero(below.data(), below.size());
}

void give_back_memory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace injector::memory
