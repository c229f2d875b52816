#include "injector/memory/document.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

#include "injector/memory/arena.h"
#include "injector/memory/text.h"

namespace injector::memory {

using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Failure;
using scanner::base::Ok;
using scanner::base::Result;

namespace {

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxText = 256UL << 20;

enum class Kind : std::uint32_t { null, no, yes, number, string, array, object, dead };

/// One value. All values stand in one array in the order of the text: a container before its content, a name before its
/// value. `span` counts the value with all that it holds, so that the next sibling is at `this + span`. A member that a
/// later one of the same name replaces is `dead`: its name keeps the span of both.
struct Node {
  Node() = default;
  explicit Node(Kind kind_in) { set(kind_in, 1); }
  Node(Kind kind_in, const char* begin, const char* end) : text(begin), size(static_cast<std::uint32_t>(end - begin)) {
    set(kind_in, 1);
  }

  const char* text = nullptr;  ///< Of a string (unescaped) or number.
  std::uint32_t size = 0;      ///< Bytes of it; of a container, its living elements or members.
  std::uint32_t packed = 0;    ///< The kind in the lowest three bits, the span above.

  void set(Kind kind, std::size_t span) {
    packed = static_cast<std::uint32_t>(span) << 3U | static_cast<std::uint32_t>(kind);
  }
  [[nodiscard]] Kind kind() const { return static_cast<Kind>(packed & 7U); }
  [[nodiscard]] std::size_t span() const { return packed >> 3U; }
  [[nodiscard]] std::string_view view() const { return {text, size}; }
  [[nodiscard]] const Node* next() const { return this + span(); }
};
static_assert(sizeof(Node) == 16);

/// Nodes in the arena; grows by doubling.
class Nodes {
 public:
  Nodes() = default;
  Nodes(const Nodes&) = delete;
  Nodes& operator=(const Nodes&) = delete;
  ~Nodes() { Arena::free(nodes_, capacity_ * sizeof(Node)); }

  [[nodiscard]] std::size_t size() const { return size_; }
  Node& operator[](std::size_t index) { return nodes_[index]; }
  [[nodiscard]] const Node* data() const { return nodes_; }

  void push(const Node& node) {
    if (size_ == capacity_) {
      const std::size_t larger = std::max<std::size_t>(64, 2 * capacity_);
      auto* const moved = static_cast<Node*>(Arena::allocate(larger * sizeof(Node)));
      std::copy_n(nodes_, size_, moved);
      Arena::free(nodes_, capacity_ * sizeof(Node));
      nodes_ = moved;
      capacity_ = larger;
    }
    nodes_[size_++] = node;
  }

