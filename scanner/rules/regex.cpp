#include "scanner/rules/regex.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace scanner::rules {
namespace {

using base::Errc;
using Node = Regex::Node;
using Kind = Regex::Node::Kind;

constexpr std::size_t kMaxLength = 16'000;
constexpr int kMaxDepth = 200;
constexpr std::uint32_t kMaxRepeat = 30'000;
constexpr std::size_t kMaxNameLength = 32;

constexpr std::string_view kHexDigits = "0123456789abcdef";
// Escapes that stand for one control character, and those characters.
constexpr std::string_view kControlEscapes = "afnrtv";
constexpr std::string_view kControls = "\a\f\n\r\t\v";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_octal(char c) { return c >= '0' && c <= '7'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string utf8(std::uint32_t point) {
  const auto byte = [](std::uint32_t value) { return static_cast<char>(static_cast<unsigned char>(value)); };
  const auto tail = [&](unsigned shift) { return byte(0x80 | ((point >> shift) & 0x3f)); };
  if (point < 0x800) return {byte(0xc0 | (point >> 6)), tail(0)};
  if (point < 0x10000) return {byte(0xe0 | (point >> 12)), tail(6), tail(0)};
  return {byte(0xf0 | (point >> 18)), tail(12), tail(6), tail(0)};
}

/// Length of the UTF-8 character that `text` starts with; 1 when it starts with none.
std::size_t character_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  if (length > text.size()) return 1;
  const auto is_tail = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; };
  return std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(length), is_tail) ? length : 1;
}

/// One byte as a literal; `special` are the characters that need a backslash where it stands.
std::string literal(unsigned char byte, std::string_view special) {
  const char c = static_cast<char>(byte);
  if (c == '\n') return "\\n";
  if (c == '\r') return "\\r";
  if (c == '\t') return "\\t";
  if (byte < 0x20 || byte >= 0x7f) return {'\\', 'x', kHexDigits[byte >> 4], kHexDigits[byte & 0xf]};
  if (special.find(c) != std::string_view::npos) return {'\\', c};
  return {c};
}

constexpr std::string_view kSpecial = "\\.+*?()|[]{}^$";
constexpr std::string_view kSpecialInClass = "\\[]^-";

/// `set` as the inside of a class.
std::string ranges(const ByteSet& set) {
  std::string text;
  for (unsigned low = 0; low < 256; ++low) {
    if (!set[low]) continue;
    unsigned high = low;
    while (high < 255 && set[high + 1]) ++high;
    text += literal(static_cast<unsigned char>(low), kSpecialInClass);
    if (high > low + 1) text += '-';
    if (high > low) text += literal(static_cast<unsigned char>(high), kSpecialInClass);
    low = high;
  }
  return text;
}

/// Recursive descent. The first mistake is kept and moves the cursor to the end, so that everything returns.
class Parser {
 public:
  explicit Parser(std::string_view regex) : in_(regex) {}

  base::Result<Regex> run() {
    if (in_.size() > kMaxLength)
      return base::fail(Errc::config, "longer than " + std::to_string(kMaxLength) + " bytes");
    Node root = choice();
    if (!mistake_ && !done()) mistake(at_, "a ) without its (");
    if (mistake_) return base::fail(Errc::config, *mistake_);
    return Regex{std::move(root), std::move(out_), groups_};
  }

 private:
  [[nodiscard]] bool done() const { return at_ >= in_.size(); }
  [[nodiscard]] bool next_is(std::string_view text) const { return in_.substr(at_).starts_with(text); }
  [[nodiscard]] char peek() const { return done() ? '\0' : in_[at_]; }
  bool take(std::string_view text) {
    if (!next_is(text)) return false;
    at_ += text.size();
    return true;
  }

  Node mistake(std::size_t where, const std::string& what) {
    if (!mistake_) mistake_ = what + ", at byte " + std::to_string(where);
    at_ = in_.size();
    return {};
  }

