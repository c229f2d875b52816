#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "injector/render/template/pool.h"

namespace injector::render::templates {

struct Map;
struct Record;

/// The types of Go that a template can meet, as far as they behave differently.
enum class Type : std::uint8_t {
  none,     ///< No value: nil as an argument, `.` at the top.
  nil,      ///< An interface that holds nothing: a JSON null, a missing member.
  unknown,  ///< While a template is checked: what only a store can tell.
  boolean,
  int_,
  int8,
  int32,
  int64,
  uint8,
  uint,
  uint64,
  float64,
  text,
  number,    ///< json.Number: a text by kind, but no string by type.
  error,     ///< Prints its text.
  list,      ///< []interface {}
  texts,     ///< []string
  ints,      ///< []int
  bytes,     ///< []uint8, kept as text
  map,       ///< map[string]interface {}
  text_map,  ///< map[string]string
  record,    ///< *dependency.Secret, or another struct
  channel,   ///< what `loop` gives
  scratch,
};

/// A value, or a view of one that lives in the pool, in a reading or in the template's own text. Cheap to copy. Secret:
/// goes nowhere but into the output.
struct Value {
  Type type = Type::none;
  union {
    bool boolean;
    std::int64_t integer = 0;  ///< Every signed type; `channel`: where it begins.
    std::uint64_t natural;     ///< Every unsigned type.
    double real;
    const char* data;    ///< text, number, error, bytes
    const Value* items;  ///< list, texts, ints
    Map* map;
    const Record* record;
  };
  std::size_t size = 0;  ///< Of `data` and `items`; `channel`: where it ends.

  [[nodiscard]] std::string_view text() const { return {data, size}; }
  [[nodiscard]] std::span<const Value> list() const { return {items, size}; }

  [[nodiscard]] bool is_nil() const { return type == Type::none || type == Type::nil; }
  [[nodiscard]] bool is_signed() const { return type >= Type::int_ && type <= Type::int64; }
  [[nodiscard]] bool is_unsigned() const { return type >= Type::uint8 && type <= Type::uint64; }
  [[nodiscard]] bool is_integer() const { return type >= Type::int_ && type <= Type::uint64; }
  [[nodiscard]] bool is_numeric() const { return type >= Type::int_ && type <= Type::float64; }
  /// Of string kind.
  [[nodiscard]] bool is_text() const { return type == Type::text || type == Type::number; }
  [[nodiscard]] bool is_list() const { return type >= Type::list && type <= Type::ints; }
  [[nodiscard]] bool is_map() const { return type == Type::map || type == Type::text_map || type == Type::scratch; }
};

/// A map, sorted by its keys; shared by all values that name it, as Go's are.
struct Map {
  struct Member {
    std::string_view key;
    Value value;
  };
  std::span<Member> room;  ///< Members first, then unused places.
  std::size_t size = 0;
  /// While a template is checked: something unknown was done to it.
  bool unknown = false;

  [[nodiscard]] std::span<Member> members() const { return room.first(size); }
  [[nodiscard]] const Value* find(std::string_view key) const;
  void set(Pool& pool, std::string_view key, const Value& value);
  void erase(std::string_view key);
};

/// A struct behind a pointer, with its fields in Go's order.
struct Record {
  std::string_view name;  ///< Of its type, without '*'.
  std::span<const Map::Member> fields;
};

Value of_bool(bool value);
Value of_int(std::int64_t value, Type type = Type::int_);
Value of_natural(std::uint64_t value, Type type = Type::uint64);
Value of_real(double value);
/// A view: the bytes must live as long as the value.
Value of_text(std::string_view text, Type type = Type::text);
Value of_list(std::span<const Value> items, Type type = Type::list);
Value of_map(Map* map, Type type = Type::map);
Value nil();
Value unknown();

Map* new_map(Pool& pool);

/// Go's name of the type, as %T prints it.
std::string_view type_name(const Value& value);
/// Go's name of the kind, as reflect prints it.
std::string_view kind_name(const Value& value);

/// Whether Go takes it for true.
bool truth(const Value& value);
/// Whether a check does not know it, or a part of it.
bool is_unknown(const Value& value);
/// Bytes that working on it touches, for the count of steps.
std::size_t weight(const Value& value);

}  // namespace injector::render::templates
