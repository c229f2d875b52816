#include <cmath>
#include <string>

#include "injector/render/template/encode.h"
#include "injector/render/template/format.h"
#include "injector/render/template/stop.h"
#include "injector/render/template/unicode.h"

namespace injector::render::templates {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

class Json {
 public:
  Json(Builder& out, Escape escape, Layout layout) : out_(out), escape_(escape), layout_(layout) {}

  void value(const Value& value, std::size_t depth) {
    if (depth > 100) stop_at_limit("it writes something that is nested too deeply");
    switch (value.type) {
      case Type::none:
      case Type::nil:
        out_.add("null");
        return;
      case Type::boolean:
        out_.add(value.boolean ? "true" : "false");
        return;
      case Type::float64:
        real(value.real);
        return;
      case Type::text:
        text(value.text());
        return;
      case Type::number:
        out_.add(value.size == 0 ? "0" : value.text());
        return;
      case Type::bytes:
        out_.add('"');
        write_base64(out_, value.text(), false);
        out_.add('"');
        return;
      case Type::list:
      case Type::texts:
      case Type::ints:
        list(value, depth);
        return;
      case Type::map:
      case Type::text_map:
        members(value.map->members(), depth);
        return;
      case Type::record:
        members(value.record->fields, depth);
        return;
      case Type::error:
        out_.add("{}");
        return;
      case Type::channel:
      case Type::scratch:
      case Type::unknown:
        stop("a value of type " + std::string(type_name(value)) + " has no form in JSON");
      default:
        print_value(out_, value);
    }
  }

 private:
  void line(std::size_t depth) {
    if (layout_ == Layout::indented) out_.add('\n').add(2 * depth, ' ');
  }

  void list(const Value& value, std::size_t depth) {
    out_.add('[');
    for (std::size_t i = 0; i < value.size; ++i) {
      if (i > 0) out_.add(',');
      line(depth + 1);
      this->value(value.items[i], depth + 1);
    }
    if (value.size > 0) line(depth);
    out_.add(']');
  }

  void members(std::span<const Map::Member> members, std::size_t depth) {
    out_.add('{');
    bool first = true;
    for (const auto& [key, member] : members) {
      if (!first) out_.add(',');
      first = false;
      line(depth + 1);
      text(key);
      out_.add(layout_ == Layout::indented ? ": " : ":");
      value(member, depth + 1);
    }
    if (!first) line(depth);
    out_.add('}');
  }

  void real(double value) {
    if (!std::isfinite(value)) stop("a number that is not finite has no form in JSON");
    const double size = std::abs(value);
    if (size != 0 && (size < 1e-6 || size >= 1e21)) {
      Builder made;
      print_real(made, value, 'e', -1);
      // 1e-09 is written 1e-9.
      const auto digits = made.view();
      const auto at = digits.find("e-0");
      if (at != std::string_view::npos && at + 4 == digits.size()) {
        out_.add(digits.substr(0, at + 2)).add(digits.substr(at + 3));
      } else {
        out_.add(digits);
      }
      return;
    }
    print_real(out_, value, 'f', -1);
  }

  void text(std::string_view text) {
    out_.add('"');
    while (!text.empty()) {
      const Rune rune = decode(text);
      if (rune.code < 0x80) {
        byte(text[0]);
      } else if (rune.code == kBadRune && rune.size == 1) {
        out_.add_rune(kBadRune);
      } else if (rune.code == 0x2028 || rune.code == 0x2029) {
        out_.add(rune.code == 0x2028 ? "\\u2028" : "\\u2029");
      } else {
        out_.add(text.substr(0, rune.size));
      }
      text.remove_prefix(rune.size);
    }
    out_.add('"');
  }

  void byte(char c) {
    constexpr std::string_view kShort = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (std::size_t i = 0; i < kShort.size(); i += 2) {
      if (c != kShort[i]) continue;
      out_.add('\\').add(kShort[i + 1]);
      return;
    }
    const auto code = static_cast<unsigned char>(c);
    if (code < ' ' || (escape_ == Escape::html && (c == '<' || c == '>' || c == '&'))) {
      out_.add("\\u00").add(kHex[code >> 4U]).add(kHex[code & 15U]);
    } else {
      out_.add(c);
    }
  }

  Builder& out_;
  Escape escape_;
  Layout layout_;
};

}  // namespace

void write_json(Builder& out, const Value& value, Escape escape, Layout layout) {
  Json(out, escape, layout).value(value, 0);
}

}  // namespace injector::render::templates