  static Node leaf(Kind kind) {
    Node node;
    node.kind = kind;
    return node;
  }

  static Node one_of(const ByteSet& bytes) {
    Node node = leaf(Kind::set);
    node.bytes = bytes;
    return node;
  }

  Node choice() {
    Node node = leaf(Kind::choice);
    node.children.push_back(sequence());
    while (!done() && take("|")) {
      out_ += '|';
      node.children.push_back(sequence());
    }
    if (node.children.size() > 1) return node;
    Node only = std::move(node.children.front());
    return only;
  }

  Node sequence() {
    Node node = leaf(Kind::sequence);
    while (!done()) {
      if (!quoted_ && (peek() == '|' || peek() == ')')) break;
      if (take(quoted_ ? "\\E" : "\\Q")) {
        quoted_ = !quoted_;
        continue;
      }
      Node part = repeated();
      if (part.kind == Kind::sequence) {
        for (Node& child : part.children) node.children.push_back(std::move(child));
      } else if (part.kind != Kind::nothing) {
        node.children.push_back(std::move(part));
      }
    }
    if (node.children.empty()) return leaf(Kind::nothing);
    if (node.children.size() > 1) return node;
    Node only = std::move(node.children.front());
    return only;
  }

  struct Bounds {
    std::uint32_t min = 0;
    std::uint32_t max = 0;
  };

  /// The repeat at the cursor, without its `?`; nothing, and the cursor unmoved, when there is none: `{` is then text.
  std::optional<Bounds> bounds() {
    if (take("*")) return Bounds{0, Regex::kNoLimit};
    if (take("+")) return Bounds{1, Regex::kNoLimit};
    if (take("?")) return Bounds{0, 1};
    const std::size_t start = at_;
    Bounds bounds;
    if (take("{") && number(bounds.min)) {
      bounds.max = bounds.min;
      if (take(",") && !number(bounds.max)) bounds.max = Regex::kNoLimit;
      if (take("}")) return bounds;
    }
    at_ = start;
    return std::nullopt;
  }

  bool number(std::uint32_t& value) {
    if (!is_digit(peek()) || (peek() == '0' && at_ + 1 < in_.size() && is_digit(in_[at_ + 1]))) return false;
    value = 0;
    for (; is_digit(peek()); ++at_)
      value = std::min(value * 10 + static_cast<std::uint32_t>(peek() - '0'), kMaxRepeat + 1);
    return true;
  }

  Node repeated() {
    const std::size_t start = at_;
    const std::size_t out_start = out_.size();
    Node node = atom();
    if (quoted_ && next_is("\\E")) {
      at_ += 2;
      quoted_ = false;
    }
    if (quoted_ || mistake_) return node;
    const std::size_t repeat_at = at_;
    const std::optional<Bounds> times = bounds();
    if (!times) return node;
    const std::string_view written = in_.substr(repeat_at, at_ - repeat_at);
    const bool in_group = in_[start] == '(' && node.kind != Kind::nothing;
    const bool repeatable = in_group || node.kind == Kind::set || node.kind == Kind::sequence;
    if (!repeatable) return mistake(repeat_at, "nothing that can be repeated");
    if (times->min > kMaxRepeat || (times->max > kMaxRepeat && times->max != Regex::kNoLimit)) {
      return mistake(repeat_at, "a repeat of more than " + std::to_string(kMaxRepeat));
    }
    if (times->min > times->max) return mistake(repeat_at, "a repeat whose bounds are reversed");
    if (node.kind == Kind::sequence && !in_group) {
      out_.insert(out_start, "(?:");
      out_ += ')';
    }
    out_ += written;
    if (take("?")) out_ += '?';
    const std::size_t again_at = at_;
    if (bounds()) return mistake(again_at, "a repeat of a repeat (possessive repeats do not exist here)");
    Node repeat = leaf(Kind::repeat);
    repeat.min = times->min;
    repeat.max = times->max;
    repeat.children.push_back(std::move(node));
    return repeat;
  }

