#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "injector/render/template/encode.h"
#include "injector/render/template/format.h"
#include "injector/render/template/stop.h"
#include "injector/render/template/unicode.h"

/// TOML as BurntSushi/toml for Go writes it: plain values first, then tables, each level indented by two blanks.
namespace injector::render::templates {
namespace {

class Toml {
 public:
  explicit Toml(Builder& out) : out_(out) {}

  void document(const Value& value) {
    if (value.is_nil()) stop("nil has no form in TOML");
    if (is_tables(value)) stop("a list of tables has no name in TOML");
    is_map(value) ? members(value) : element(value);
  }

 private:
  using Key = std::vector<std::string_view>;

  [[nodiscard]] std::size_t indent() const { return key_.empty() ? 0 : 2 * (key_.size() - 1); }
  void line_end() {
    if (begun_) out_.add('\n');
  }

  static bool is_map(const Value& value) { return value.type == Type::map || value.type == Type::text_map; }
  static bool is_tables(const Value& value) {
    return value.type == Type::list && value.size > 0 && std::ranges::all_of(value.list(), is_map);
  }
  static bool is_table(const Value& value) { return is_map(value) || is_tables(value); }

  void members(const Value& table) {
    if (key_.size() > 60) stop_at_limit("it writes something that is nested too deeply");
    for (const auto& [name, value] : table.map->members()) {
      if (value.is_nil() || is_table(value)) continue;
      key_.push_back(name);
      out_.add(indent(), ' ');
      quoted_key(name);
      out_.add(" = ");
      element(value);
      begun_ = true;
      line_end();
      key_.pop_back();
    }
    for (const auto& [name, value] : table.map->members()) {
      if (value.is_nil() || !is_table(value)) continue;
      key_.push_back(name);
      if (is_map(value)) {
        this->table(value);
      } else {
        tables(value);
      }
      key_.pop_back();
    }
  }

  void heading(std::string_view open, std::string_view close) {
    out_.add(indent(), ' ').add(open);
    for (std::size_t i = 0; i < key_.size(); ++i) {
      if (i > 0) out_.add('.');
      quoted_key(key_[i]);
    }
    out_.add(close);
    begun_ = true;
    line_end();
  }

  void table(const Value& value) {
    if (key_.size() == 1) line_end();
    heading("[", "]");
    members(value);
  }

  void tables(const Value& value) {
    for (const Value& one : value.list()) {
      line_end();
      heading("[[", "]]");
      members(one);
    }
  }

  void quoted_key(std::string_view key) {
    const bool bare = !key.empty() && std::ranges::all_of(key, [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return byte < 0x80 && (is_letter(byte) || is_digit(byte) || c == '_' || c == '-');
    });
    if (bare) {
      out_.add(key);
    } else {
      quoted(key);
    }
  }

  void quoted(std::string_view text) {
    constexpr std::string_view kShort = "\tt\nn\rr\"\"\\\\\bb\ff";
    constexpr std::string_view kHex = "0123456789abcdef";
    out_.add('"');
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      std::size_t at = 0;
      while (at < kShort.size() && kShort[at] != c) at += 2;
      if (at < kShort.size()) {
        out_.add('\\').add(kShort[at + 1]);
      } else if (byte < 0x20 || byte == 0x7f) {
        out_.add("\\u00").add(kHex[byte >> 4U]).add(kHex[byte & 15U]);
      } else {
        out_.add(c);
      }
    }
    out_.add('"');
  }

  void real(double value) {
    if (std::isnan(value)) {
      out_.add("nan");
      return;
    }
    if (std::isinf(value)) {
      out_.add(value < 0 ? "-inf" : "inf");
      return;
    }
    Builder made;
    print_real(made, value, 'f', -1);
    out_.add(made.view());
    if (made.view().find('.') == std::string_view::npos) out_.add(".0");
  }

  void element(const Value& value) {
    switch (value.type) {
      case Type::boolean:
        out_.add(value.boolean ? "true" : "false");
        return;
      case Type::text:
        return quoted(value.text());
      case Type::float64:
        return real(value.real);
      case Type::number: {
        std::int64_t whole = 0;
        if (try_parse_int(value.text(), 10, whole)) return print_int(out_, whole);
        return real(parse_real(value.text()));
      }
      case Type::list:
      case Type::texts:
      case Type::ints:
        return list(value);
      case Type::map:
      case Type::text_map:
        return inline_table(value);
      case Type::none:
      case Type::nil:
        stop("nil in a list has no form in TOML");
      case Type::bytes:
      case Type::record:
      case Type::error:
      case Type::channel:
      case Type::scratch:
      case Type::unknown:
        stop("a value of type " + std::string(type_name(value)) + " is not written as TOML here");
      default:
        print_value(out_, value);
    }
  }

  void list(const Value& value) {
    if (++depth_ > 60) stop_at_limit("it writes something that is nested too deeply");
    out_.add('[');
    for (std::size_t i = 0; i < value.size; ++i) {
      if (i > 0) out_.add(", ");
      element(value.items[i]);
    }
    out_.add(']');
    --depth_;
  }

  void inline_table(const Value& value) {
    if (++depth_ > 60) stop_at_limit("it writes something that is nested too deeply");
    out_.add('{');
    bool first = true;
    for (const auto& [name, member] : value.map->members()) {
      if (member.is_nil()) continue;
      if (!first) out_.add(", ");
      first = false;
      quoted_key(name);
      out_.add(" = ");
      element(member);
    }
    out_.add('}');
    --depth_;
  }

  Builder& out_;
  Key key_;
  int depth_ = 0;
  bool begun_ = false;
};

}  // namespace

void write_toml(Builder& out, const Value& value) { Toml(out).document(value); }

}  // namespace injector::render::templates
