#include <algorithm>
#include <array>
#include <string>

#include "injector/render/template/collection.h"
#include "injector/render/template/function.h"
#include "injector/render/template/sprig.h"
#include "injector/render/template/stop.h"
#include "injector/render/template/text.h"

/// Sprig's lists, maps, defaults and questions about types.
namespace injector::render::templates {

std::vector<Value> items_in(const Value& value) {
  if (value.is_list()) return {value.items, value.items + value.size};
  if (value.type == Type::bytes) {
    std::vector<Value> out;
    for (const char c : value.text()) out.push_back(of_natural(static_cast<unsigned char>(c), Type::uint8));
    return out;
  }
  stop("it wants a list, and got a value of type " + std::string(type_name(value)));
}

bool deep_equal(const Value& a, const Value& b) {
  if (a.is_nil() || b.is_nil()) return a.is_nil() && b.is_nil();
  if (a.type != b.type) return false;
  if (a.type == Type::float64) return a.real == b.real;
  if (a.is_text() || a.type == Type::bytes || a.type == Type::error) return a.text() == b.text();
  if (a.is_list()) return std::ranges::equal(a.list(), b.list(), deep_equal);
  if (a.type == Type::map || a.type == Type::text_map) {
    return std::ranges::equal(a.map->members(), b.map->members(), [](const auto& one, const auto& other) {
      return one.key == other.key && deep_equal(one.value, other.value);
    });
  }
  return a.integer == b.integer;
}

namespace {

using Arguments = std::span<const Value>;

Value list_of(Context& context, const std::vector<Value>& items) {
  const auto room = context.pool->array<Value>(items.size());
  std::ranges::copy(items, room.begin());
  return of_list(room);
}

Value make_list(Context& context, Arguments arguments) {
  return list_of(context, {arguments.begin(), arguments.end()});
}

Value make_dict(Context& context, Arguments arguments) {
  Map* const map = new_map(*context.pool);
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    const auto key = context.pool->keep(text_of(context, arguments[i]));
    map->set(*context.pool, key, i + 1 < arguments.size() ? arguments[i + 1] : of_text({}));
  }
  return of_map(map);
}

Value set(Context& context, Arguments arguments) {
  arguments[0].map->set(*context.pool, arguments[1].text(), arguments[2]);
  return arguments[0];
}
Value unset(Context&, Arguments arguments) {
  arguments[0].map->erase(arguments[1].text());
  return arguments[0];
}
Value get(Context&, Arguments arguments) {
  const Value* const found = arguments[0].map->find(arguments[1].text());
  return found != nullptr ? *found : of_text({});
}
Value has_key(Context&, Arguments arguments) { return of_bool(arguments[0].map->find(arguments[1].text()) != nullptr); }

Value keys(Context& context, Arguments arguments) {
  std::vector<std::string_view> out;
  for (const Value& map : arguments) {
    for (const auto& member : map.map->members()) out.push_back(member.key);
  }
  return texts_of(*context.pool, out);
}
Value values(Context& context, Arguments arguments) {
  std::vector<Value> out;
  for (const auto& member : arguments[0].map->members()) out.push_back(member.value);
  return list_of(context, out);
}

template <bool picks>
Value chosen(Context& context, Arguments arguments) {
  Map* const map = new_map(*context.pool);
  const auto named = arguments.subspan(1);
  for (const auto& [key, value] : arguments[0].map->members()) {
    const bool there = std::ranges::any_of(named, [&, &name = key](const Value& one) { return one.text() == name; });
    if (there == picks) map->set(*context.pool, key, value);
  }
  return of_map(map);
}

Value pluck(Context& context, Arguments arguments) {
  std::vector<Value> out;
  for (const Value& map : arguments.subspan(1)) {
    const Value* const found = map.map->find(arguments[0].text());
    if (found != nullptr) out.push_back(*found);
  }
  return list_of(context, out);
}

Value dig(Context&, Arguments arguments) {
  if (arguments.size() < 3) stop("it wants at least three arguments");
  Value here = arguments.back();
  if (here.type != Type::map) stop("its last argument must be a map");
  const auto& otherwise = arguments[arguments.size() - 2];
  const auto path = arguments.first(arguments.size() - 2);
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i].type != Type::text) stop("its keys must be strings");
    const Value* const found = here.map->find(path[i].text());
    if (found == nullptr) return otherwise;
    if (i + 1 < path.size() && found->type != Type::map) stop("a key on its way does not lead to a map");
    here = *found;
  }
  return here;
}

template <bool overwrites>
Value merge(Context& context, Arguments arguments) {
  for (const Value& source : arguments.subspan(1)) {
    merge_into(context, *arguments[0].map, *source.map, overwrites, 0);
  }
  return arguments[0];
}

