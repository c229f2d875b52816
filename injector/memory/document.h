#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "injector/memory/secret.h"
#include "scanner/base/result.h"

namespace injector::memory {

/// A JSON document whose every byte, parser scratch included, lives in the arena.
///
/// Values are views into it and die with it. Errors give the byte offset, never text.
class Document {
 public:
  class Value;

  /// Limits: nesting of 64, else `Errc::limit`. No JSON, or more than one: `Errc::corrupt`.
  static scanner::base::Result<Document> parse(const Secret& text);

  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

  [[nodiscard]] Value root() const;

 private:
  struct Impl;
  explicit Document(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// One value. Cheap to copy. Asking an absent or other-typed value gives nothing, never an error: `value["a"]["b"]`.
class Document::Value {
 public:
  Value() = default;
  explicit Value(const void* node) : node_(node) {}

  [[nodiscard]] bool exists() const { return node_ != nullptr; }
  [[nodiscard]] bool is_null() const;
  [[nodiscard]] bool is_object() const;
  [[nodiscard]] bool is_array() const;
  [[nodiscard]] bool is_string() const;
  [[nodiscard]] bool is_bool() const;
  [[nodiscard]] bool is_number() const;
  [[nodiscard]] Value operator[](std::string_view key) const;
  [[nodiscard]] Value at(std::size_t index) const;
  [[nodiscard]] std::size_t size() const;
  /// Members in the document's order; keys are views into the document.
  [[nodiscard]] std::vector<std::pair<std::string_view, Value>> members() const;
  /// Empty when it is no string.
  [[nodiscard]] std::string_view string() const;
  [[nodiscard]] std::optional<std::int64_t> integer() const;
  [[nodiscard]] std::optional<double> number() const;
  [[nodiscard]] std::optional<bool> boolean() const;
  /// The value as compact JSON text; keys sorted, so that equal values give equal bytes.
  [[nodiscard]] Secret text() const;

 private:
  const void* node_ = nullptr;
};

}  // namespace injector::memory
