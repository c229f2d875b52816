#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "injector/memory/secret.h"
#include "injector/memory/text.h"

namespace injector::render::templates {

/// The arena memory of one rendering: values that are made on the way live in it, and end with it, wiped. Stops at a
/// limit of bytes in all, and of steps, so that no template exhausts the process.
class Pool {
 public:
  Pool(std::size_t most_bytes, std::size_t most_steps) : bytes_left_(most_bytes), steps_left_(most_steps) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Zeroed, aligned for anything.
  void* take(std::size_t size);
  template <typename T>
  std::span<T> array(std::size_t count) {
    return {static_cast<T*>(take(count * sizeof(T))), count};
  }
  /// A copy that lives as long as the pool.
  std::string_view keep(std::string_view text);

  /// One step of work; more for work on `bytes`.
  void step(std::size_t bytes = 0);

 private:
  std::vector<memory::Secret> blocks_;
  std::span<char> free_;
  std::size_t bytes_left_;
  std::size_t steps_left_;
};

/// Puts a text together, in the arena, with a limit.
class Builder {
 public:
  explicit Builder(std::size_t most = kMost) : most_(most) {}

  Builder& add(std::string_view bytes);
  Builder& add(char byte) { return add(std::string_view(&byte, 1)); }
  Builder& add(std::size_t count, char byte);
  Builder& add_rune(char32_t rune);
  [[nodiscard]] std::string_view view() const { return text_.reveal(); }
  [[nodiscard]] bool empty() const { return text_.size() == 0; }
  [[nodiscard]] std::size_t size() const { return text_.size(); }
  [[nodiscard]] memory::Secret finish() { return text_.finish(); }
  /// Kept in the pool.
  std::string_view keep_in(Pool& pool) const { return pool.keep(view()); }

  static constexpr std::size_t kMost = 8UL << 20;

 private:
  memory::Text text_;
  std::size_t most_;
};

}  // namespace injector::render::templates
