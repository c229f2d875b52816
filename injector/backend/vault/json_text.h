#pragma once

#include <array>
#include <span>
#include <string_view>

#include "injector/memory/secret.h"

namespace injector::backend::vault {

/// A member of a JSON object: a string, or text that is JSON already.
struct Field {
  enum class Kind : std::uint8_t { string, json };
  std::string_view key;
  std::string_view value;
  Kind kind = Kind::string;
};

/// The object as text.
memory::Secret json_object(std::span<const Field> fields);
/// Not by an initializer list, which GCC 12 cannot have in a coroutine.
template <typename... Fields>
memory::Secret json_object(const Field& first, const Fields&... others) {
  const std::array<Field, 1 + sizeof...(Fields)> fields{first, others...};
  return json_object(std::span<const Field>(fields));
}

}  // namespace injector::backend::vault
