#include "injector/config/yaml.h"

#include <yaml.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>

namespace injector::config {
namespace {

using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Result;

bool digit(char c) { return c >= '0' && c <= '9'; }

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

/// The words of YAML 1.1, in the three ways of writing them that count: null, Null, NULL.
std::string folded(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  std::string title = lower;
  if (!title.empty()) title[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(title[0])));
  std::string upper = lower;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text == lower || text == title || text == upper ? lower : std::string(text);
}

/// Plain text that some reader takes for a number or a date is never text for us: the readers would disagree.
Node::Scalar numeric(std::string_view text) {
  const std::string_view body = text.substr(text[0] == '+' || text[0] == '-' ? 1 : 0);
  if (one_of(folded(body), {".inf", ".nan"})) return Node::Scalar::number;
  const bool leads = !body.empty() && (digit(body[0]) || (body[0] == '.' && body.size() > 1 && digit(body[1])));
  if (!leads) return Node::Scalar::text;
  if (std::ranges::all_of(body, digit)) {
    return body.size() == 1 || body[0] != '0' ? Node::Scalar::integer : Node::Scalar::number;
  }
  if (body.size() >= 8 && std::ranges::all_of(body.substr(0, 4), digit) && body[4] == '-' && digit(body[5])) {
    return Node::Scalar::date;
  }
  const auto all = [&](std::string_view set) { return body.find_first_not_of(set) == std::string_view::npos; };
  if (body.starts_with("0x") || body.starts_with("0X")) {
    return all("0123456789abcdefABCDEFxX_") ? Node::Scalar::number : Node::Scalar::text;
  }
  if (body.starts_with("0o") || body.starts_with("0b")) {
    return all("01234567ob_") ? Node::Scalar::number : Node::Scalar::text;
  }
  // Digits, separators, and one exponent: 1_000, 1.5, 1e3, 12:30:00. Anything else is text: 5m, 10.0.0.1.
  if (!all("0123456789_.:eE+-")) return Node::Scalar::text;
  const auto exponent = body.find_first_of("eE");
  const std::string_view mantissa = body.substr(0, exponent);
  if (mantissa.find_first_of("+-") != std::string_view::npos) return Node::Scalar::text;
  if (std::ranges::count(mantissa, '.') > 1) return Node::Scalar::text;
  return Node::Scalar::number;
}

Node::Scalar meaning(std::string_view text) {
  const std::string word = folded(text);
  if (one_of(word, {"", "~", "null"})) return Node::Scalar::null;
  if (one_of(word, {"true", "false", "yes", "no", "on", "off"})) return Node::Scalar::boolean;
  return numeric(text);
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& name) : name_(name) {
    ready_ = yaml_parser_initialize(&parser_) != 0;
    if (!ready_) return;
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  ~Parser() {
    drop();
    if (ready_) yaml_parser_delete(&parser_);
  }

  Result<Node> document() {
    if (!ready_) return fail(Errc::limit, "no memory for the YAML parser");
    if (auto begun = expect({YAML_STREAM_START_EVENT}); !begun) return fail(std::move(begun).error());
    if (auto next = advance(); !next) return fail(std::move(next).error());
    if (event_.type == YAML_STREAM_END_EVENT) return wrong(1, "the configuration is empty");
    if (auto next = advance(); !next) return fail(std::move(next).error());
    auto root = node(0);
    if (!root) return root;
    if (auto ended = expect({YAML_DOCUMENT_END_EVENT}); !ended) return fail(std::move(ended).error());
    if (auto next = advance(); !next) return fail(std::move(next).error());
    if (event_.type != YAML_STREAM_END_EVENT) return wrong(line(), "there is a second document; there may be one");
    return root;
  }

 private:
  scanner::base::Failure wrong(std::size_t line, const std::string& what) const {
    return fail(Errc::config, name_ + ":" + std::to_string(line) + ": " + what);
  }

  [[nodiscard]] std::size_t line() const { return event_.start_mark.line + 1; }

  void drop() {
    if (held_) yaml_event_delete(&event_);
    held_ = false;
  }

  Result<void> advance() {
    drop();
    if (yaml_parser_parse(&parser_, &event_) == 0) {
      const std::size_t at = parser_.problem_mark.line + 1;
      // The library's problems are fixed sentences: they hold none of the text.
      return wrong(at,
                   std::string("this is no YAML: ") + (parser_.problem != nullptr ? parser_.problem : "unreadable"));
    }
    held_ = true;
    return {};
  }

  Result<void> expect(std::initializer_list<yaml_event_type_t> types) {
    if (auto next = advance(); !next) return next;
    if (std::ranges::find(types, event_.type) == types.end()) return wrong(line(), "this is no YAML");
    return {};
  }

  Result<void> refuse_extras(const yaml_char_t* anchor, const yaml_char_t* tag) const {
    if (anchor != nullptr) return wrong(line(), "anchors are not taken here: write it out");
    if (tag != nullptr) return wrong(line(), "tags are not taken here");
    return {};
  }

  /// The node that the present event begins.
  Result<Node> node(std::size_t depth) {
    if (depth > kDeepest) return wrong(line(), "nested deeper than 32");
    Node out;
    out.line = line();
    switch (event_.type) {
      case YAML_SCALAR_EVENT: {
        const auto& scalar = event_.data.scalar;
        if (auto plain = refuse_extras(scalar.anchor, scalar.tag); !plain) return fail(std::move(plain).error());
        out.text.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
        out.scalar = scalar.style == YAML_PLAIN_SCALAR_STYLE ? meaning(out.text) : Node::Scalar::text;
        return out;
      }
      case YAML_SEQUENCE_START_EVENT: {
        const auto& start = event_.data.sequence_start;
        if (auto plain = refuse_extras(start.anchor, start.tag); !plain) return fail(std::move(plain).error());
        out.kind = Node::Kind::sequence;
        return sequence(std::move(out), depth);
      }
      case YAML_MAPPING_START_EVENT: {
        const auto& start = event_.data.mapping_start;
        if (auto plain = refuse_extras(start.anchor, start.tag); !plain) return fail(std::move(plain).error());
        out.kind = Node::Kind::mapping;
        return mapping(std::move(out), depth);
      }
      case YAML_ALIAS_EVENT:
        return wrong(line(), "aliases are not taken here: write it out");
      default:
        return wrong(line(), "this is no YAML");
    }
  }

  Result<Node> sequence(Node out, std::size_t depth) {
    for (;;) {
      if (auto next = advance(); !next) return fail(std::move(next).error());
      if (event_.type == YAML_SEQUENCE_END_EVENT) return out;
      auto item = node(depth + 1);
      if (!item) return item;
      out.items.push_back(std::move(*item));
    }
  }

  Result<Node> mapping(Node out, std::size_t depth) {
    for (;;) {
      if (auto next = advance(); !next) return fail(std::move(next).error());
      if (event_.type == YAML_MAPPING_END_EVENT) return out;
      auto key = node(depth + 1);
      if (!key) return key;
      if (key->kind != Node::Kind::scalar) return wrong(key->line, "a key must be a word");
      if (auto next = advance(); !next) return fail(std::move(next).error());
      auto value = node(depth + 1);
      if (!value) return value;
      out.members.push_back({std::move(*key), std::move(*value)});
    }
  }

  std::string name_;
  yaml_parser_t parser_{};
  yaml_event_t event_{};
  bool ready_ = false;
  bool held_ = false;
};

}  // namespace

const Node* Node::find(std::string_view key) const {
  const auto found = std::ranges::find_if(members, [&](const Member& member) { return member.key.text == key; });
  return found == members.end() ? nullptr : &found->value;
}

Result<Node> parse_yaml(std::string_view text, const std::string& name) {
  if (text.size() > kMostText) return fail(Errc::limit, name + ": larger than 1 MiB");
  return Parser(text, name).document();
}

}  // namespace injector::config
