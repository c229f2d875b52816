#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "injector/render/template/collection.h"
#include "injector/render/template/function.h"
#include "injector/render/template/stop.h"

/// Lists and maps, as consul-template treats them.
namespace injector::render::templates {

bool is_empty(const Value& value) {
  switch (value.type) {
    case Type::record:
    case Type::error:
    case Type::channel:
    case Type::scratch:
      return false;
    default:
      return !truth(value);
  }
}

void merge_into(Context& context, Map& target, const Map& source, bool overwrites, int depth) {
  if (depth > 60) stop_at_limit("it merges something that is nested too deeply");
  for (const auto& [key, value] : source.members()) {
    const Value* const there = target.find(key);
    if (there != nullptr && there->type == Type::map && value.type == Type::map) {
      merge_into(context, *there->map, *value.map, overwrites, depth + 1);
    } else if (overwrites || (!value.is_nil() && (there == nullptr || is_empty(*there)))) {
      target.set(*context.pool, key, value);
    }
  }
}

namespace {

using Arguments = std::span<const Value>;

/// Texts, whole numbers with a sign and fractions are found, a json.Number among its like alone; nothing is found in a
/// map.
bool holds(const Value& list, const Value& value) {
  if (list.is_text()) {
    if (value.is_nil()) stop("nil cannot be looked for in a text");
    return list.type == value.type && list.text().find(value.text()) != std::string_view::npos;
  }
  if (!list.is_list()) return false;
  return std::ranges::any_of(list.list(), [&](const Value& item) {
    if (item.is_text()) return item.type == value.type && item.text() == value.text();
    if (item.is_signed()) return value.is_signed() && item.integer == value.integer;
    return item.type == Type::float64 && value.type == Type::float64 && item.real == value.real;
  });
}

std::size_t found(Context& context, Arguments arguments) {
  context.pool->step(arguments[0].size * (arguments[1].size + 1));
  return static_cast<std::size_t>(
      std::ranges::count_if(arguments[0].list(), [&](const Value& value) { return holds(arguments[1], value); }));
}

void explode(Context& context, Map& target, std::string_view key, const Value& value, int depth) {
  if (depth > 60) stop_at_limit("a key has too many parts");
  const auto slash = key.find('/');
  if (slash == std::string_view::npos) {
    if (!key.empty()) target.set(*context.pool, key, value);
    return;
  }
  const auto first = key.substr(0, slash);
  const Value* there = target.find(first);
  if (there == nullptr) {
    target.set(*context.pool, first, of_map(new_map(*context.pool)));
    there = target.find(first);
  }
  if (there->type != Type::map) stop("a key is both a value and the beginning of others");
  explode(context, *there->map, key.substr(slash + 1), value, depth + 1);
}

Value explode_map(Context& context, Arguments arguments) {
  Map* const made = new_map(*context.pool);
  for (const auto& [key, value] : arguments[0].map->members()) explode(context, *made, key, value, 0);
  return of_map(made);
}

template <bool overwrites>
Value merge_map(Context& context, Arguments arguments) {
  merge_into(context, *arguments[0].map, *arguments[1].map, overwrites, 0);
  return arguments[0];
}

Value make_scratch(Context& context, Arguments) { return of_map(context.scratch, Type::scratch); }

constexpr auto kFunctions = std::to_array<Function>({
    {"in", "aa", [](Context&, Arguments a) { return of_bool(holds(a[0], a[1])); }},
    {"contains", "aa", [](Context&, Arguments a) { return of_bool(holds(a[1], a[0])); }},
    {"containsAll", "ya", [](Context& c, Arguments a) { return of_bool(found(c, a) == a[0].size); }},
    {"containsAny", "ya", [](Context& c, Arguments a) { return of_bool(found(c, a) > 0); }},
    {"containsNone", "ya", [](Context& c, Arguments a) { return of_bool(found(c, a) == 0); }},
    {"containsNotAll", "ya", [](Context& c, Arguments a) { return of_bool(found(c, a) < a[0].size); }},
    {"explodeMap", "m", explode_map},
    {"mergeMap", "mm", merge_map<false>},
    {"mergeMapWithOverride", "mm", merge_map<true>},
    {"scratch", "", make_scratch},
});

}  // namespace

std::span<const Function> collection_functions() { return kFunctions; }

}  // namespace injector::render::templates
