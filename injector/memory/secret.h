#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace injector::memory {

/// A secret's bytes, in the arena (arena.h), wiped when it ends.
///
/// Move-only, and opened only by `reveal()`: one search for that word lists every place where a secret can leak. No
/// stream, formatter, JSON writer or comparison operator takes one; tests/memory holds the list of what must not
/// compile.
class Secret {
 public:
  Secret() noexcept = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  /// A copy of bytes that stand elsewhere; wiping those is the caller's matter.
  [[nodiscard]] static Secret copy_of(std::string_view bytes);
  /// `size` zero bytes, to be written through `writable()`.
  [[nodiscard]] static Secret of_size(std::size_t size);
  /// A second one of the same bytes: by name, because a copy by accident must not compile.
  [[nodiscard]] Secret clone() const;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  /// The bytes, valid while this lives and is not moved from. Never into a std::string, a log, an error or an argument.
  [[nodiscard]] std::string_view reveal() const { return {data_, size_}; }
  [[nodiscard]] std::span<char> writable() { return {data_, size_}; }
  /// Drops the bytes after the first `size`, which must not be more than there are; they are wiped.
  void shrink(std::size_t size);

  /// In a time that depends on the sizes alone.
  [[nodiscard]] bool equals(const Secret& other) const;

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace injector::memory
