#include <algorithm>
#include <array>

#include "injector/render/template/format.h"
#include "injector/render/template/function.h"
#include "injector/render/template/stop.h"
#include "injector/render/template/text.h"
#include "injector/render/template/unicode.h"

/// Text, as consul-template's own functions treat it.
namespace injector::render::templates {

Value keep(Pool& pool, const Builder& builder) { return of_text(builder.keep_in(pool)); }

namespace {

std::size_t last_rune(std::string_view text) {
  std::size_t begin = text.size() - 1;
  while (begin > 0 && text.size() - begin < 4 && (static_cast<unsigned char>(text[begin]) & 0xc0U) == 0x80U) --begin;
  return decode(text.substr(begin)).size == text.size() - begin ? begin : text.size() - 1;
}

template <typename Drops>
std::string_view trimmed(std::string_view text, Drops drops) {
  while (!text.empty()) {
    const Rune rune = decode(text);
    if (!drops(rune.code)) break;
    text.remove_prefix(rune.size);
  }
  while (!text.empty()) {
    const auto begin = last_rune(text);
    if (!drops(decode(text.substr(begin)).code)) break;
    text = text.substr(0, begin);
  }
  return text;
}

template <typename Change>
std::string_view mapped(Pool& pool, std::string_view text, Change change) {
  Builder out;
  while (!text.empty()) {
    const Rune rune = decode(text);
    const char32_t changed = change(rune.code);
    out.add_rune(changed);
    text.remove_prefix(rune.size);
  }
  return out.keep_in(pool);
}

}  // namespace

std::string_view trim_space(std::string_view text) { return trimmed(text, is_space); }

std::string_view trim(std::string_view text, std::string_view set) {
  return trimmed(text, [&](char32_t code) {
    for (std::string_view rest = set; !rest.empty();) {
      const Rune rune = decode(rest);
      if (rune.code == code) return true;
      rest.remove_prefix(rune.size);
    }
    return false;
  });
}

std::vector<std::string_view> split(std::string_view text, std::string_view separator, long most) {
  std::vector<std::string_view> parts;
  if (most == 0) return parts;
  const auto full = [&] { return most > 0 && static_cast<long>(parts.size()) + 1 >= most; };
  if (separator.empty()) {
    while (!text.empty()) {
      if (full()) {
        parts.push_back(text);
        break;
      }
      const auto size = decode(text).size;
      parts.push_back(text.substr(0, size));
      text.remove_prefix(size);
    }
    return parts;
  }
  while (!full()) {
    const auto at = text.find(separator);
    if (at == std::string_view::npos) break;
    parts.push_back(text.substr(0, at));
    text.remove_prefix(at + separator.size());
  }
  parts.push_back(text);
  return parts;
}

std::string_view replace_all(Pool& pool, std::string_view text, std::string_view from, std::string_view to) {
  Builder out;
  if (from.empty()) {
    out.add(to);
    while (!text.empty()) {
      const auto size = decode(text).size;
      out.add(text.substr(0, size)).add(to);
      text.remove_prefix(size);
    }
    return out.keep_in(pool);
  }
  for (;;) {
    const auto at = text.find(from);
    if (at == std::string_view::npos) break;
    out.add(text.substr(0, at)).add(to);
    text.remove_prefix(at + from.size());
  }
  out.add(text);
  return out.keep_in(pool);
}

std::string_view upper(Pool& pool, std::string_view text) { return mapped(pool, text, to_upper); }
std::string_view lower(Pool& pool, std::string_view text) { return mapped(pool, text, to_lower); }

std::string_view title(Pool& pool, std::string_view text) {
  char32_t before = ' ';
  return mapped(pool, text, [&](char32_t code) {
    // Letters, digits and underscores go on a word, and so does all that is no space beyond ASCII.
    const auto separates = [](char32_t one) {
      if (one < 0x80) return !(is_letter(one) || is_digit(one) || one == '_');
      if (is_letter(one) || is_digit(one)) return false;
      return is_space(one);
    };
    const char32_t changed = separates(before) ? to_title(code) : code;
    before = code;
    return changed;
  });
}

std::string_view title_words(Pool& pool, std::string_view text) {
  constexpr char32_t kSharpS = 0xdf;
  const auto cased = [](char32_t rune) { return is_upper(rune) || is_lower(rune) || to_upper(rune) != rune; };
  const auto joins = [](char32_t rune) {
    return rune == '\'' || rune == '.' || rune == ':' || rune == 0xb7 || rune == 0x2018 || rune == 0x2019;
  };
  Builder out;
  bool within = false;
  bool joined = false;
  while (!text.empty()) {
    const Rune rune = decode(text);
    const char32_t code = rune.code;
    const bool joint = joins(code);
    if (joint ? joined : !(is_letter(code) || is_digit(code) || code == '_' || cased(code))) within = false;
    joined = joint;
    if (!within && cased(code)) {
      if (code == kSharpS) {
        out.add("Ss");
      } else {
        out.add_rune(to_title(code));
      }
      within = true;
    } else {
      out.add_rune(code);
    }
    text.remove_prefix(rune.size);
  }
  return out.keep_in(pool);
}

Value texts_of(Pool& pool, const std::vector<std::string_view>& texts) {
  const auto items = pool.array<Value>(texts.size());
  std::ranges::transform(texts, items.begin(), [](std::string_view text) { return of_text(text); });
  return of_list(items, Type::texts);
}

namespace {

using Arguments = std::span<const Value>;

Value indent(Context& context, Arguments arguments) {
  const auto spaces = arguments[0].integer;
  if (spaces < 0) stop("it cannot indent by less than nothing");
  Builder out;
  bool begins = true;
  for (const char c : arguments[1].text()) {
    if (begins && c != '\n') out.add(static_cast<std::size_t>(spaces), ' ');
    out.add(c);
    begins = c == '\n';
  }
  return keep(*context.pool, out);
}

Value join(Context& context, Arguments arguments) {
  Builder out;
  const auto items = arguments[1].list();
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out.add(arguments[0].text());
    out.add(items[i].text());
  }
  return keep(*context.pool, out);
}

Value split_text(Context& context, Arguments arguments) {
  const auto text = trim_space(arguments[1].text());
  if (text.empty()) return of_list({}, Type::texts);
  return texts_of(*context.pool, split(text, arguments[0].text()));
}

Value split_to_map(Context& context, Arguments arguments) {
  Map* const map = new_map(*context.pool);
  const auto text = trim_space(arguments[2].text());
  if (text.empty()) return of_map(map, Type::text_map);
  for (const auto part : split(text, arguments[0].text())) {
    const auto both = split(part, arguments[1].text(), 2);
    if (both.size() == 2) map->set(*context.pool, both[0], both[1].data() != nullptr ? of_text(both[1]) : of_text({}));
  }
  return of_map(map, Type::text_map);
}

Value parse_boolean(Context&, Arguments arguments) {
  bool out = false;
  if (!arguments[0].text().empty() && !try_parse_bool(arguments[0].text(), out))
    stop("a text is neither true nor false");
  return of_bool(out);
}
Value parse_whole(Context&, Arguments arguments) {
  const auto text = arguments[0].text();
  return of_int(text.empty() ? 0 : parse_int(text, 10), Type::int64);
}
Value parse_unsigned(Context&, Arguments arguments) {
  const auto text = arguments[0].text();
  return of_natural(text.empty() ? 0 : parse_natural(text));
}
Value parse_float(Context&, Arguments arguments) {
  const auto text = arguments[0].text();
  return of_real(text.empty() ? 0 : parse_real(text));
}

constexpr auto kFunctions = std::to_array<Function>({
    {"indent", "is", indent},
    {"join", "st", join},
    {"split", "ss", split_text},
    {"splitToMap", "sss", split_to_map},
    {"parseBool", "s", parse_boolean},
    {"parseInt", "s", parse_whole},
    {"parseUint", "s", parse_unsigned},
    {"parseFloat", "s", parse_float},
    {"replaceAll", "sss",
     [](Context& c, Arguments a) { return of_text(replace_all(*c.pool, a[2].text(), a[0].text(), a[1].text())); }},
    {"toLower", "s", [](Context& c, Arguments a) { return of_text(lower(*c.pool, a[0].text())); }},
    {"toUpper", "s", [](Context& c, Arguments a) { return of_text(upper(*c.pool, a[0].text())); }},
    {"toTitle", "s", [](Context& c, Arguments a) { return of_text(title_words(*c.pool, a[0].text())); }},
    {"trimSpace", "s", [](Context&, Arguments a) { return of_text(trim_space(a[0].text())); }},
    {"trim", "ss", [](Context&, Arguments a) { return of_text(trim(a[1].text(), a[0].text())); }},
    {"trimPrefix", "ss",
     [](Context&, Arguments a) {
       auto text = a[1].text();
       if (text.starts_with(a[0].text())) text.remove_prefix(a[0].size);
       return of_text(text);
     }},
    {"trimSuffix", "ss",
     [](Context&, Arguments a) {
       auto text = a[1].text();
       if (text.ends_with(a[0].text())) text.remove_suffix(a[0].size);
       return of_text(text);
     }},
});

}  // namespace

std::span<const Function> text_functions() { return kFunctions; }

}  // namespace injector::render::templates