  Node atom() {
    const std::size_t start = at_;
    if (quoted_) return character();
    switch (peek()) {
      case '(':
        return group();
      case '[':
        return byte_class();
      case '\\':
        return escape();
      case '.':
        ++at_;
        out_ += '.';
        return one_of(~any_of("\n"));
      case '^':
        ++at_;
        out_ += '^';
        return leaf(Kind::start);
      case '$':
        ++at_;
        out_ += '$';
        return leaf(Kind::end);
      default:
        break;
    }
    if (bounds()) return mistake(start, "nothing that can be repeated");
    return character();
  }

  /// The character at the cursor, as itself.
  Node character() {
    const std::size_t length = character_length(in_.substr(at_));
    Node node = text(in_.substr(at_, length));
    at_ += length;
    return node;
  }

  Node text(std::string_view bytes) {
    Node node = leaf(Kind::sequence);
    for (const char c : bytes) {
      out_ += literal(static_cast<unsigned char>(c), kSpecial);
      node.children.push_back(one_of(any_of({&c, 1})));
    }
    if (node.children.size() > 1) return node;
    Node only = std::move(node.children.front());
    return only;
  }

  Node group() {
    const std::size_t start = at_;
    if (depth_ >= kMaxDepth) return mistake(start, "groups nest deeper than " + std::to_string(kMaxDepth));
    if (next_is("(?=") || next_is("(?!") || next_is("(?<=") || next_is("(?<!")) {
      return mistake(start, "look-around does not exist here");
    }
    if (next_is("(?P=") || next_is("(?P>") || next_is("(?&") || next_is("(?R")) {
      return mistake(start, "back-references and recursion do not exist here");
    }
    if (next_is("(?>")) return mistake(start, "atomic groups do not exist here");
    if (next_is("(?P<") || next_is("(?<")) return named_group(start);
    if (next_is("(?")) return flags(start);
    at_ += 1;
    ++groups_;
    return rest_of_group(start, "(");
  }

  Node named_group(std::size_t start) {
    at_ = in_.find('<', start) + 1;
    const std::size_t close = in_.find('>', at_);
    if (close == std::string_view::npos) return mistake(start, "a group name without its >");
    const std::string name(in_.substr(at_, close - at_));
    const auto in_names = [](char c) { return is_letter(c) || is_digit(c) || c == '_'; };
    if (name.empty() || name.size() > kMaxNameLength || is_digit(name[0]) || !std::ranges::all_of(name, in_names)) {
      return mistake(at_, "a group name is made of up to 32 letters, digits and _, no digit in front");
    }
    if (!names_.insert(name).second) return mistake(at_, "a group name that is taken");
    at_ = close + 1;
    ++groups_;
    return rest_of_group(start, "(?P<" + name + ">");
  }

  Node flags(std::size_t start) {
    at_ += 2;
    const std::size_t first = at_;
    bool negative = false;
    bool named = false;
    for (; !done() && peek() != ')' && peek() != ':'; ++at_) {
      const char c = peek();
      if (c == '-' && !negative) {
        negative = true;
        named = false;
      } else if (c == 'i' || c == 'm' || c == 's') {
        named = true;
      } else if (c == 'U' || c == 'x') {
        return mistake(at_, std::string("the flag ") + c + " does not exist here");
      } else {
        return mistake(start, "a kind of group that does not exist here");
      }
    }
    if (done()) return mistake(start, "a group without its )");
    const std::string written(in_.substr(start, at_ + 1 - start));
    const bool whole_group = peek() == ':';
    if (!named && !(whole_group && at_ == first)) return mistake(start, "a group without flags");
    ++at_;
    if (whole_group) return rest_of_group(start, written);
    out_ += written;
    return leaf(Kind::nothing);
  }