Value copied(Context& context, const Value& value, int depth) {
  if (depth > 60) stop_at_limit("it copies something that is nested too deeply");
  if (value.type == Type::map || value.type == Type::text_map) {
    Map* const map = new_map(*context.pool);
    for (const auto& [key, member] : value.map->members()) {
      map->set(*context.pool, key, copied(context, member, depth + 1));
    }
    return of_map(map, value.type);
  }
  if (!value.is_list()) return value;
  const auto items = context.pool->array<Value>(value.size);
  std::ranges::transform(value.list(), items.begin(),
                         [&](const Value& one) { return copied(context, one, depth + 1); });
  return of_list(items, value.type);
}
Value deep_copy(Context& context, Arguments arguments) { return copied(context, arguments[0], 0); }

// --- Lists ---

Value append(Context& context, Arguments arguments) {
  auto items = items_in(arguments[0]);
  items.push_back(arguments[1]);
  return list_of(context, items);
}
Value prepend(Context& context, Arguments arguments) {
  auto items = items_in(arguments[0]);
  items.insert(items.begin(), arguments[1]);
  return list_of(context, items);
}
Value concat(Context& context, Arguments arguments) {
  std::vector<Value> out;
  for (const Value& list : arguments) {
    const auto items = items_in(list);
    out.insert(out.end(), items.begin(), items.end());
  }
  return list_of(context, out);
}
Value first(Context&, Arguments arguments) {
  const auto items = items_in(arguments[0]);
  return items.empty() ? nil() : items.front();
}
Value last(Context&, Arguments arguments) {
  const auto items = items_in(arguments[0]);
  return items.empty() ? nil() : items.back();
}
Value rest(Context& context, Arguments arguments) {
  auto items = items_in(arguments[0]);
  if (!items.empty()) items.erase(items.begin());
  return list_of(context, items);
}
Value initial(Context& context, Arguments arguments) {
  auto items = items_in(arguments[0]);
  if (!items.empty()) items.pop_back();
  return list_of(context, items);
}
Value reverse(Context& context, Arguments arguments) {
  auto items = items_in(arguments[0]);
  std::ranges::reverse(items);
  return list_of(context, items);
}
bool among(const std::vector<Value>& items, const Value& value) {
  return std::ranges::any_of(items, [&](const Value& one) { return deep_equal(one, value); });
}
Value uniq(Context& context, Arguments arguments) {
  std::vector<Value> out;
  for (const Value& item : items_in(arguments[0])) {
    context.pool->step(16 * out.size());
    if (!among(out, item)) out.push_back(item);
  }
  return list_of(context, out);
}
Value without(Context& context, Arguments arguments) {
  const std::vector<Value> dropped(arguments.begin() + 1, arguments.end());
  auto items = items_in(arguments[0]);
  context.pool->step(16 * items.size() * dropped.size());
  std::erase_if(items, [&](const Value& item) { return among(dropped, item); });
  return list_of(context, items);
}
Value compact(Context& context, Arguments arguments) {
  auto items = items_in(arguments[0]);
  std::erase_if(items, is_empty);
  return list_of(context, items);
}
Value has(Context&, Arguments arguments) {
  if (arguments[1].is_nil()) return of_bool(false);
  return of_bool(among(items_in(arguments[1]), arguments[0]));
}
Value slice(Context& context, Arguments arguments) {
  const auto items = items_in(arguments[0]);
  if (items.empty()) return nil();
  std::size_t begin = 0;
  std::size_t end = items.size();
  const auto place = [&](const Value& value) {
    const auto at = whole_of(value);
    if (at < 0 || static_cast<std::size_t>(at) > items.size()) stop("an index is out of range");
    return static_cast<std::size_t>(at);
  };
  if (arguments.size() > 1) begin = place(arguments[1]);
  if (arguments.size() > 2) end = place(arguments[2]);
  if (begin > end) stop("its indexes are in the wrong order");
  // A slice of a slice keeps its type.
  Value out = list_of(
      context, {items.begin() + static_cast<std::ptrdiff_t>(begin), items.begin() + static_cast<std::ptrdiff_t>(end)});
  if (arguments[0].is_list()) out.type = arguments[0].type;
  return out;
}
Value chunk(Context& context, Arguments arguments) {
  const auto size = arguments[0].integer;
  if (size <= 0) stop("a chunk must hold something");
  const auto items = items_in(arguments[1]);
  std::vector<Value> out;
  for (std::size_t at = 0; at < items.size(); at += static_cast<std::size_t>(size)) {
    const auto end = std::min(items.size(), at + static_cast<std::size_t>(size));
    out.push_back(list_of(
        context, {items.begin() + static_cast<std::ptrdiff_t>(at), items.begin() + static_cast<std::ptrdiff_t>(end)}));
  }
  return list_of(context, out);
}

