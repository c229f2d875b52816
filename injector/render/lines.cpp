#include <algorithm>

#include "injector/render/value.h"

namespace injector::render {
namespace {

using memory::Secret;
using memory::Text;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Ok;
using scanner::base::Result;

Ok require_members(const Value& value, const char* format) {
  if (!value.members().empty() || value.bytes() == "{}") return {};
  return fail(Errc::unsupported, std::string("the value has no keys: format ") + format + " needs some");
}

bool is_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

/// Three ways of quoting, of which the first two mean the same to shells and to the libraries that read such files.
void append_shell_quoted(Text& out, std::string_view value) {
  const bool quote = value.find('\'') != std::string_view::npos;
  const bool last = value.ends_with('\\');
  // Libraries take \\ and \' for escapes even between single quotes; a shell never does.
  if (!quote && !last && value.find("\\\\") == std::string_view::npos) {
    out.append('\'').append(value).append('\'');
  } else if (!last && value.find_first_of("$`") == std::string_view::npos) {
    out.append('"');
    for (const char c : value) {
      if (c == '"' || c == '\\') out.append('\\');
      out.append(c);
    }
    out.append('"');
  } else {
    // Quotes that end and begin again: a library stumbles over them, and does not misread in silence.
    out.append('\'');
    for (const char c : value) {
      const bool outside = c == '\'' || c == '\\';
      if (outside) out.append("'\\");
      out.append(c);
      if (outside) out.append('\'');
    }
    out.append('\'');
  }
}

void append_unit(Text& out, unsigned unit) {
  out.append("\\u");
  for (int shift = 12; shift >= 0; shift -= 4) {
    out.append("0123456789abcdef"[(unit >> static_cast<unsigned>(shift)) & 0xfU]);
  }
}

/// False when it is no UTF-8.
bool append_property(Text& out, std::string_view text, bool is_key) {
  bool start = true;
  while (!text.empty()) {
    char32_t point = 0;
    if (!take_code_point(text, point)) return false;
    switch (point) {
      case '\\':
        out.append("\\\\");
        break;
      case '\n':
        out.append("\\n");
        break;
      case '\r':
        out.append("\\r");
        break;
      case '\t':
        out.append("\\t");
        break;
      case '\f':
        out.append("\\f");
        break;
      case ' ':
        out.append(is_key || start ? "\\ " : " ");
        break;
      case '=':
      case ':':
      case '#':
      case '!':
        out.append('\\').append(static_cast<char>(point));
        break;
      default:
        if (point > 0x20 && point < 0x7f) {
          out.append(static_cast<char>(point));
        } else if (point > 0xffff) {
          append_unit(out, 0xd800U + ((static_cast<unsigned>(point) - 0x10000U) >> 10U));
          append_unit(out, 0xdc00U + ((static_cast<unsigned>(point) - 0x10000U) & 0x3ffU));
        } else {
          append_unit(out, static_cast<unsigned>(point));
        }
    }
    start = false;
  }
  return true;
}

}  // namespace

Result<Secret> to_dotenv(const Value& value) {
  if (auto good = require_members(value, "dotenv"); !good) return fail(std::move(good).error());
  Text out(value.bytes().size() + 64);
  for (const auto& [name, bytes] : value.members()) {
    if (!is_name(name)) {
      return fail(Errc::unsupported,
                  "key " + shown(name) + " is no name of an environment variable (letters, digits, _)");
    }
    if (bytes.find('\0') != std::string_view::npos) {
      return fail(Errc::unsupported, "key " + shown(name) + " holds a NUL byte, which no environment variable can");
    }
    out.append(name).append('=');
    append_shell_quoted(out, bytes);
    out.append('\n');
  }
  return out.finish();
}

Result<Secret> to_properties(const Value& value) {
  if (auto good = require_members(value, "properties"); !good) return fail(std::move(good).error());
  Text out(value.bytes().size() + 64);
  for (const auto& [name, bytes] : value.members()) {
    bool text = append_property(out, name, true);
    out.append('=');
    text = append_property(out, bytes, false) && text;
    if (!text) return fail(Errc::unsupported, "key " + shown(name) + " is no UTF-8 text: only format raw can hold it");
    out.append('\n');
  }
  return out.finish();
}

}  // namespace injector::render
