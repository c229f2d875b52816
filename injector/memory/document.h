#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "injector/memory/secret.h"
#include "scanner/base/result.h"

namespace injector::memory {

/// A JSON document whose every byte lives in the arena: one copy of the text, whose strings are unescaped in place, and
/// 16 bytes a value. The parser is our own, because those of libraries leave copies on the stack and the heap.
///
/// Values are views into it and die with it. Errors give the byte offset, never text.
class Document {
 public:
  class Value;

  /// Limits: nesting of 64, a text of 256 MiB, else `Errc::limit`. No JSON (RFC 8259, strict: UTF-8, no lone
  /// surrogate), or more than one: `Errc::corrupt`. Of members with the same name the last one counts, the others are
  /// not there.
  static scanner::base::Result<Document> parse(const Secret& text);
  /// The same without a second copy of the text.
  static scanner::base::Result<Document> parse(Secret&& text);

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
  /// All elements; at() walks to each from the first.
  [[nodiscard]] std::vector<Value> elements() const;
  /// Elements or members; 0 for anything else.
  [[nodiscard]] std::size_t size() const;
  /// Members in the document's order; keys are views into the document.
  [[nodiscard]] std::vector<std::pair<std::string_view, Value>> members() const;
  /// Empty when it is no string.
  [[nodiscard]] std::string_view string() const;
  /// A number that is written without fraction or exponent and fits.
  [[nodiscard]] std::optional<std::int64_t> integer() const;
  /// Any number; rounded, or infinite, as a double must.
  [[nodiscard]] std::optional<double> number() const;
  [[nodiscard]] std::optional<bool> boolean() const;
  /// The value as compact JSON text; keys sorted bytewise, so that equal values give equal bytes. Numbers stand as they
  /// were written, however long.
  [[nodiscard]] Secret text() const;

 private:
  const void* node_ = nullptr;
};

}  // namespace injector::memory