// --- Defaults ---

Value otherwise(Context&, Arguments arguments) {
  return arguments.size() < 2 || is_empty(arguments[1]) ? arguments[0] : arguments[1];
}
Value coalesce(Context&, Arguments arguments) {
  const auto found = std::ranges::find_if_not(arguments, is_empty);
  return found == arguments.end() ? nil() : *found;
}
Value ternary(Context&, Arguments arguments) { return arguments[2].boolean ? arguments[0] : arguments[1]; }

std::string_view type_of(const Value& value) { return type_name(value); }

Value type_is_like(Context&, Arguments arguments) {
  const auto type = type_of(arguments[1]);
  const auto wanted = arguments[0].text();
  return of_bool(type == wanted || (type.starts_with('*') && type.substr(1) == wanted));
}

constexpr auto kFunctions = std::to_array<Function>({
    {"sprig_list", "*a", make_list},
    {"sprig_tuple", "*a", make_list},
    {"sprig_dict", "*a", make_dict},
    {"sprig_set", "msa", set},
    {"sprig_unset", "ms", unset},
    {"sprig_get", "ms", get},
    {"sprig_hasKey", "ms", has_key},
    {"sprig_keys", "*m", keys},
    {"sprig_values", "m", values},
    {"sprig_pick", "m*s", chosen<true>},
    {"sprig_omit", "m*s", chosen<false>},
    {"sprig_pluck", "s*m", pluck},
    {"sprig_dig", "*a", dig},
    {"sprig_merge", "m*m", merge<false>},
    {"sprig_mergeOverwrite", "m*m", merge<true>},
    {"sprig_mustMerge", "m*m", merge<false>},
    {"sprig_mustMergeOverwrite", "m*m", merge<true>},
    {"sprig_deepCopy", "a", deep_copy},
    {"sprig_mustDeepCopy", "a", deep_copy},
    {"sprig_append", "aa", append},
    {"sprig_push", "aa", append},
    {"sprig_mustAppend", "aa", append},
    {"sprig_mustPush", "aa", append},
    {"sprig_prepend", "aa", prepend},
    {"sprig_mustPrepend", "aa", prepend},
    {"sprig_concat", "*a", concat},
    {"sprig_first", "a", first},
    {"sprig_mustFirst", "a", first},
    {"sprig_last", "a", last},
    {"sprig_mustLast", "a", last},
    {"sprig_rest", "a", rest},
    {"sprig_mustRest", "a", rest},
    {"sprig_initial", "a", initial},
    {"sprig_mustInitial", "a", initial},
    {"sprig_reverse", "a", reverse},
    {"sprig_mustReverse", "a", reverse},
    {"sprig_uniq", "a", uniq},
    {"sprig_mustUniq", "a", uniq},
    {"sprig_without", "a*a", without},
    {"sprig_mustWithout", "a*a", without},
    {"sprig_compact", "a", compact},
    {"sprig_mustCompact", "a", compact},
    {"sprig_has", "aa", has},
    {"sprig_mustHas", "aa", has},
    {"sprig_slice", "a*a", slice},
    {"sprig_mustSlice", "a*a", slice},
    {"sprig_chunk", "ia", chunk},
    {"sprig_mustChunk", "ia", chunk},
    {"sprig_default", "a*a", otherwise},
    {"sprig_coalesce", "*a", coalesce},
    {"sprig_ternary", "aab", ternary},
    {"sprig_empty", "a", [](Context&, Arguments a) { return of_bool(is_empty(a[0])); }},
    {"sprig_all", "*a", [](Context&, Arguments a) { return of_bool(std::ranges::none_of(a, is_empty)); }},
    {"sprig_any", "*a", [](Context&, Arguments a) { return of_bool(!std::ranges::all_of(a, is_empty)); }},
    {"sprig_typeOf", "a", [](Context&, Arguments a) { return of_text(type_of(a[0])); }},
    {"sprig_kindOf", "a", [](Context&, Arguments a) { return of_text(kind_name(a[0])); }},
    {"sprig_typeIs", "sa", [](Context&, Arguments a) { return of_bool(type_of(a[1]) == a[0].text()); }},
    {"sprig_kindIs", "sa", [](Context&, Arguments a) { return of_bool(kind_name(a[1]) == a[0].text()); }},
    {"sprig_typeIsLike", "sa", type_is_like},
    {"sprig_deepEqual", "aa", [](Context&, Arguments a) { return of_bool(deep_equal(a[0], a[1])); }},
    {"sprig_fail", "s", [](Context&, Arguments) -> Value { stop("the template says so"); }},
});

}  // namespace

std::span<const Function> sprig_collection_functions() { return kFunctions; }

}  // namespace injector::render::templates
