#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "injector/config/yaml.h"
#include "scanner/base/json.h"

/// What a key may hold, said once: a `Type` both reads nodes and tells the JSON Schema of what it reads, and a `Table`
/// of keys is a Type, so the reader and the published schema cannot disagree.
namespace injector::config {

/// Every mistake of one configuration, in the order they are met.
class Mistakes {
 public:
  explicit Mistakes(std::string name) : name_(std::move(name)) {}
  void add(std::size_t line, const std::string& path, const std::string& what);
  [[nodiscard]] bool none() const { return lines_.empty(); }
  /// One a line, by line of the configuration; of more than 100 the first 100.
  [[nodiscard]] std::string text() const;

 private:
  struct Line {
    std::size_t number;
    std::string text;
  };
  std::string name_;
  std::vector<Line> lines_;
};

/// A node, and where it stands: what mistakes are told by.
struct Place {
  const Node* node = nullptr;
  std::string path;  ///< "files[1].mode"
  Mistakes* mistakes = nullptr;

  /// Notes a mistake; false, so that a reader can return it.
  bool wrong(const std::string& what) const;
  [[nodiscard]] Place at(std::string_view key, const Node& value) const;
  [[nodiscard]] Place at(std::size_t index) const;
  /// The member `key` when it is there; else this place itself, to complain about what is missing.
  [[nodiscard]] Place member(std::string_view key) const;
};

template <typename T>
struct Type {  // NOLINT(bugprone-exception-escape): nlohmann::json checks itself when it is moved.
  std::function<bool(const Place&, T&)> read;  ///< False when the node is not good; the mistake has been noted.
  scanner::base::Json schema;
};

/// " (did you mean ...?)" with the nearest of `known`, or nothing when none is near.
std::string suggestion(std::string_view word, const std::vector<std::string>& known);

/// Whether a key of this name asks for a secret itself: token, password, secret_id, in any spelling.
bool asks_for_secret(std::string_view key);

/// Text that is text to every YAML reader, without control characters; `pattern` ("^...") is an ECMA expression for the
/// schema alone: `check` (null: all good) is what decides, and says what is wrong.
Type<std::string> text(const char* pattern = nullptr, std::function<const char*(std::string_view)> check = nullptr);
Type<bool> boolean();
/// A whole number within bounds.
Type<std::int64_t> integer(std::int64_t least, std::int64_t most);

/// Whether `place` is text, or a mistake.
bool is_text(const Place& place);

template <typename E>
Type<E> choice(std::vector<std::pair<std::string, E>> words) {
  std::vector<std::string> names;
  names.reserve(words.size());
  for (const auto& [word, value] : words) names.push_back(word);
  Type<E> type;
  type.schema = {{"enum", names}};
  type.read = [words, names](const Place& place, E& out) {
    if (!is_text(place)) return false;
    for (const auto& [word, value] : words) {
      if (place.node->text != word) continue;
      out = value;
      return true;
    }
    std::string all;
    for (const auto& name : names) all += (all.empty() ? "" : ", ") + name;
    return place.wrong("must be one of " + all);
  };
  return type;
}

/// `convert` says what is wrong with a text, or null after it has set `out`.
template <typename T>
Type<T> from_text(const char* pattern, std::function<const char*(std::string_view, T&)> convert) {
  Type<T> type;
  type.schema = {{"type", "string"}};
  if (pattern != nullptr) type.schema["pattern"] = pattern;
  type.read = [convert](const Place& place, T& out) {
    if (!is_text(place)) return false;
    const char* wrong = convert(place.node->text, out);
    return wrong == nullptr || place.wrong(wrong);
  };
  return type;
}

template <typename T>
Type<std::vector<T>> list(Type<T> item) {
  Type<std::vector<T>> type;
  type.schema = {{"type", "array"}, {"minItems", 1}, {"items", item.schema}};
  type.read = [item](const Place& place, std::vector<T>& out) {
    if (place.node->kind != Node::Kind::sequence) return place.wrong("must be a list");
    if (place.node->items.empty()) return place.wrong("must not be empty");
    out.clear();
    bool good = true;
    for (std::size_t i = 0; i < place.node->items.size(); ++i) {
      T value{};
      good = item.read(place.at(i), value) && good;
      out.push_back(std::move(value));
    }
    return good;
  };
  return type;
}

/// One, or a list of such.
template <typename T>
Type<std::vector<T>> one_or_list(Type<T> item) {
  auto many = list(item);
  Type<std::vector<T>> type;
  type.schema = {{"oneOf", {item.schema, many.schema}}};
  type.read = [item, many](const Place& place, std::vector<T>& out) {
    if (place.node->kind == Node::Kind::sequence) return many.read(place, out);
    T value{};
    const bool good = item.read(place, value);
    out.clear();
    out.push_back(std::move(value));
    return good;
  };
  return type;
}

/// A `V` read into a `T` that it converts to: std::optional<V>, a wider integer.
template <typename T, typename V>
Type<T> as(Type<V> inner) {
  Type<T> type;
  type.schema = inner.schema;
  type.read = [inner](const Place& place, T& out) {
    V value{};
    if (!inner.read(place, value)) return false;
    out = static_cast<T>(std::move(value));
    return true;
  };
  return type;
}

/// Checks of a mapping that need not know what its keys hold: unknown and duplicate keys, secrets, required keys.
struct Keys {
  std::vector<std::string> known;
  std::vector<std::string> required;
  std::vector<std::string> one_of;                 ///< Exactly one of these; empty: no such rule.
  std::vector<std::vector<std::string>> together;  ///< All of them or none.