  Node rest_of_group(std::size_t start, const std::string& opening) {
    out_ += opening;
    ++depth_;
    Node node = choice();
    --depth_;
    if (quoted_ || !take(")")) return mistake(start, "a group without its )");
    out_ += ')';
    if (node.kind != Kind::nothing) return node;
    return leaf(Kind::sequence);
  }

  Node escape() {
    const std::size_t start = at_;
    if (at_ + 1 >= in_.size()) return mistake(start, "a \\ at the end");
    const char c = in_[at_ + 1];
    const auto assertion = [&](Kind kind) {
      at_ += 2;
      out_ += {'\\', c};
      return leaf(kind);
    };
    if (c == 'A') return assertion(Kind::start);
    if (c == 'z') return assertion(Kind::end);
    if (c == 'b' || c == 'B') return assertion(Kind::boundary);
    if (c == 'Z') return mistake(start, "\\Z does not exist here, \\z does");
    if (const auto set = perl_class(c)) {
      at_ += 2;
      out_ += {'\\', c};
      return one_of(*set);
    }
    if (c == 'p' || c == 'P') {
      const std::optional<ByteSet> set = property();
      if (!set) return {};
      out_ += '[' + ranges(*set) + ']';
      return one_of(*set);
    }
    const std::optional<std::uint32_t> point = code_point();
    if (!point) return {};
    if (*point > 0xff) return text(utf8(*point));
    const char byte = static_cast<char>(static_cast<unsigned char>(*point));
    return text({&byte, 1});
  }

  /// \pL, \p{Lu}, \P{^Nd}, with the cursor on the backslash.
  std::optional<ByteSet> property() {
    const std::size_t start = at_;
    bool negated = in_[at_ + 1] == 'P';
    at_ += 2;
    std::string_view name = in_.substr(std::min(at_, in_.size()), 1);
    std::size_t end = at_ + 1;
    if (name == "{") {
      end = in_.find('}', at_);
      if (end == std::string_view::npos) {
        mistake(start, "a \\p{ without its }");
        return std::nullopt;
      }
      name = in_.substr(at_ + 1, end - at_ - 1);
      ++end;
    }
    if (name.starts_with('^')) {
      negated = !negated;
      name.remove_prefix(1);
    }
    const std::optional<ByteSet> set = unicode_class(name);
    if (!set) {
      mistake(start, "of \\p there are L, Lu, Ll, N, Nd, P, S, Z, Zs, C and Cc here");
      return std::nullopt;
    }
    at_ = end;
    return negated ? ~*set : *set;
  }

  /// The character that the escape at the cursor stands for.
  std::optional<std::uint32_t> code_point() {
    const std::size_t start = at_;
    const char c = at_ + 1 < in_.size() ? in_[at_ + 1] : '\0';
    at_ = std::min(at_ + 2, in_.size());
    if (const std::size_t known = kControlEscapes.find(c); known != std::string_view::npos) {
      return static_cast<std::uint32_t>(kControls[known]);
    }
    if (c == 'x') return hex(start);
    if (c == '0' || (is_octal(c) && is_octal(peek()))) {
      auto value = static_cast<std::uint32_t>(c - '0');
      for (int more = 0; more < 2 && is_octal(peek()); ++more, ++at_) {
        value = value * 8 + static_cast<std::uint32_t>(peek() - '0');
      }
      return value;
    }
    if (is_digit(c)) {
      mistake(start, "back-references do not exist here");
      return std::nullopt;
    }
    if (!is_letter(c) && is_ascii(c) && c != '\0') return static_cast<std::uint32_t>(c);
    mistake(start, is_letter(c) ? std::string("the escape \\") + c + " does not exist here"
                                : "a \\ before no ASCII character");
    return std::nullopt;
  }

