#include "injector/config/grammar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>

#include "scanner/base/edit_distance.h"

namespace injector::config {
namespace {

using scanner::base::Json;

constexpr std::size_t kMostMistakes = 100;

std::string in_quotes(std::string_view name) { return '"' + std::string(name) + '"'; }

/// A key as a message may show it: a word of sensible length, and nothing else.
std::string shown(std::string_view key) {
  const bool word = !key.empty() && key.size() <= 40 && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  });
  return word ? in_quotes(key) : "this key";
}

std::string joined(const std::vector<std::string>& names, const char* between) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : between) + name;
  return out;
}

bool has(const Node& node, std::string_view key) { return node.find(key) != nullptr; }

}  // namespace

void Mistakes::add(std::size_t line, const std::string& path, const std::string& what) {
  lines_.push_back({line, name_ + ":" + std::to_string(line) + ": " + (path.empty() ? "" : path + ": ") + what});
}

std::string Mistakes::text() const {
  auto lines = lines_;
  std::ranges::stable_sort(lines, {}, &Line::number);
  std::string out;
  for (std::size_t i = 0; i < std::min(lines.size(), kMostMistakes); ++i) out += (i == 0 ? "" : "\n") + lines[i].text;
  if (lines.size() > kMostMistakes) out += "\nand " + std::to_string(lines.size() - kMostMistakes) + " more";
  return out;
}

bool Place::wrong(const std::string& what) const {
  mistakes->add(node->line, path, what);
  return false;
}

Place Place::at(std::string_view key, const Node& value) const {
  const std::string name = shown(key) == "this key" ? "?" : std::string(key);
  return {&value, path.empty() ? name : path + "." + name, mistakes};
}

Place Place::at(std::size_t index) const {
  return {&node->items[index], path + "[" + std::to_string(index) + "]", mistakes};
}

Place Place::member(std::string_view key) const {
  const Node* value = node->find(key);
  return value == nullptr ? *this : at(key, *value);
}

std::string suggestion(std::string_view word, const std::vector<std::string>& known) {
  if (word.size() > 40) return {};
  const auto nearest =
      std::ranges::min_element(known, {}, [&](const auto& name) { return scanner::base::edit_distance(word, name); });
  if (nearest == known.end() || scanner::base::edit_distance(word, *nearest) > 1 + nearest->size() / 4) return {};
  return " (did you mean " + in_quotes(*nearest) + "?)";
}