  bool check(const Place& place) const;
  /// Adds these rules to the schema of an object.
  void describe(scanner::base::Json& schema) const;
};

/// The keys of one mapping, each with what it holds and one sentence of help.
template <typename T>
class Table {  // NOLINT(bugprone-exception-escape): likewise.
 public:
  template <typename V, typename M>
  Table& key(const std::string& name, const std::string& help, Type<V> type, M T::*member) {
    return add(name, help, type.schema, [type, member](const Place& place, T& out) {
      V value{};
      if (!type.read(place, value)) return false;
      out.*member = static_cast<M>(std::move(value));
      return true;
    });
  }

  /// For what is not one member: `set` stores the value that was read, or notes what is wrong with it.
  template <typename V>
  Table& key(const std::string& name, const std::string& help, Type<V> type,
             std::function<bool(const Place&, V, T&)> set) {
    return add(name, help, type.schema, [type, set](const Place& place, T& out) {
      V value{};
      return type.read(place, value) && set(place, std::move(value), out);
    });
  }

  Table& require(std::vector<std::string> names) {
    keys_.required = std::move(names);
    return *this;
  }
  Table& one_of(std::vector<std::string> names) {
    keys_.one_of = std::move(names);
    return *this;
  }
  Table& together(std::vector<std::string> names) {
    keys_.together.push_back(std::move(names));
    return *this;
  }
  /// Looks at the whole after its keys were read well.
  Table& check(std::function<bool(const Place&, T&)> check) {
    check_ = std::move(check);
    return *this;
  }

  [[nodiscard]] Type<T> type() const {
    Type<T> type;
    type.schema = schema_;
    type.schema["type"] = "object";
    type.schema["additionalProperties"] = false;
    keys_.describe(type.schema);
    type.read = [table = *this](const Place& place, T& out) {
      bool good = table.keys_.check(place);
      for (const auto& [name, value] : place.node->members) {
        for (const auto& row : table.rows_) {
          if (row.name == name.text) good = row.read(place.at(name.text, value), out) && good;
        }
      }
      if (good && table.check_) good = table.check_(place, out);
      return good;
    };
    return type;
  }

 private:
  struct Row {
    std::string name;
    std::function<bool(const Place&, T&)> read;
  };

  Table& add(const std::string& name, const std::string& help, scanner::base::Json schema,
             std::function<bool(const Place&, T&)> read) {
    schema["description"] = help;
    schema_["properties"][name] = std::move(schema);
    keys_.known.push_back(name);
    rows_.push_back({name, std::move(read)});
    return *this;
  }

  Keys keys_;
  std::vector<Row> rows_;
  std::function<bool(const Place&, T&)> check_;
  scanner::base::Json schema_;
};

}  // namespace injector::config
