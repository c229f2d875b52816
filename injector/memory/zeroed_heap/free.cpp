// Takes the place of the C library's free() and realloc(): whatever anything in the process frees is wiped first. With
// them come operator delete, libraries whose allocator cannot be set (nghttp2 keeps headers in its tables) and the C
// library itself. Linked by name into the programs that hold secrets, never into a library of ours; a test that
// searches the process' memory proves it.
//
// malloc() stays glibc's, so its own names for the two must be there; sanitizers bring their own heap.
#include <malloc.h>

#include <cstddef>
#include <cstring>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && defined(__GLIBC__)

extern "C" {

extern const bool injector_zeroed_heap;  // NOLINT(readability-identifier-naming): a C name
const bool injector_zeroed_heap = true;  // NOLINT(readability-identifier-naming): a C name

void __libc_free(void* block);          // NOLINT(bugprone-reserved-identifier): the C library's name
void* __libc_malloc(std::size_t size);  // NOLINT(bugprone-reserved-identifier): likewise

void free(void* block) noexcept {
  if (block == nullptr) return;
  ::explicit_bzero(block, ::malloc_usable_size(block));
  __libc_free(block);
}

void* realloc(void* block, std::size_t size) noexcept {
  if (block == nullptr) return __libc_malloc(size);
  if (size == 0) {
    free(block);
    return nullptr;
  }
  const std::size_t old_size = ::malloc_usable_size(block);
  // In place only where glibc would not give memory back anyway: it would not wipe what it gives back.
  if (size <= old_size && size >= old_size / 2) return block;
  void* const moved = __libc_malloc(size);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, block, old_size < size ? old_size : size);
  free(block);
  return moved;
}

}  // extern "C"

#endif
