#include <algorithm>

#include "injector/render/value.h"

namespace injector::render {
namespace {

using memory::Document;
using memory::Secret;
using memory::Text;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Ok;
using scanner::base::Result;

Ok require_text(const Value& value) {
  if (is_utf8(value.bytes())) return {};
  const std::string what = value.single() ? "key " + shown(value.members().front().name) : std::string("the value");
  return fail(Errc::unsupported, what + " is no UTF-8 text: only format raw can hold it");
}

void append_hex(Text& out, char32_t point, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    out.append("0123456789abcdef"[(point >> static_cast<unsigned>(shift)) & 0xfU]);
  }
}

/// What a double-quoted YAML scalar may hold as it is. Anything else is escaped: line breaks of all kinds, controls,
/// what some reader takes for unprintable.
bool plain(char32_t point) {
  if (point < 0x20 || point == 0x7f) return false;
  if (point >= 0x80 && point < 0xa0) return false;
  return point != 0x2028 && point != 0x2029 && point != 0xfeff && point != 0xfffe && point != 0xffff;
}

/// In double quotes; the text is UTF-8.
void append_quoted(Text& out, std::string_view text) {
  out.append('"');
  while (!text.empty()) {
    const std::string_view before = text;
    char32_t point = 0;
    if (!take_code_point(text, point)) return;
    if (point == '"' || point == '\\') {
      out.append('\\').append(static_cast<char>(point));
    } else if (plain(point)) {
      out.append(before.substr(0, before.size() - text.size()));
    } else if (point == '\n') {
      out.append("\\n");
    } else if (point == '\t') {
      out.append("\\t");
    } else {
      out.append("\\u");
      append_hex(out, point, 4);
    }
  }
  out.append('"');
}

/// A key of more than 1,024 characters must be marked as one.
constexpr std::size_t kLongKey = 500;

/// YAML 1.1 knows an exponent only after a point and with a sign: 1e3 would be text to it.
void append_number(Text& out, std::string_view number) {
  const auto exponent = number.find_first_of("eE");
  out.append(number.substr(0, exponent));
  if (exponent == std::string_view::npos) return;
  if (number.substr(0, exponent).find('.') == std::string_view::npos) out.append(".0");
  out.append('e');
  const std::string_view power = number.substr(exponent + 1);
  if (!power.starts_with('+') && !power.starts_with('-')) out.append('+');
  out.append(power);
}

std::vector<std::pair<std::string_view, Document::Value>> sorted(Document::Value object) {
  auto members = object.members();
  std::ranges::stable_sort(members, {}, [](const auto& member) { return member.first; });
  return members;
}

/// On one line, in flow style. The document's own limit keeps the nesting bounded.
void append_flow(Text& out, Document::Value value) {
  if (value.is_string()) {
    append_quoted(out, value.string());
  } else if (value.is_object()) {
    const char* between = "";
    out.append('{');
    for (const auto& [name, member] : sorted(value)) {
      out.append(between);
      if (name.size() > kLongKey) out.append("? ");
      append_quoted(out, name);
      out.append(": ");
      append_flow(out, member);
      between = ", ";
    }
    out.append('}');
  } else if (value.is_array()) {
    out.append('[');
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i != 0) out.append(", ");
      append_flow(out, value.at(i));
    }
    out.append(']');
  } else if (value.is_number()) {
    append_number(out, value.text().reveal());
  } else {
    out.append(value.text());  // null, true, false
  }
}

}  // namespace

Result<Secret> to_json(const Value& value) {
  if (value.json().exists()) return value.json().text();
  if (auto text = require_text(value); !text) return fail(std::move(text).error());
  return Text(value.bytes().size() + 2).append_json(value.bytes()).finish();
}

Result<Secret> to_yaml(const Value& value) {
  Text out(value.bytes().size() * 2 + 16);
  const auto json = value.json();
  if (!json.exists()) {
    if (auto text = require_text(value); !text) return fail(std::move(text).error());
    append_quoted(out, value.bytes());
  } else if (!json.is_object() || json.size() == 0) {
    append_flow(out, json);
  } else {
    for (const auto& [name, member] : sorted(json)) {
      const bool is_long = name.size() > kLongKey;
      if (is_long) out.append("? ");
      append_quoted(out, name);
      out.append(is_long ? "\n: " : ": ");
      append_flow(out, member);
      out.append('\n');
    }
    return out.finish();
  }
  out.append('\n');
  return out.finish();
}

}  // namespace injector::render