bool asks_for_secret(std::string_view key) {
  std::string plain;
  for (const char c : key) {
    if (c != '_' && c != '-' && c != '.') plain += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  static constexpr std::array kNames = {"accesskey",       "accesskeyid", "accesstoken",    "apikey",
                                        "apitoken",        "authtoken",   "awsaccesskeyid", "awssecretaccesskey",
                                        "awssessiontoken", "clientkey",   "clientsecret",   "clienttoken",
                                        "credential",      "jwt",         "passphrase",     "passwd",
                                        "password",        "privatekey",  "rolesecret",     "secret",
                                        "secretaccesskey", "secretid",    "secretkey",      "secrettoken",
                                        "sessiontoken",    "token",       "vaulttoken",     "roleid",
                                        "wrappingtoken",   "unsealkey",   "roottoken"};
  return std::ranges::any_of(kNames, [&](const char* name) { return plain == name; });
}

bool is_text(const Place& place) {
  const Node& node = *place.node;
  if (node.kind != Node::Kind::scalar) return place.wrong("must be text");
  switch (node.scalar) {
    case Node::Scalar::text:
      break;
    case Node::Scalar::null:
      return place.wrong("has no value");
    default:
      return place.wrong("must be text: put it in quotes, because YAML readers take it for something else");
  }
  const bool plain = std::ranges::none_of(node.text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
  return plain || place.wrong("holds a control character");
}

Type<std::string> text(const char* pattern, std::function<const char*(std::string_view)> check) {
  Type<std::string> type;
  // "^..." with a look at all of it first: what a pattern leaves open may not be a control character either.
  const std::string plain = "^(?=[^\\u0000-\\u001f\\u007f]+$)";
  type.schema = {{"type", "string"}, {"pattern", plain + (pattern != nullptr ? pattern + 1 : "")}};
  type.read = [check = std::move(check)](const Place& place, std::string& out) {
    if (!is_text(place)) return false;
    if (place.node->text.empty()) return place.wrong("must not be empty");
    if (const char* wrong = check ? check(place.node->text) : nullptr) return place.wrong(wrong);
    out = place.node->text;
    return true;
  };
  return type;
}

Type<bool> boolean() {
  Type<bool> type;
  type.schema = {{"type", "boolean"}};
  type.read = [](const Place& place, bool& out) {
    const Node& node = *place.node;
    if (node.kind != Node::Kind::scalar || node.scalar != Node::Scalar::boolean ||
        (node.text != "true" && node.text != "false")) {
      return place.wrong("must be true or false");
    }
    out = node.text == "true";
    return true;
  };
  return type;
}

Type<std::int64_t> integer(std::int64_t least, std::int64_t most) {
  Type<std::int64_t> type;
  type.schema = {{"type", "integer"}, {"minimum", least}, {"maximum", most}};
  type.read = [least, most](const Place& place, std::int64_t& out) {
    const Node& node = *place.node;
    const std::string bounds = "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most);
    if (node.kind != Node::Kind::scalar || node.scalar != Node::Scalar::integer) return place.wrong(bounds);
    const char* begin = node.text.data() + (node.text.starts_with('+') ? 1 : 0);
    const char* end = node.text.data() + node.text.size();
    std::int64_t value = 0;
    const auto [stop, error] = std::from_chars(begin, end, value);
    if (error != std::errc{} || stop != end || value < least || value > most) return place.wrong(bounds);
    out = value;
    return true;
  };
  return type;
}

bool Keys::check(const Place& place) const {
  const Node& node = *place.node;
  if (node.kind != Node::Kind::mapping) return place.wrong("must hold keys: " + joined(known, ", "));
  bool good = true;
  for (std::size_t i = 0; i < node.members.size(); ++i) {
    const auto& [name, value] = node.members[i];
    const Place at = place.at(name.text, name);
    const Node* first = node.find(name.text);
    if (first != &value) {
      good = at.wrong("is there twice; first in line " + std::to_string(first->line));
      continue;
    }
    if (std::ranges::find(known, name.text) != known.end()) continue;
    if (asks_for_secret(name.text)) {
      const std::string file = name.text + "_file";
      const bool takes_file = std::ranges::find(known, file) != known.end();
      good = at.wrong("no secret may stand in the configuration: " +
                      (takes_file ? "put it into a file and name that file with " + in_quotes(file)
                                  : std::string("it belongs into a file or into a store")));
      continue;
    }
    const std::string near = suggestion(name.text, known);
    good = at.wrong("there is no such key" + (near.empty() ? "; known here: " + joined(known, ", ") : near));
  }
  for (const auto& name : required) {
    if (!has(node, name)) good = place.wrong(in_quotes(name) + " is missing");
  }
  const auto present = std::ranges::count_if(one_of, [&](const auto& name) { return has(node, name); });
  if (!one_of.empty() && present != 1) good = place.wrong("needs exactly one of " + joined(one_of, ", "));
  for (const auto& group : together) {
    const auto some =
        static_cast<std::size_t>(std::ranges::count_if(group, [&](const auto& name) { return has(node, name); }));
    if (some != 0 && some != group.size()) good = place.wrong(joined(group, " and ") + " go together");
  }
  return good;
}

void Keys::describe(Json& schema) const {
  if (!required.empty()) schema["required"] = required;
  if (!one_of.empty()) {
    Json ways = Json::array();
    for (const auto& name : one_of) ways.push_back({{"required", {name}}});
    schema["oneOf"] = ways;
  }
  for (const auto& group : together) {
    for (const auto& name : group) {
      for (const auto& other : group) {
        if (name != other) schema["dependentRequired"][name].push_back(other);
      }
    }
  }
}

}  // namespace injector::config
