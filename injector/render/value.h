#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "injector/memory/document.h"
#include "injector/memory/text.h"
#include "injector/model/reading.h"
#include "scanner/base/result.h"

namespace injector::render {

/// What a format writes: one member of a reading, or all of them, or a value that has none.
class Value {
 public:
  struct Member {
    std::string_view name;
    std::string_view bytes;  ///< A string's own; anything else as JSON text.
  };

  /// Borrows the reading. `Errc::missing` when it has no such key.
  static scanner::base::Result<Value> of(const Reading& reading, std::string_view key);

  [[nodiscard]] bool single() const { return single_; }
  /// The one member's bytes, or what was stored whole.
  [[nodiscard]] std::string_view bytes() const { return bytes_; }
  /// Sorted by name. With a key that one; none when the stored value has no members.
  [[nodiscard]] const std::vector<Member>& members() const { return members_; }
  /// The value as JSON; absent when it is text, or bytes.
  [[nodiscard]] memory::Document::Value json() const { return json_; }

 private:
  Value() = default;
  bool single_ = false;
  std::string_view bytes_;
  std::vector<Member> members_;
  std::vector<memory::Document> document_;  ///< One or none.
  memory::Document::Value json_;
};

/// A key for messages: printable, and of sensible length.
std::string shown(std::string_view key);

/// The next code point, taken off `text`; false when the bytes are no UTF-8 (strictly: no surrogates, no overlong
/// forms).
bool take_code_point(std::string_view& text, char32_t& out);
bool is_utf8(std::string_view text);

/// Formats. `Errc::unsupported` or `corrupt` names the key.
scanner::base::Result<memory::Secret> to_json(const Value& value);
scanner::base::Result<memory::Secret> to_yaml(const Value& value);
scanner::base::Result<memory::Secret> to_dotenv(const Value& value);
scanner::base::Result<memory::Secret> to_properties(const Value& value);
scanner::base::Result<memory::Secret> to_pem(const Value& value);

}  // namespace injector::render
