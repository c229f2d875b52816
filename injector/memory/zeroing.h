#pragma once

#include <cstddef>

namespace injector::memory {

/// malloc and its kin, but what is freed or moved is wiped: for libraries that let their allocator be replaced
/// (libcurl, OpenSSL) and that handle tokens, headers and session keys outside of the arena.
void* zeroing_malloc(std::size_t size);
void* zeroing_calloc(std::size_t count, std::size_t size);
void* zeroing_realloc(void* block, std::size_t size);
void zeroing_free(void* block);
char* zeroing_strdup(const char* text);

/// Whether this program was linked with zeroed_heap/, which wipes whatever anything in the process frees.
bool heap_is_zeroed();

/// Overwrites the stack below the caller, where functions that have returned left their variables.
void wipe_stack();

/// Gives the heap's free pages back to the system. Costs the reading of the heap's free lists: for when nothing waits.
void give_back_memory();

}  // namespace injector::memory
