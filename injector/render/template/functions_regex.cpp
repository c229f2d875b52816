#include <array>
#include <limits>
#include <string>
#include <vector>

#include "injector/render/template/function.h"
#include "injector/render/template/regex.h"
#include "injector/render/template/stop.h"
#include "injector/render/template/text.h"
#include "injector/render/template/unicode.h"

/// Regular expressions, of consul-template and of sprig.
namespace injector::render::templates {
namespace {

using Arguments = std::span<const Value>;
using Groups = std::vector<std::size_t>;

constexpr auto kNowhere = std::string_view::npos;

/// "$1", "${1}", "$name", "$$": the longest name counts, and one that there is not stands for nothing.
void expand(Builder& out, const Regex& regex, std::string_view text, const Groups& groups,
            std::string_view replacement) {
  while (!replacement.empty()) {
    const auto dollar = replacement.find('$');
    out.add(replacement.substr(0, dollar));
    if (dollar == kNowhere) return;
    replacement.remove_prefix(dollar + 1);
    if (replacement.starts_with('$')) {
      out.add('$');
      replacement.remove_prefix(1);
      continue;
    }
    std::string_view rest = replacement;
    const bool braced = rest.starts_with('{');
    if (braced) rest.remove_prefix(1);
    std::size_t end = 0;
    while (end < rest.size()) {
      const Rune rune = decode(rest.substr(end));
      if (rune.code != '_' && !is_letter(rune.code) && !is_digit(rune.code)) break;
      end += rune.size;
    }
    const auto name = rest.substr(0, end);
    rest.remove_prefix(end);
    if (name.empty() || (braced && !rest.starts_with('}'))) {
      out.add('$');
      continue;
    }
    if (braced) rest.remove_prefix(1);
    replacement = rest;
    const int group = regex.group(name);
    if (group < 0) continue;
    const auto place = 2 * static_cast<std::size_t>(group);
    if (groups[place] != kNowhere) out.add(text.substr(groups[place], groups[place + 1] - groups[place]));
  }
}

template <typename Replace>
Value replaced(Context& context, const Regex& regex, std::string_view text, Replace replace) {
  Builder out;
  std::size_t copied = 0;
  std::size_t from = 0;
  while (from <= text.size()) {
    const Groups groups = regex.find(*context.pool, text, from);
    if (groups.empty()) break;
    out.add(text.substr(copied, groups[0] - copied));
    // Not of nothing right behind another match.
    if (groups[1] > copied || groups[0] == 0) replace(out, groups);
    copied = groups[1];
    const auto width = from < text.size() ? decode(text.substr(from)).size : 0;
    if (from + width > groups[1]) {
      from += width;
    } else if (from + 1 > groups[1]) {
      ++from;
    } else {
      from = groups[1];
    }
  }
  out.add(text.substr(copied));
  return keep(*context.pool, out);
}

std::vector<Groups> all_of(Context& context, const Regex& regex, std::string_view text, std::int64_t most) {
  std::vector<Groups> found;
  const auto limit = most < 0 ? std::numeric_limits<std::size_t>::max() : static_cast<std::size_t>(most);
  std::size_t before = kNowhere;
  for (std::size_t from = 0; found.size() < limit && from <= text.size();) {
    Groups groups = regex.find(*context.pool, text, from);
    if (groups.empty()) break;
    bool counts = true;
    if (groups[1] == from) {
      counts = groups[0] != before;
      from += from < text.size() ? decode(text.substr(from)).size : 1;
    } else {
      from = groups[1];
    }
    before = groups[1];
    context.pool->step(16 * groups.size());
    if (counts) found.push_back(std::move(groups));
  }
  return found;
}

std::string_view part(std::string_view text, const Groups& groups) {
  return text.substr(groups[0], groups[1] - groups[0]);
}

Value match(Context& context, Arguments arguments) {
  const auto regex = Regex::compile(arguments[0].text());
  return of_bool(!regex.find(*context.pool, arguments[1].text(), 0).empty());
}

/// Sprig's takes a malformed one for one that does not match.
Value match_or_not(Context& context, Arguments arguments) {
  try {
    return match(context, arguments);
  } catch (const Stop& stop) {
    if (stop.code == scanner::base::Errc::limit) throw;
    return of_bool(false);
  }
}

Value replace_by(Context& context, std::string_view pattern, std::string_view text, std::string_view replacement) {
  const auto regex = Regex::compile(pattern);
  return replaced(context, regex, text,
                  [&](Builder& out, const Groups& groups) { expand(out, regex, text, groups, replacement); });
}

Value replace(Context& context, Arguments arguments) {
  return replace_by(context, arguments[0].text(), arguments[2].text(), arguments[1].text());
}
Value sprig_replace(Context& context, Arguments arguments) {
  return replace_by(context, arguments[0].text(), arguments[1].text(), arguments[2].text());
}
Value replace_literal(Context& context, Arguments arguments) {
  const auto regex = Regex::compile(arguments[0].text());
  return replaced(context, regex, arguments[1].text(),
                  [&](Builder& out, const Groups&) { out.add(arguments[2].text()); });
}

Value find(Context& context, Arguments arguments) {
  const auto regex = Regex::compile(arguments[0].text());
  const Groups groups = regex.find(*context.pool, arguments[1].text(), 0);
  return of_text(groups.empty() ? std::string_view() : part(arguments[1].text(), groups));
}

Value find_all(Context& context, Arguments arguments) {
  const auto regex = Regex::compile(arguments[0].text());
  std::vector<std::string_view> found;
  for (const Groups& groups : all_of(context, regex, arguments[1].text(), arguments[2].integer)) {
    found.push_back(part(arguments[1].text(), groups));
  }
  return texts_of(*context.pool, found);
}

Value split_by(Context& context, Arguments arguments) {
  const auto regex = Regex::compile(arguments[0].text());
  const auto text = arguments[1].text();
  const auto most = arguments[2].integer;
  std::vector<std::string_view> parts;
  if (most == 0) return of_list({}, Type::texts);
  if (text.empty() && arguments[0].size > 0) return texts_of(*context.pool, {std::string_view()});
  std::size_t begin = 0;
  std::size_t end = 0;
  for (const Groups& groups : all_of(context, regex, text, most)) {
    if (most > 0 && static_cast<std::int64_t>(parts.size()) == most - 1) break;
    end = groups[0];
    if (groups[1] != 0) parts.push_back(text.substr(begin, end - begin));
    begin = groups[1];
  }
  if (end != text.size()) parts.push_back(text.substr(begin));
  return texts_of(*context.pool, parts);
}

Value quote_meta(Context& context, Arguments arguments) {
  constexpr std::string_view kMeta = "\\.+*?()|[]{}^$";
  Builder out;
  for (const char c : arguments[0].text()) {
    if (kMeta.find(c) != std::string_view::npos) out.add('\\');
    out.add(c);
  }
  return keep(*context.pool, out);
}

constexpr auto kFunctions = std::to_array<Function>({
    {"regexMatch", "ss", match},
    {"regexReplaceAll", "sss", replace},
    {"sprig_regexMatch", "ss", match_or_not},
    {"sprig_mustRegexMatch", "ss", match},
    {"sprig_regexFind", "ss", find},
    {"sprig_mustRegexFind", "ss", find},
    {"sprig_regexFindAll", "ssi", find_all},
    {"sprig_mustRegexFindAll", "ssi", find_all},
    {"sprig_regexReplaceAll", "sss", sprig_replace},
    {"sprig_mustRegexReplaceAll", "sss", sprig_replace},
    {"sprig_regexReplaceAllLiteral", "sss", replace_literal},
    {"sprig_mustRegexReplaceAllLiteral", "sss", replace_literal},
    {"sprig_regexSplit", "ssi", split_by},
    {"sprig_mustRegexSplit", "ssi", split_by},
    {"sprig_regexQuoteMeta", "s", quote_meta},
});

}  // namespace

std::span<const Function> regex_functions() { return kFunctions; }

}  // namespace injector::render::templates
