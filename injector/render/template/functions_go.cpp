#include <algorithm>
#include <array>
#include <string>

#include "injector/render/template/format.h"
#include "injector/render/template/function.h"
#include "injector/render/template/stop.h"
#include "injector/render/template/unicode.h"

/// The functions that Go's template language brings along.
namespace injector::render::templates {
namespace {

using Arguments = std::span<const Value>;

constexpr std::string_view kHexUpper = "0123456789ABCDEF";

Value text_in(Context& context, const Builder& builder) { return of_text(builder.keep_in(*context.pool)); }

Value print_all(Context& context, Arguments arguments) {
  Builder out;
  print(out, arguments);
  return text_in(context, out);
}

Value print_all_line(Context& context, Arguments arguments) {
  Builder out;
  print_line(out, arguments);
  return text_in(context, out);
}

Value print_format(Context& context, Arguments arguments) {
  Builder out;
  print_formatted(out, arguments[0].text(), arguments.subspan(1));
  return text_in(context, out);
}

/// What html, js and urlquery escape: one text, or what print makes of several values.
std::string_view joined(Context& context, Arguments arguments) {
  if (arguments.size() == 1 && arguments[0].type == Type::text) return arguments[0].text();
  std::vector<Value> values(arguments.begin(), arguments.end());
  for (Value& value : values) {
    if (value.is_nil()) value = of_text("<no value>");
  }
  Builder out;
  print(out, values);
  return out.keep_in(*context.pool);
}

Value html(Context& context, Arguments arguments) {
  Builder out;
  for (const char c : joined(context, arguments)) {
    switch (c) {
      case '"':
        out.add("&#34;");
        break;
      case '\'':
        out.add("&#39;");
        break;
      case '&':
        out.add("&amp;");
        break;
      case '<':
        out.add("&lt;");
        break;
      case '>':
        out.add("&gt;");
        break;
      case '\0':
        out.add_rune(kBadRune);
        break;
      default:
        out.add(c);
    }
  }
  return text_in(context, out);
}

void add_unicode(Builder& out, char32_t code) {
  out.add("\\u");
  if (code > 0xffff) out.add(kHexUpper[code >> 16U & 15U]);
  for (std::size_t i = 4; i-- > 0;) out.add(kHexUpper[code >> (4 * i) & 15U]);
}

Value js(Context& context, Arguments arguments) {
  Builder out;
  std::string_view text = joined(context, arguments);
  while (!text.empty()) {
    const Rune rune = decode(text);
    if (rune.code == '\\' || rune.code == '\'' || rune.code == '"') {
      out.add('\\').add(static_cast<char>(rune.code));
    } else if (rune.code == '<' || rune.code == '>' || rune.code == '&' || rune.code == '=' || rune.code < ' ' ||
               !(rune.code < 0x80 || is_print(rune.code))) {
      add_unicode(out, rune.code);
    } else {
      out.add(text.substr(0, rune.size));
    }
    text.remove_prefix(rune.size);
  }
  return text_in(context, out);
}

Value urlquery(Context& context, Arguments arguments) {
  Builder out;
  for (const char c : joined(context, arguments)) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte < 0x80 && (is_letter(byte) || is_digit(byte));
    if (plain || c == '-' || c == '_' || c == '.' || c == '~') {
      out.add(c);
    } else if (c == ' ') {
      out.add('+');
    } else {
      out.add('%').add(kHexUpper[byte >> 4U]).add(kHexUpper[byte & 15U]);
    }
  }
  return text_in(context, out);
}

Value length(Context&, Arguments arguments) {
  const Value& value = arguments[0];
  if (value.is_nil()) stop("nil has no length");
  if (value.is_text() || value.is_list() || value.type == Type::bytes)
    return of_int(static_cast<std::int64_t>(value.size));
  if (value.type == Type::map || value.type == Type::text_map)
    return of_int(static_cast<std::int64_t>(value.map->size));
  if (value.type == Type::channel) return of_int(0);
  stop("a value of type " + std::string(type_name(value)) + " has no length");
}

std::size_t place_of(const Value& index, std::size_t size, bool end) {
  if (index.is_nil()) stop("nil is no index");
  if (!index.is_integer()) stop("a value of type " + std::string(type_name(index)) + " is no index");
  const bool negative = index.is_signed() && index.integer < 0;
  if (negative || index.natural > size || (!end && index.natural == size)) stop("an index is out of range");
  return static_cast<std::size_t>(index.natural);
}

Value index(Context&, Arguments arguments) {
  Value item = arguments[0];
  if (item.is_nil()) stop("nil cannot be indexed");
  for (const Value& at : arguments.subspan(1)) {
    if (item.is_nil()) stop("nil cannot be indexed");
    if (item.is_list()) {
      item = item.items[place_of(at, item.size, false)];
    } else if (item.is_text() || item.type == Type::bytes) {
      item = of_natural(static_cast<unsigned char>(item.data[place_of(at, item.size, false)]), Type::uint8);
    } else if (item.type == Type::map || item.type == Type::text_map) {
      if (at.type != Type::text)
        stop("the key of a map must be a string, and is of type " + std::string(type_name(at)));
      const Value* const found = item.map->find(at.text());
      item = found != nullptr ? *found : item.type == Type::map ? nil() : of_text({});
    } else {
      stop("a value of type " + std::string(type_name(item)) + " cannot be indexed");
    }
  }
  return item;
}

Value slice(Context&, Arguments arguments) {
  const Value& item = arguments[0];
  const auto indexes = arguments.subspan(1);
  if (item.is_nil()) stop("nil cannot be sliced");
  if (indexes.size() > 3) stop("it takes three indexes at most");
  const bool text = item.is_text();
  if (text && indexes.size() == 3) stop("a string cannot be sliced with three indexes");
  if (!text && !item.is_list() && item.type != Type::bytes) {
    stop("a value of type " + std::string(type_name(item)) + " cannot be sliced");
  }
  std::array<std::size_t, 3> place = {0, item.size, item.size};
  for (std::size_t i = 0; i < indexes.size(); ++i) place[i] = place_of(indexes[i], item.size, true);
  if (place[0] > place[1] || place[1] > place[2]) stop("its indexes are in the wrong order");
  Value out = item;
  out.size = place[1] - place[0];
  if (item.is_list()) {
    out.items += place[0];
  } else {
    out.data += place[0];
  }
  return out;
}

Value negation(Context&, Arguments arguments) { return of_bool(!truth(arguments[0])); }

// --- Comparison ---

enum class Kind : std::uint8_t { invalid, boolean, integer, natural, real, text, other };

Kind kind_of(const Value& value) {
  if (value.is_nil()) return Kind::invalid;
  if (value.type == Type::boolean) return Kind::boolean;
  if (value.is_signed()) return Kind::integer;
  if (value.is_unsigned()) return Kind::natural;
  if (value.type == Type::float64) return Kind::real;
  if (value.is_text()) return Kind::text;
  return Kind::other;
}

[[noreturn]] void incomparable(const Value& a, const Value& b) {
  stop("values of types " + std::string(type_name(a)) + " and " + std::string(type_name(b)) + " cannot be compared");
}

bool equal(const Value& a, const Value& b) {
  const Kind left = kind_of(a);
  const Kind right = kind_of(b);
  if (left != right) {
    if (left == Kind::integer && right == Kind::natural) return a.integer >= 0 && a.natural == b.natural;
    if (left == Kind::natural && right == Kind::integer) return b.integer >= 0 && a.natural == b.natural;
    if (left != Kind::invalid && right != Kind::invalid) incomparable(a, b);
    if (left == Kind::other && (a.is_list() || a.is_map())) return false;
    return false;
  }
  switch (left) {
    case Kind::invalid:
      return true;
    case Kind::boolean:
      return a.boolean == b.boolean;
    case Kind::real:
      return a.real == b.real;
    case Kind::text:
      return a.text() == b.text();
    case Kind::other:
      if (a.type != b.type || a.is_list() || a.is_map() || a.type == Type::bytes) incomparable(a, b);
      return a.integer == b.integer;
    default:
      return a.integer == b.integer;
  }
}

bool less(const Value& a, const Value& b) {
  const Kind left = kind_of(a);
  const Kind right = kind_of(b);
  if (left == Kind::invalid || left == Kind::other || right == Kind::invalid || right == Kind::other)
    incomparable(a, b);
  if (left == Kind::integer && right == Kind::natural) return a.integer < 0 || a.natural < b.natural;
  if (left == Kind::natural && right == Kind::integer) return b.integer >= 0 && a.natural < b.natural;
  if (left != right || left == Kind::boolean) incomparable(a, b);
  if (left == Kind::integer) return a.integer < b.integer;
  if (left == Kind::natural) return a.natural < b.natural;
  if (left == Kind::real) return a.real < b.real;
  return a.text() < b.text();
}

Value eq(Context&, Arguments arguments) {
  if (arguments.size() < 2) stop("it needs something to compare with");
  for (const Value& other : arguments.subspan(1)) {
    if (equal(arguments[0], other)) return of_bool(true);
  }
  return of_bool(false);
}
Value ne(Context&, Arguments arguments) { return of_bool(!equal(arguments[0], arguments[1])); }
Value lt(Context&, Arguments arguments) { return of_bool(less(arguments[0], arguments[1])); }
Value le(Context&, Arguments arguments) {
  return of_bool(less(arguments[0], arguments[1]) || equal(arguments[0], arguments[1]));
}
Value gt(Context&, Arguments arguments) {
  return of_bool(!less(arguments[0], arguments[1]) && !equal(arguments[0], arguments[1]));
}
Value ge(Context&, Arguments arguments) { return of_bool(!less(arguments[0], arguments[1])); }

constexpr auto kFunctions = std::to_array<Function>({
    {"and", "a*a", nullptr, Function::Special::and_},
    {"or", "a*a", nullptr, Function::Special::or_},
    {"not", "a", negation},
    {"len", "a", length},
    {"index", "a*a", index},
    {"slice", "a*a", slice},
    {"print", "*a", print_all},
    {"println", "*a", print_all_line},
    {"printf", "s*a", print_format},
    {"html", "*a", html},
    {"js", "*a", js},
    {"urlquery", "*a", urlquery},
    {"eq", "a*a", eq},
    {"ne", "aa", ne},
    {"lt", "aa", lt},
    {"le", "aa", le},
    {"gt", "aa", gt},
    {"ge", "aa", ge},
    {"secret", "*s", nullptr, Function::Special::secret},
    {"executeTemplate", "s*a", nullptr, Function::Special::execute},
    {"secrets", "s", nullptr, Function::Special::secrets},
    {"pkiCert", "s*s", nullptr, Function::Special::certificate},
});

}  // namespace

std::span<const Function> go_functions() { return kFunctions; }

}  // namespace injector::render::templates
