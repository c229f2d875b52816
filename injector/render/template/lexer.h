#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace injector::render::templates {

enum class Token : std::uint8_t {
  error,
  end,
  text,
  left,
  right,
  space,
  assign,
  declare,
  pipe,
  comma,
  character,  ///< Any other printable one: always wrong.
  open,
  close,
  dot,
  field,     ///< ".name"
  variable,  ///< "$name" or "$"
  identifier,
  boolean,
  number,
  rune,    ///< 'a'
  string,  ///< "..."
  raw,     ///< `...`
  key_block,
  key_break,
  key_continue,
  key_define,
  key_else,
  key_end,
  key_if,
  key_nil,
  key_range,
  key_template,
  key_with,
};

struct Item {
  Token token = Token::end;
  std::string_view text;  ///< As it stands in the template.
  std::size_t line = 1;
  std::string error;  ///< What is wrong, of Token::error, which comes last.
};

/// All items of a template, the last one `end` or `error`. Trimmed text is already trimmed, comments are gone.
std::vector<Item> lex(std::string_view text, std::string_view left, std::string_view right);

}  // namespace injector::render::templates