  std::optional<std::uint32_t> hex(std::size_t start) {
    std::uint32_t value = 0;
    int digits_seen = 0;
    const bool braces = take("{");
    for (; hex_value(peek()) >= 0 && digits_seen < (braces ? 8 : 2); ++at_, ++digits_seen) {
      value = value * 16 + static_cast<std::uint32_t>(hex_value(peek()));
    }
    const bool complete = braces ? digits_seen > 0 && take("}") : digits_seen == 2;
    if (complete && value <= 0x10ffff) return value;
    mistake(start, "\\x is followed by two hex digits, or by a character's number in braces");
    return std::nullopt;
  }

  Node byte_class() {
    const std::size_t start = at_;
    ++at_;
    const bool negated = take("^");
    out_ += negated ? "[^" : "[";
    ByteSet set;
    for (bool first = true; !mistake_ && (first || peek() != ']'); first = false) {
      if (done()) return mistake(start, "a [ without its ]");
      set |= class_item();
    }
    if (mistake_) return {};
    ++at_;
    out_ += ']';
    if (negated) set.flip();
    if (set.none()) return mistake(start, "a class that no byte is in");
    return one_of(set);
  }

  ByteSet class_item() {
    if (next_is("[:")) {
      if (const std::size_t end = in_.find(":]", at_ + 2); end != std::string_view::npos) return posix_item(end);
    }
    const char escaped = peek() == '\\' && at_ + 1 < in_.size() ? in_[at_ + 1] : '\0';
    if (const auto set = perl_class(escaped)) {
      at_ += 2;
      out_ += {'\\', escaped};
      return *set;
    }
    if (escaped == 'p' || escaped == 'P') {
      const ByteSet set = property().value_or(ByteSet());
      out_ += ranges(set);
      return set;
    }
    return class_range();
  }

  ByteSet posix_item(std::size_t end) {
    std::string_view name = in_.substr(at_ + 2, end - at_ - 2);
    const bool negated = name.starts_with('^');
    if (negated) name.remove_prefix(1);
    const std::optional<ByteSet> set = posix_class(name);
    if (!set) {
      mistake(at_, "a class [:name:] of an unknown name");
      return {};
    }
    out_ += in_.substr(at_, end + 2 - at_);
    at_ = end + 2;
    return negated ? ~*set : *set;
  }

  ByteSet class_range() {
    const std::size_t start = at_;
    const std::optional<std::uint32_t> low = class_byte();
    if (!low) return {};
    std::uint32_t high = *low;
    out_ += literal(static_cast<unsigned char>(*low), kSpecialInClass);
    if (peek() == '-' && at_ + 1 < in_.size() && in_[at_ + 1] != ']') {
      ++at_;
      const std::optional<std::uint32_t> end = class_byte();
      if (!end) return {};
      high = *end;
      if (high < *low) {
        mistake(start, "a range whose ends are reversed");
        return {};
      }
      out_ += '-' + literal(static_cast<unsigned char>(high), kSpecialInClass);
    }
    return range(*low, high);
  }

  std::optional<std::uint32_t> class_byte() {
    const std::size_t start = at_;
    if (done()) {
      mistake(start, "a [ without its ]");
      return std::nullopt;
    }
    if (peek() != '\\') {
      if (is_ascii(peek())) return static_cast<std::uint32_t>(in_[at_++]);
      mistake(start, "a class holds bytes: write a character beyond ASCII as a choice, (?:a|b)");
      return std::nullopt;
    }
    const std::optional<std::uint32_t> point = code_point();
    if (!point || *point <= 0xff) return point;
    mistake(start, "a class holds bytes: write a character beyond \\xff as a choice, (?:a|b)");
    return std::nullopt;
  }

  std::string_view in_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool quoted_ = false;
  std::uint32_t groups_ = 0;
  std::set<std::string> names_;
  std::string out_;
  std::optional<std::string> mistake_;
};

}  // namespace

base::Result<Regex> parse_regex(std::string_view regex) { return Parser(regex).run(); }

}  // namespace scanner::rules
