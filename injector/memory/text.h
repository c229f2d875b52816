#pragma once

#include <cstddef>
#include <string_view>

#include "injector/memory/secret.h"

namespace injector::memory {

/// Puts a secret text together, in the arena all the while; what it outgrows is wiped.
class Text {
 public:
  Text() = default;
  /// With room for `capacity` bytes before it must grow.
  explicit Text(std::size_t capacity) : bytes_(Secret::of_size(capacity)) {}

  Text& append(std::string_view bytes);
  Text& append(char byte) { return append(std::string_view(&byte, 1)); }
  Text& append(const Secret& secret) { return append(secret.reveal()); }
  /// As a JSON string, quotes included. The bytes must be UTF-8.
  Text& append_json(std::string_view string);
  Text& append_json(const Secret& secret) { return append_json(secret.reveal()); }

  [[nodiscard]] std::size_t size() const { return size_; }
  /// What was written so far; valid until more is.
  [[nodiscard]] std::string_view reveal() const { return bytes_.reveal().substr(0, size_); }
  /// The text; this one is empty afterwards.
  [[nodiscard]] Secret finish();

 private:
  Secret bytes_;
  std::size_t size_ = 0;
};

}  // namespace injector::memory