 private:
  Node* nodes_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Bytes of the UTF-8 sequence at the start of `text`, 0 when it is none (overlong, surrogate, cut, beyond U+10FFFF).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F)) return 0;
    return tail(1) && tail(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if ((first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F)) return 0;
    return tail(1) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

/// Writes the code point as UTF-8; gives where it ends.
char* put_utf8(char* out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { *out++ = static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | code >> 6U);
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0U | code >> 12U);
    put(0x80U | (code >> 6U & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | code >> 18U);
    put(0x80U | (code >> 12U & 0x3FU));
    put(0x80U | (code >> 6U & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
  return out;
}

class Parser {
 public:
  Parser(std::span<char> text, Nodes& nodes)
      : begin_(text.data()), at_(begin_), end_(begin_ + text.size()), nodes_(nodes) {}

  Ok run() {
    skip_space();
    if (auto ok = value(0); !ok) return ok;
    skip_space();
    if (at_ != end_) return corrupt();
    return {};
  }

 private:
  [[nodiscard]] Failure corrupt() const {
    return fail(Errc::corrupt, "not valid JSON at byte " + std::to_string(at_ - begin_));
  }
  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  [[nodiscard]] bool sees(char c) const { return at_ != end_ && *at_ == c; }
  bool take(char c) {
    if (!sees(c)) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] std::string_view rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }

  Ok value(std::size_t depth) {
    if (at_ == end_) return corrupt();
    switch (*at_) {
      case '{':
        return container(depth, Kind::object, '}');
      case '[':
        return container(depth, Kind::array, ']');
      case '"':
        return string();
      case 't':
        return word("true", Kind::yes);
      case 'f':
        return word("false", Kind::no);
      case 'n':
        return word("null", Kind::null);
      default:
        return number();
    }
  }

  Ok word(std::string_view word, Kind kind) {
    if (!rest().starts_with(word)) return corrupt();
    at_ += word.size();
    nodes_.push(Node(kind));
    return {};
  }

  Ok number() {
    const char* const start = at_;
    take('-');
    if (!take('0') && !digits()) return corrupt();
    if (take('.') && !digits()) return corrupt();
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (!digits()) return corrupt();
    }
    nodes_.push(Node(Kind::number, start, at_));
    return {};
  }
  bool digits() {
    const char* const start = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    return at_ != start;
  }

  /// Unescapes onto the string's own bytes: no escape is shorter than what it means.
  Ok string() {
    ++at_;
    char* const start = at_;
    char* out = at_;
    while (true) {
      if (at_ == end_ || static_cast<unsigned char>(*at_) < 0x20) return corrupt();
      if (*at_ == '"') break;
      if (*at_ == '\\') {
        if (!escape(out)) return corrupt();
        continue;
      }
      const std::size_t width = static_cast<unsigned char>(*at_) < 0x80 ? 1 : utf8_length(rest());
      if (width == 0) return corrupt();
      if (out != at_) std::memmove(out, at_, width);
      out += width;
      at_ += width;
    }
    ++at_;
    nodes_.push(Node(Kind::string, start, out));
    return {};
  }

  bool escape(char*& out) {
    constexpr std::string_view kShort = "\"\"\\\\//b\bf\fn\nr\rt\t";
    if (end_ - at_ < 2) return false;
    const char letter = at_[1];
    if (letter == 'u') return unicode(out);
    for (std::size_t i = 0; i < kShort.size(); i += 2) {
      if (kShort[i] != letter) continue;
      *out++ = kShort[i + 1];
      at_ += 2;
      return true;
    }
    return false;
  }

  bool unicode(char*& out) {
    std::uint32_t code = 0;
    if (!four_digits(code)) return false;
    std::size_t length = 6;
    if (code >= 0xDC00 && code <= 0xDFFF) return false;
    if (code >= 0xD800 && code <= 0xDBFF) {
      std::uint32_t low = 0;
      at_ += 6;
      const bool paired = four_digits(low) && low >= 0xDC00 && low <= 0xDFFF;
      at_ -= 6;
      if (!paired) return false;
      code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
      length = 12;
    }
    out = put_utf8(out, code);
    at_ += length;
    return true;
  }
  [[nodiscard]] bool four_digits(std::uint32_t& code) const {
    if (end_ - at_ < 6 || at_[0] != '\\' || at_[1] != 'u') return false;
    const auto [stop, error] = std::from_chars(at_ + 2, at_ + 6, code, 16);
    return error == std::errc() && stop == at_ + 6;
  }

  Ok container(std::size_t depth, Kind kind, char close) {
    if (depth == kMaxDepth) {
      return fail(Errc::limit,
                  "JSON nested deeper than " + std::to_string(kMaxDepth) + " at byte " + std::to_string(at_ - begin_));
    }
    ++at_;
    const std::size_t self = nodes_.size();
    nodes_.push(Node(kind));
    std::uint32_t count = 0;
    skip_space();
    if (!take(close)) {
      do {
        skip_space();
        if (kind == Kind::object) {
          if (auto ok = name(); !ok) return ok;
        }
        if (auto ok = value(depth + 1); !ok) return ok;
        ++count;
        skip_space();
      } while (take(','));
      if (!take(close)) return corrupt();
    }
    nodes_[self].size = count;
    nodes_[self].set(kind, nodes_.size() - self);
    if (kind == Kind::object && count > 1) bury_replaced(nodes_[self]);
    return {};
  }

  Ok name() {
    if (!sees('"')) return corrupt();
    if (auto ok = string(); !ok) return ok;
    skip_space();
    if (!take(':')) return corrupt();
    skip_space();
    return {};
  }

  static void bury_replaced(Node& object) {
    std::vector<Node*> names;
    names.reserve(object.size);
    Node* const end = &object + object.span();
    for (Node* name = &object + 1; name != end; name += 1 + name[1].span()) names.push_back(name);
    std::ranges::sort(names, [](const Node* a, const Node* b) {
      const int order = a->view().compare(b->view());
      return order < 0 || (order == 0 && a < b);
    });
    for (std::size_t i = 0; i + 1 < names.size(); ++i) {
      if (names[i]->view() != names[i + 1]->view()) continue;
      names[i]->set(Kind::dead, 1 + names[i][1].span());
      --object.size;
    }
  }

  char* begin_;
  char* at_;
  char* end_;
  Nodes& nodes_;
};

const Node& as_node(const void* node) { return *static_cast<const Node*>(node); }

bool is(const void* node, Kind kind) { return node != nullptr && as_node(node).kind() == kind; }

/// Calls `visit(name, value)` for each living member; stops when it says false.
template <typename Visit>
void each_member(const Node& object, Visit visit) {
  for (const Node* name = &object + 1; name != object.next();) {
    if (name->kind() == Kind::dead) {
      name = name->next();
      continue;
    }
    const Node* const value = name + 1;
    if (!visit(name->view(), *value)) return;
    name = value->next();
  }
}

void write(const Node& node, Text& out);

void write_object(const Node& object, Text& out) {
  std::vector<std::pair<std::string_view, const Node*>> members;
  members.reserve(object.size);
  each_member(object, [&](std::string_view name, const Node& value) {
    members.emplace_back(name, &value);
    return true;
  });
  std::ranges::sort(members, {}, [](const auto& member) { return member.first; });
  out.append('{');
  for (const auto& [name, value] : members) {
    if (name.data() != members.front().first.data()) out.append(',');
    out.append_json(name).append(':');
    write(*value, out);
  }
  out.append('}');
}

void write(const Node& node, Text& out) {
  switch (node.kind()) {
    case Kind::null:
    case Kind::dead:
      out.append("null");
      return;
    case Kind::no:
      out.append("false");
      return;
    case Kind::yes:
      out.append("true");
      return;
    case Kind::number:
      out.append(node.view());
      return;
    case Kind::string:
      out.append_json(node.view());
      return;
    case Kind::object:
      write_object(node, out);
      return;
    case Kind::array:
      break;
  }
  out.append('[');
  for (const Node* element = &node + 1; element != node.next(); element = element->next()) {
    if (element != &node + 1) out.append(',');
    write(*element, out);
  }
  out.append(']');
}

}  // namespace

struct Document::Impl {
  Secret text;
  Nodes nodes;
};

Document::Document(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Result<Document> Document::parse(const Secret& text) { return parse(text.clone()); }

Result<Document> Document::parse(Secret&& text) {
  if (text.size() > kMaxText) return fail(Errc::limit, "JSON larger than " + std::to_string(kMaxText) + " bytes");
  auto impl = std::make_unique<Impl>();
  impl->text = std::move(text);
  if (auto ok = Parser(impl->text.writable(), impl->nodes).run(); !ok) return fail(std::move(ok).error());
  return Document(std::move(impl));
}

Document::Value Document::root() const { return Value(impl_ ? impl_->nodes.data() : nullptr); }

bool Document::Value::is_null() const { return is(node_, Kind::null); }
bool Document::Value::is_object() const { return is(node_, Kind::object); }
bool Document::Value::is_array() const { return is(node_, Kind::array); }
bool Document::Value::is_string() const { return is(node_, Kind::string); }
bool Document::Value::is_bool() const { return is(node_, Kind::yes) || is(node_, Kind::no); }
bool Document::Value::is_number() const { return is(node_, Kind::number); }

Document::Value Document::Value::operator[](std::string_view key) const {
  Value found;
  if (!is_object()) return found;
  each_member(as_node(node_), [&](std::string_view name, const Node& value) {
    if (name == key) found = Value(&value);
    return !found.exists();
  });
  return found;
}

Document::Value Document::Value::at(std::size_t index) const {
  if (!is_array() || index >= size()) return {};
  const Node* element = &as_node(node_) + 1;
  for (; index > 0; --index) element = element->next();
  return Value(element);
}

std::vector<Document::Value> Document::Value::elements() const {
  std::vector<Value> all;
  if (!is_array()) return all;
  all.reserve(size());
  const Node* const end = as_node(node_).next();
  for (const Node* element = &as_node(node_) + 1; element != end; element = element->next()) all.emplace_back(element);
  return all;
}

std::size_t Document::Value::size() const { return is_array() || is_object() ? as_node(node_).size : 0; }

std::vector<std::pair<std::string_view, Document::Value>> Document::Value::members() const {
  std::vector<std::pair<std::string_view, Value>> all;
  if (!is_object()) return all;
  all.reserve(size());
  each_member(as_node(node_), [&](std::string_view name, const Node& value) {
    all.emplace_back(name, Value(&value));
    return true;
  });
  return all;
}

std::string_view Document::Value::string() const { return is_string() ? as_node(node_).view() : std::string_view(); }

std::optional<std::int64_t> Document::Value::integer() const {
  if (!is_number()) return std::nullopt;
  const std::string_view digits = as_node(node_).view();
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || stop != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::optional<double> Document::Value::number() const {
  if (!is_number()) return std::nullopt;
  const std::string_view digits = as_node(node_).view();
  double value = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range) {
    // Too large or too small: the exponent's sign tells, and where there is none the digits are many.
    const auto exponent = digits.find_first_of("eE");
    const bool tiny = exponent == std::string_view::npos ? digits.find_first_of("123456789") > digits.find('.')
                                                         : digits[exponent + 1] == '-';
    value = tiny ? 0.0 : std::numeric_limits<double>::infinity();
    return digits.front() == '-' ? -value : value;
  }
  return value;
}

std::optional<bool> Document::Value::boolean() const {
  if (!is_bool()) return std::nullopt;
  return is(node_, Kind::yes);
}

Secret Document::Value::text() const {
  if (!exists()) return {};
  Text out;
  write(as_node(node_), out);
  return out.finish();
}

}  // namespace injector::memory
