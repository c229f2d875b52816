#include "injector/render/template/value.h"

#include <algorithm>

namespace injector::render::templates {
namespace {

auto place_of(std::span<Map::Member> members, std::string_view key) {
  return std::ranges::lower_bound(members, key, {}, &Map::Member::key);
}

}  // namespace

const Value* Map::find(std::string_view key) const {
  const auto all = members();
  const auto at = place_of(all, key);
  return at != all.end() && at->key == key ? &at->value : nullptr;
}

void Map::set(Pool& pool, std::string_view key, const Value& value) {
  const auto all = members();
  const auto at = place_of(all, key);
  if (at != all.end() && at->key == key) {
    at->value = value;
    return;
  }
  const auto index = at - all.begin();
  if (size == room.size()) {
    const auto larger = pool.array<Member>(std::max<std::size_t>(4, 2 * size));
    std::ranges::copy(all, larger.begin());
    room = larger;
  }
  pool.step(size);
  ++size;
  const auto now = members();
  std::move_backward(now.begin() + index, now.end() - 1, now.end());
  now[static_cast<std::size_t>(index)] = {key, value};
}

void Map::erase(std::string_view key) {
  const auto all = members();
  const auto at = place_of(all, key);
  if (at == all.end() || at->key != key) return;
  std::move(at + 1, all.end(), at);
  --size;
}

Value of_bool(bool value) {
  Value out;
  out.type = Type::boolean;
  out.boolean = value;
  return out;
}

Value of_int(std::int64_t value, Type type) {
  Value out;
  out.type = type;
  out.integer = value;
  return out;
}

Value of_natural(std::uint64_t value, Type type) {
  Value out;
  out.type = type;
  out.natural = value;
  return out;
}

Value of_real(double value) {
  Value out;
  out.type = Type::float64;
  out.real = value;
  return out;
}

Value of_text(std::string_view text, Type type) {
  Value out;
  out.type = type;
  out.data = text.data();
  out.size = text.size();
  return out;
}

Value of_list(std::span<const Value> items, Type type) {
  Value out;
  out.type = type;
  out.items = items.data();
  out.size = items.size();
  return out;
}

Value of_map(Map* map, Type type) {
  Value out;
  out.type = type;
  out.map = map;
  return out;
}

Value nil() {
  Value out;
  out.type = Type::nil;
  return out;
}

Value unknown() {
  Value out;
  out.type = Type::unknown;
  return out;
}

Map* new_map(Pool& pool) { return new (pool.take(sizeof(Map))) Map; }

std::string_view type_name(const Value& value) {
  switch (value.type) {
    case Type::none:
    case Type::nil:
      return "<nil>";
    case Type::unknown:
      return "a value";
    case Type::boolean:
      return "bool";
    case Type::int_:
      return "int";
    case Type::int8:
      return "int8";
    case Type::int32:
      return "int32";
    case Type::int64:
      return "int64";
    case Type::uint8:
      return "uint8";
    case Type::uint:
      return "uint";
    case Type::uint64:
      return "uint64";
    case Type::float64:
      return "float64";
    case Type::text:
      return "string";
    case Type::number:
      return "json.Number";
    case Type::error:
      return "*errors.errorString";
    case Type::list:
      return "[]interface {}";
    case Type::texts:
      return "[]string";
    case Type::ints:
      return "[]int";
    case Type::bytes:
      return "[]uint8";
    case Type::map:
      return "map[string]interface {}";
    case Type::text_map:
      return "map[string]string";
    case Type::record:
      return value.record->name;
    case Type::channel:
      return "<-chan int64";
    case Type::scratch:
      return "*template.Scratch";
  }
  return "?";
}

std::string_view kind_name(const Value& value) {
  switch (value.type) {
    case Type::none:
    case Type::nil:
      return "invalid";
    case Type::number:
      return "string";
    case Type::list:
    case Type::texts:
    case Type::ints:
    case Type::bytes:
      return "slice";
    case Type::map:
    case Type::text_map:
      return "map";
    case Type::error:
    case Type::record:
    case Type::scratch:
      return "ptr";
    case Type::channel:
      return "chan";
    default:
      return type_name(value);
  }
}

bool truth(const Value& value) {
  switch (value.type) {
    case Type::none:
    case Type::nil:
    case Type::unknown:
      return false;
    case Type::boolean:
      return value.boolean;
    case Type::float64:
      return value.real != 0;
    case Type::text:
    case Type::number:
    case Type::list:
    case Type::texts:
    case Type::ints:
    case Type::bytes:
      return value.size > 0;
    case Type::map:
    case Type::text_map:
      return value.map->size > 0;
    case Type::error:
    case Type::record:
    case Type::channel:
    case Type::scratch:
      return true;
    default:
      return value.integer != 0;
  }
}

bool is_unknown(const Value& value) {
  if (value.is_map()) return value.map->unknown;
  return value.type == Type::unknown;
}

std::size_t weight(const Value& value) {
  if (value.is_text() || value.type == Type::bytes) return value.size;
  if (value.is_list()) return 16 * value.size;
  if (value.is_map()) return 32 * value.map->size;
  return 0;
}

}  // namespace injector::render::templates
