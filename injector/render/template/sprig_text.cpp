#include <algorithm>
#include <array>
#include <string>

#include "injector/render/template/format.h"
#include "injector/render/template/function.h"
#include "injector/render/template/sprig.h"
#include "injector/render/template/stop.h"
#include "injector/render/template/text.h"
#include "injector/render/template/unicode.h"

/// Sprig's functions on text, under the names with the prefix that consul-template gives them.
namespace injector::render::templates {

std::string_view text_of(Context& context, const Value& value) {
  if (value.type == Type::bytes || value.type == Type::error) return value.text();
  return shown(*context.pool, value);
}

std::vector<std::string_view> texts_in(Context& context, const Value& value) {
  std::vector<std::string_view> out;
  if (value.is_list()) {
    for (const Value& item : value.list()) {
      if (!item.is_nil()) out.push_back(text_of(context, item));
    }
  } else if (!value.is_nil()) {
    out.push_back(text_of(context, value));
  }
  return out;
}

namespace {

using Arguments = std::span<const Value>;

void indent(Builder& out, std::int64_t spaces, std::string_view text) {
  if (spaces < 0) stop("it cannot indent by less than nothing");
  const auto width = static_cast<std::size_t>(spaces);
  out.add(width, ' ');
  for (const char c : text) {
    out.add(c);
    if (c == '\n') out.add(width, ' ');
  }
}

Value sprig_indent(Context& context, Arguments arguments) {
  Builder out;
  indent(out, arguments[0].integer, arguments[1].text());
  return keep(*context.pool, out);
}

Value nindent(Context& context, Arguments arguments) {
  Builder out;
  out.add('\n');
  indent(out, arguments[0].integer, arguments[1].text());
  return keep(*context.pool, out);
}

Value quote_all(Context& context, Arguments arguments) {
  Builder out;
  for (const Value& value : arguments) {
    if (value.is_nil()) continue;
    if (!out.empty()) out.add(' ');
    quote(out, text_of(context, value));
  }
  return keep(*context.pool, out);
}

Value squote_all(Context& context, Arguments arguments) {
  Builder out;
  for (const Value& value : arguments) {
    if (value.is_nil()) continue;
    if (!out.empty()) out.add(' ');
    out.add('\'').add(shown(*context.pool, value)).add('\'');
  }
  return keep(*context.pool, out);
}

Value cat(Context& context, Arguments arguments) {
  Builder out;
  bool first = true;
  for (const Value& value : arguments) {
    if (value.is_nil()) continue;
    if (!first) out.add(' ');
    first = false;
    out.add(shown(*context.pool, value));
  }
  return keep(*context.pool, out);
}

Value repeat(Context& context, Arguments arguments) {
  if (arguments[0].integer < 0) stop("it cannot repeat less than never");
  Builder out;
  const auto text = arguments[1].text();
  if (text.empty()) return of_text({});
  for (std::int64_t i = 0; i < arguments[0].integer; ++i) out.add(text);
  return keep(*context.pool, out);
}

Value trunc(Context&, Arguments arguments) {
  const auto count = arguments[0].integer;
  const auto text = arguments[1].text();
  const auto size = static_cast<std::int64_t>(text.size());
  if (count < 0 && size + count > 0) return of_text(text.substr(static_cast<std::size_t>(size + count)));
  if (count >= 0 && size > count) return of_text(text.substr(0, static_cast<std::size_t>(count)));
  return of_text(text);
}

Value substr(Context&, Arguments arguments) {
  const auto text = arguments[2].text();
  const auto size = static_cast<std::int64_t>(text.size());
  auto begin = arguments[0].integer;
  auto end = arguments[1].integer;
  if (begin < 0) {
    begin = 0;
    if (end < 0) stop("its places lie outside of the text");
  } else if (end < 0 || end > size) {
    end = size;
  }
  if (begin > end || end > size) stop("its places lie outside of the text");
  return of_text(text.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
}

/// "..." in the place of what lies beyond `width` bytes, and before `offset`.
Value abbreviated(Context& context, std::string_view text, std::int64_t offset, std::int64_t width) {
  const auto size = static_cast<std::int64_t>(text.size());
  if (width < 4 || size <= width) return of_text(text);
  offset = std::min(offset, size);
  if (size - offset < width - 3) offset = size - (width - 3);
  Builder out;
  if (offset <= 4) {
    out.add(text.substr(0, static_cast<std::size_t>(width - 3))).add("...");
    return keep(*context.pool, out);
  }
  if (width < 7) return of_text(text);
  out.add("...");
  if (offset + width - 3 < size) {
    const auto rest = text.substr(static_cast<std::size_t>(offset));
    const auto inner = width - 3;
    if (inner < 4 || static_cast<std::int64_t>(rest.size()) <= inner) {
      out.add(rest);
    } else {
      out.add(rest.substr(0, static_cast<std::size_t>(inner - 3))).add("...");
    }
  } else {
    out.add(text.substr(static_cast<std::size_t>(size - (width - 3))));
  }
  return keep(*context.pool, out);
}

Value abbrev(Context& context, Arguments arguments) {
  return abbreviated(context, arguments[1].text(), 0, arguments[0].integer);
}
Value abbrev_both(Context& context, Arguments arguments) {
  const auto left = arguments[0].integer;
  const auto right = arguments[1].integer;
  if (right < 4 || (left > 0 && right < 7)) return arguments[2];
  return abbreviated(context, arguments[2].text(), left, right);
}

Value initials(Context& context, Arguments arguments) {
  Builder out;
  bool begins = true;
  for (auto text = arguments[0].text(); !text.empty();) {
    const Rune rune = decode(text);
    if (is_space(rune.code)) {
      begins = true;
    } else if (begins) {
      out.add_rune(rune.code);
      begins = false;
    }
    text.remove_prefix(rune.size);
  }
  return keep(*context.pool, out);
}

/// Each letter by what it is and whether a word begins with it.
template <typename Change>
Value changed(Context& context, std::string_view text, Change change) {
  Builder out;
  bool begins = true;
  while (!text.empty()) {
    const Rune rune = decode(text);
    out.add_rune(change(rune.code, begins));
    begins = is_space(rune.code);
    text.remove_prefix(rune.size);
  }
  return keep(*context.pool, out);
}

Value swapcase(Context& context, Arguments arguments) {
  return changed(context, arguments[0].text(), [](char32_t code, bool begins) {
    if (is_upper(code)) return to_lower(code);
    if (is_lower(code)) return begins ? to_title(code) : to_upper(code);
    return code;
  });
}
Value untitle(Context& context, Arguments arguments) {
  return changed(context, arguments[0].text(),
                 [](char32_t code, bool begins) { return begins ? to_lower(code) : code; });
}

Value nospace(Context& context, Arguments arguments) {
  Builder out;
  for (auto text = arguments[0].text(); !text.empty();) {
    const Rune rune = decode(text);
    if (!is_space(rune.code)) out.add(text.substr(0, rune.size));
    text.remove_prefix(rune.size);
  }
  return keep(*context.pool, out);
}

Value plural(Context&, Arguments arguments) { return arguments[2].integer == 1 ? arguments[0] : arguments[1]; }

/// "_0", "_1", ...
Value numbered(Context& context, const std::vector<std::string_view>& parts) {
  Map* const map = new_map(*context.pool);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Builder key;
    key.add('_');
    print_int(key, static_cast<std::int64_t>(i));
    map->set(*context.pool, key.keep_in(*context.pool), of_text(parts[i]));
  }
  return of_map(map, Type::text_map);
}

Value split_numbered(Context& context, Arguments arguments) {
  return numbered(context, split(arguments[1].text(), arguments[0].text()));
}
Value split_some(Context& context, Arguments arguments) {
  return numbered(context, split(arguments[2].text(), arguments[0].text(), static_cast<long>(arguments[1].integer)));
}
Value split_list(Context& context, Arguments arguments) {
  return texts_of(*context.pool, split(arguments[1].text(), arguments[0].text()));
}

Value sprig_join(Context& context, Arguments arguments) {
  Builder out;
  bool first = true;
  for (const auto text : texts_in(context, arguments[1])) {
    if (!first) out.add(arguments[0].text());
    first = false;
    out.add(text);
  }
  return keep(*context.pool, out);
}

Value sort_alpha(Context& context, Arguments arguments) {
  auto texts = texts_in(context, arguments[0]);
  if (arguments[0].is_nil()) texts = {std::string_view("<nil>")};
  std::ranges::sort(texts);
  return texts_of(*context.pool, texts);
}

Value to_strings(Context& context, Arguments arguments) {
  return texts_of(*context.pool, texts_in(context, arguments[0]));
}
Value to_string(Context& context, Arguments arguments) { return of_text(text_of(context, arguments[0])); }

Value wrapped(Context& context, std::int64_t width, std::string_view line_end, std::string_view text, bool breaks) {
  if (width < 1) width = 1;
  if (line_end.empty()) line_end = "\n";
  const auto size = static_cast<std::size_t>(width);
  Builder out;
  std::size_t offset = 0;
  while (text.size() - offset > size) {
    if (text[offset] == ' ') {
      ++offset;
      continue;
    }
    const auto end = offset + size + 1;
    const auto space = text.substr(0, std::min(end, text.size())).rfind(' ');
    if (space != std::string_view::npos && space >= offset) {
      out.add(text.substr(offset, space - offset)).add(line_end);
      offset = space + 1;
    } else if (breaks) {
      out.add(text.substr(offset, size)).add(line_end);
      offset += size;
    } else {
      const auto next = text.find(' ', offset + size);
      if (next == std::string_view::npos) break;
      out.add(text.substr(offset, next - offset)).add(line_end);
      offset = next + 1;
    }
  }
  out.add(text.substr(offset));
  return keep(*context.pool, out);
}

bool prefix(Arguments a) { return a[1].text().starts_with(a[0].text()); }

constexpr auto kFunctions = std::to_array<Function>({
    {"sprig_indent", "is", sprig_indent},
    {"sprig_nindent", "is", nindent},
    {"sprig_quote", "*a", quote_all},
    {"sprig_squote", "*a", squote_all},
    {"sprig_cat", "*a", cat},
    {"sprig_repeat", "is", repeat},
    {"sprig_trunc", "is", trunc},
    {"sprig_substr", "iis", substr},
    {"sprig_abbrev", "is", abbrev},
    {"sprig_abbrevboth", "iis", abbrev_both},
    {"sprig_initials", "s", initials},
    {"sprig_swapcase", "s", swapcase},
    {"sprig_untitle", "s", untitle},
    {"sprig_title", "s", [](Context& c, Arguments a) { return of_text(title(*c.pool, a[0].text())); }},
    {"sprig_upper", "s", [](Context& c, Arguments a) { return of_text(upper(*c.pool, a[0].text())); }},
    {"sprig_lower", "s", [](Context& c, Arguments a) { return of_text(lower(*c.pool, a[0].text())); }},
    {"sprig_nospace", "s", nospace},
    {"sprig_trim", "s", [](Context&, Arguments a) { return of_text(trim_space(a[0].text())); }},
    {"sprig_trimAll", "ss", [](Context&, Arguments a) { return of_text(trim(a[1].text(), a[0].text())); }},
    {"sprig_trimall", "ss", [](Context&, Arguments a) { return of_text(trim(a[1].text(), a[0].text())); }},
    {"sprig_trimPrefix", "ss",
     [](Context&, Arguments a) { return of_text(prefix(a) ? a[1].text().substr(a[0].size) : a[1].text()); }},
    {"sprig_trimSuffix", "ss",
     [](Context&, Arguments a) {
       auto text = a[1].text();
       if (text.ends_with(a[0].text())) text.remove_suffix(a[0].size);
       return of_text(text);
     }},
    {"sprig_contains", "ss",
     [](Context&, Arguments a) { return of_bool(a[1].text().find(a[0].text()) != std::string_view::npos); }},
    {"sprig_hasPrefix", "ss", [](Context&, Arguments a) { return of_bool(prefix(a)); }},
    {"sprig_hasSuffix", "ss", [](Context&, Arguments a) { return of_bool(a[1].text().ends_with(a[0].text())); }},
    {"sprig_replace", "sss",
     [](Context& c, Arguments a) { return of_text(replace_all(*c.pool, a[2].text(), a[0].text(), a[1].text())); }},
    {"sprig_plural", "ssi", plural},
    {"sprig_split", "ss", split_numbered},
    {"sprig_splitn", "sis", split_some},
    {"sprig_splitList", "ss", split_list},
    {"sprig_join", "sa", sprig_join},
    {"sprig_sortAlpha", "a", sort_alpha},
    {"sprig_toString", "a", to_string},
    {"sprig_toStrings", "a", to_strings},
    {"sprig_wrap", "is", [](Context& c, Arguments a) { return wrapped(c, a[0].integer, "\n", a[1].text(), false); }},
    {"sprig_wrapWith", "iss",
     [](Context& c, Arguments a) { return wrapped(c, a[0].integer, a[1].text(), a[2].text(), true); }},
});

}  // namespace

std::span<const Function> sprig_text_functions() { return kFunctions; }

}  // namespace injector::render::templates
