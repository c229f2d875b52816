#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "injector/render/template/encode.h"
#include "injector/render/template/format.h"
#include "injector/render/template/stop.h"
#include "injector/render/template/unicode.h"

/// YAML as yaml.v2 for Go writes it: block style, lists not indented in maps, lines folded after column 80.
namespace injector::render::templates {
namespace {

constexpr int kWidth = 80;
constexpr int kIndent = 2;
constexpr std::size_t kLongestSimpleKey = 128;

bool digit(char c) { return c >= '0' && c <= '9'; }
bool is_break(char32_t code) {
  return code == '\r' || code == '\n' || code == 0x85 || code == 0x2028 || code == 0x2029;
}
/// What the emitter does not escape: no tab, and nothing beyond the basic plane.
bool writable(char32_t code) {
  if (code == '\n' || (code >= 0x20 && code <= 0x7e)) return true;
  if (code < 0xa0 || code > 0xffff) return false;
  return code != 0xfeff && code != 0xfffe && code != 0xffff;
}

/// "2006-1-2", with or without a time behind it.
bool looks_like_time(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&](std::size_t least, std::size_t most, int& value) {
    const auto begin = at;
    value = 0;
    while (at < text.size() && digit(text[at]) && at - begin < most) value = value * 10 + (text[at++] - '0');
    return at - begin >= least;
  };
  const auto take = [&](char c) { return at < text.size() && text[at] == c && (++at, true); };
  int year = 0;
  int month = 0;
  int day = 0;
  if (!digits(4, 4, year) || !take('-') || !digits(1, 2, month) || !take('-') || !digits(1, 2, day)) return false;
  if (month < 1 || month > 12 || day < 1) return false;
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (day > kDays[static_cast<std::size_t>(month - 1)] + (month == 2 && leap ? 1 : 0)) return false;
  if (at == text.size()) return true;
  const char between = text[at++];
  if (between != 'T' && between != 't' && between != ' ') return false;
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!digits(1, 2, hour) || !take(':') || !digits(1, 2, minute) || !take(':') || !digits(1, 2, second)) return false;
  if (hour > 23 || minute > 59 || second > 59) return false;
  if (take('.')) {
    int ignored = 0;
    if (!digits(1, 9, ignored)) return false;
  }
  if (between == ' ') return at == text.size();
  if (take('Z')) return at == text.size();
  if (!take('+') && !take('-')) return false;
  int ignored = 0;
  return digits(2, 2, ignored) && take(':') && digits(2, 2, ignored) && at == text.size();
}

bool is_decimal_real(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const auto begin = at;
    while (at < text.size() && digit(text[at])) ++at;
    return at - begin;
  };
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  const auto before = digits();
  std::size_t after = 0;
  if (at < text.size() && text[at] == '.') {
    ++at;
    after = digits();
  }
  if (before + after == 0) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

bool is_binary_whole(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (!text.starts_with("0b") || text.size() < 3 || text.size() > 65) return false;
  return text.find_first_not_of("01", 2) == std::string_view::npos;
}

/// "1:30", which YAML 1.1 takes for 90.
bool is_sexagesimal(std::string_view text) {
  std::size_t at = 0;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) ++at;
  if (at >= text.size() || !digit(text[at])) return false;
  while (at < text.size() && (digit(text[at]) || text[at] == '_')) ++at;
  std::size_t groups = 0;
  while (at < text.size() && text[at] == ':') {
    ++at;
    if (at >= text.size() || !digit(text[at])) return false;
    if (at + 1 < text.size() && digit(text[at + 1])) {
      if (text[at] > '5') return false;
      ++at;
    }
    ++at;
    ++groups;
  }
  if (groups == 0) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    while (at < text.size() && (digit(text[at]) || text[at] == '_')) ++at;
  }
  return at == text.size();
}

/// Whether a reader would take the text for something else than text, were it written plain.
bool means_something(std::string_view text) {
  static constexpr auto kWords = std::to_array<std::string_view>(
      {"",     "y",    "Y",    "yes",   "Yes",   "YES",   "true",  "True",  "TRUE",  "on",
       "On",   "ON",   "n",    "N",     "no",    "No",    "NO",    "false", "False", "FALSE",
       "off",  "Off",  "OFF",  "~",     "null",  "Null",  "NULL",  ".nan",  ".NaN",  ".NAN",
       ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"});
  if (std::ranges::find(kWords, text) != std::end(kWords)) return true;
  const char first = text[0];
  double real = 0;
  if (first == '.') return try_parse_real(text, real);
  if (!digit(first) && first != '+' && first != '-') return false;
  if (looks_like_time(text) || is_sexagesimal(text)) return true;
  std::string plain;
  for (const char c : text) {
    if (c != '_') plain += c;
  }
  std::int64_t whole = 0;
  if (try_parse_int(plain, 0, whole)) return true;
  // Beyond int64 there is uint64, which reads the same forms.
  if (!plain.starts_with('-') && !plain.starts_with('+') &&
      plain.find_first_not_of("0123456789") == std::string::npos) {
    return true;
  }
  return is_decimal_real(plain) || is_binary_whole(plain);
}

/// What yaml.v2 sorts keys by: numbers in them by their value, letters after all else.
bool before(std::string_view a, std::string_view b) {
  std::vector<char32_t> left;
  std::vector<char32_t> right;
  for (auto rest = a; !rest.empty(); rest.remove_prefix(decode(rest).size)) left.push_back(decode(rest).code);
  for (auto rest = b; !rest.empty(); rest.remove_prefix(decode(rest).size)) right.push_back(decode(rest).code);
  for (std::size_t i = 0; i < left.size() && i < right.size(); ++i) {
    if (left[i] == right[i]) continue;
    const bool letter_left = is_letter(left[i]);
    const bool letter_right = is_letter(right[i]);
    if (letter_left && letter_right) return left[i] < right[i];
    if (letter_left || letter_right) return letter_right;
    std::uint64_t number_left = 0;
    std::uint64_t number_right = 0;
    if (left[i] == '0' || right[i] == '0') {
      for (auto j = i; j > 0 && is_digit(left[j - 1]); --j) {
        if (left[j - 1] != '0') {
          number_left = number_right = 1;
          break;
        }
      }
    }
    auto end_left = i;
    auto end_right = i;
    for (; end_left < left.size() && is_digit(left[end_left]); ++end_left) {
      number_left = number_left * 10 + (left[end_left] - '0');
    }
    for (; end_right < right.size() && is_digit(right[end_right]); ++end_right) {
      number_right = number_right * 10 + (right[end_right] - '0');
    }
    if (number_left != number_right) {
      return static_cast<std::int64_t>(number_left) < static_cast<std::int64_t>(number_right);
    }
    if (end_left != end_right) return end_left < end_right;
    return left[i] < right[i];
  }
  return left.size() < right.size();
}

enum class Style : std::uint8_t { plain, single_quoted, double_quoted, literal };

/// What styles a text can be written in.
struct Analysis {
  bool multiline = false;
  bool plain = true;
  bool single_quoted = true;
  bool block = true;
};

Analysis analyze(std::string_view text) {
  Analysis out;
  if (text.empty()) {
    out.block = false;
    return out;
  }
  bool indicators = text.starts_with("---") || text.starts_with("...");
  bool special = false;
  bool edge = false;
  bool trailing_space = false;
  bool break_space = false;
  bool space_break = false;
  bool after_space = false;
  bool after_break = false;
  bool after_white = true;
  for (std::size_t i = 0; i < text.size();) {
    const Rune rune = decode(text.substr(i));
    const auto next = i + rune.size;
    const bool last = next == text.size();
    const bool white_follows = last || text[next] == ' ' || text[next] == '\t';
    const char32_t code = rune.code;
    constexpr std::string_view kFirst = "#,[]{}&*!|>'\"%@`";
    if (i == 0) {
      if (code < 0x80 && kFirst.find(static_cast<char>(code)) != std::string_view::npos) indicators = true;
      if ((code == '?' || code == ':' || code == '-') && white_follows) indicators = true;
    } else if ((code == ':' && white_follows) || (code == '#' && after_white)) {
      indicators = true;
    }
    if (!writable(code)) special = true;
    if (code == ' ') {
      if (i == 0 || last) edge = true;
      trailing_space = last;
      break_space = break_space || after_break;
      after_space = true;
      after_break = false;
    } else if (is_break(code)) {
      out.multiline = true;
      if (i == 0 || last) edge = true;
      space_break = space_break || after_space;
      after_space = false;
      after_break = true;
    } else {
      after_space = after_break = false;
    }
    after_white = code == ' ' || code == '\t' || is_break(code);
    i = next;
  }
  if (edge || break_space || space_break || special || out.multiline || indicators) out.plain = false;
  if (break_space || space_break || special) out.single_quoted = false;
  if (trailing_space || space_break || special) out.block = false;
  return out;
}

class Yaml {
 public:
  explicit Yaml(Builder& out) : out_(out) {}

  void document(const Value& value) { node(value, In::root, 0); }

 private:
  enum class In : std::uint8_t { root, list, map };

  // --- Writing ---

  void put(std::string_view text) {
    out_.add(text);
    column_ += static_cast<int>(count_runes(text));
  }
  void line_end() {
    out_.add('\n');
    column_ = 0;
  }
  void begin_line() {
    const int indent = std::max(indent_, 0);
    if (!indention_ || column_ > indent || (column_ == indent && !white_)) line_end();
    while (column_ < indent) put(" ");
    white_ = true;
    indention_ = true;
  }
  void indicator(std::string_view text, bool needs_space, bool is_space, bool is_indention) {
    if (needs_space && !white_) put(" ");
    put(text);
    white_ = is_space;
    indention_ = indention_ && is_indention;
  }

  // --- Nodes ---

  void node(const Value& value, In in, int depth) {
    if (depth > 100) stop_at_limit("it writes something that is nested too deeply");
    switch (value.type) {
      case Type::none:
      case Type::nil:
        return scalar("null", Style::plain, false);
      case Type::boolean:
        return scalar(value.boolean ? "true" : "false", Style::plain, false);
      case Type::float64:
        return real(value.real);
      case Type::number: {
        std::int64_t whole = 0;
        double number = 0;
        if (try_parse_int(value.text(), 10, whole)) {
          Builder made;
          print_int(made, whole);
          return scalar(made.view(), Style::plain, false);
        }
        if (try_parse_real(value.text(), number)) return real(number);
        return text(value.text(), false);
      }
      case Type::text:
        return text(value.text(), false);
      case Type::bytes:
      case Type::list:
      case Type::texts:
      case Type::ints:
        return list(value, in, depth);
      case Type::map:
      case Type::text_map:
        return map(value, depth);
      case Type::record:
      case Type::error:
      case Type::channel:
      case Type::scratch:
      case Type::unknown:
        stop("a value of type " + std::string(type_name(value)) + " is not written as YAML here");
      default: {
        Builder made;
        print_value(made, value);
        return scalar(made.view(), Style::plain, false);
      }
    }
  }

  void real(double value) {
    Builder made;
    if (std::isinf(value)) {
      made.add(value < 0 ? "-.inf" : ".inf");
    } else if (std::isnan(value)) {
      made.add(".nan");
    } else {
      print_real(made, value, 'g', -1);
    }
    scalar(made.view(), Style::plain, false);
  }

  void list(const Value& value, In in, int depth) {
    if (value.size == 0) {
      indicator("[", true, true, false);
      return indicator("]", false, false, false);
    }
    const int before = indent_;
    if (indent_ < 0) {
      indent_ = 0;
    } else if (in != In::map || indention_) {
      indent_ += kIndent;
    }
    for (std::size_t i = 0; i < value.size; ++i) {
      begin_line();
      indicator("-", true, false, true);
      if (value.type == Type::bytes) {
        node(of_natural(static_cast<unsigned char>(value.data[i]), Type::uint8), In::list, depth + 1);
      } else {
        node(value.items[i], In::list, depth + 1);
      }
    }
    indent_ = before;
  }

  void map(const Value& value, int depth) {
    if (value.map->size == 0) {
      indicator("{", true, true, false);
      return indicator("}", false, false, false);
    }
    const int outer = indent_;
    indent_ = indent_ < 0 ? 0 : indent_ + kIndent;
    std::vector<const Map::Member*> members;
    for (const auto& member : value.map->members()) members.push_back(&member);
    std::ranges::stable_sort(members, [](const auto* a, const auto* b) { return before(a->key, b->key); });
    for (const auto* member : members) {
      begin_line();
      if (!analyze(member->key).multiline && member->key.size() <= kLongestSimpleKey) {
        text(member->key, true);
        indicator(":", false, false, false);
      } else {
        indicator("?", true, false, true);
        text(member->key, false);
        begin_line();
        indicator(":", true, false, true);
      }
      node(member->value, In::map, depth + 1);
    }
    indent_ = outer;
  }

  // --- Scalars ---

  void text(std::string_view text, bool key) {
    if (!valid_utf8(text)) {
      Builder made;
      write_base64(made, text, false);
      if (!white_) put(" ");
      put("!!binary");
      white_ = false;
      if (made.size() > 70) stop("bytes that are no text and are longer than one line are not written as YAML here");
      return scalar(made.view(), Style::plain, key);
    }
    const bool broken = text.find('\n') != std::string_view::npos;
    scalar(text, broken ? Style::literal : means_something(text) ? Style::double_quoted : Style::plain, key);
  }

  void scalar(std::string_view text, Style style, bool key) {
    const Analysis can = analyze(text);
    if (key && can.multiline) style = Style::double_quoted;
    if (style == Style::plain && (!can.plain || (text.empty() && key))) style = Style::single_quoted;
    if (style == Style::single_quoted && !can.single_quoted) style = Style::double_quoted;
    if (style == Style::literal && (!can.block || key)) style = Style::double_quoted;
    const int before = indent_;
    indent_ = indent_ < 0 ? kIndent : indent_ + kIndent;
    switch (style) {
      case Style::plain:
        if (!white_) put(" ");
        flowing(text, key, style);
        break;
      case Style::single_quoted:
        indicator("'", true, false, false);
        flowing(text, key, style);
        indicator("'", false, false, false);
        break;
      case Style::double_quoted:
        indicator("\"", true, false, false);
        flowing(text, key, style);
        indicator("\"", false, false, false);
        break;
      case Style::literal:
        literal(text);
        break;
    }
    if (style != Style::literal) white_ = indention_ = false;
    indent_ = before;
  }

  /// A text on one line, or folded where a blank stands behind the width.
  void flowing(std::string_view text, bool key, Style style) {
    bool after_space = false;
    for (std::size_t i = 0; i < text.size();) {
      const Rune rune = decode(text.substr(i));
      const auto next = i + rune.size;
      const bool space_follows = next < text.size() && text[next] == ' ';
      const bool inner = style == Style::plain || (i > 0 && next < text.size());
      if (style == Style::double_quoted &&
          (!writable(rune.code) || is_break(rune.code) || rune.code == '"' || rune.code == '\\')) {
        escape(rune.code);
        after_space = false;
      } else if (rune.code == ' ') {
        const bool folds = !key && !after_space && column_ > kWidth && inner;
        if (folds && (style == Style::double_quoted || !space_follows)) {
          begin_line();
          if (space_follows) put("\\");
        } else {
          put(" ");
        }
        after_space = true;
      } else {
        if (style == Style::single_quoted && rune.code == '\'') put("'");
        put(text.substr(i, rune.size));
        indention_ = false;
        after_space = false;
      }
      i = next;
    }
  }

  void escape(char32_t code) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    struct Short {
      char32_t code;
      std::string_view text;
    };
    static constexpr auto kShort = std::to_array<Short>({{0, "\\0"},
                                                         {7, "\\a"},
                                                         {8, "\\b"},
                                                         {9, "\\t"},
                                                         {10, "\\n"},
                                                         {11, "\\v"},
                                                         {12, "\\f"},
                                                         {13, "\\r"},
                                                         {0x1b, "\\e"},
                                                         {'"', "\\\""},
                                                         {'\\', "\\\\"},
                                                         {0x85, "\\N"},
                                                         {0xa0, "\\_"},
                                                         {0x2028, "\\L"},
                                                         {0x2029, "\\P"}});
    for (const auto& [known, text] : kShort) {
      if (code == known) return put(text);
    }
    const std::size_t digits = code <= 0xff ? 2 : code <= 0xffff ? 4 : 8;
    put(digits == 2 ? "\\x" : digits == 4 ? "\\u" : "\\U");
    for (std::size_t i = digits; i-- > 0;) put(kHex.substr(code >> (4 * i) & 15U, 1));
  }

  void literal(std::string_view text) {
    indicator("|", true, false, false);
    if (text[0] == ' ' || is_break(decode(text).code)) put("2");
    if (!text.ends_with('\n')) {
      put("-");
    } else if (text.size() == 1 || text[text.size() - 2] == '\n') {
      put("+");
    }
    line_end();
    white_ = indention_ = true;
    bool broken = true;
    while (!text.empty()) {
      const Rune rune = decode(text);
      if (is_break(rune.code)) {
        if (rune.code == '\n') {
          line_end();
        } else {
          out_.add(text.substr(0, rune.size));
          column_ = 0;
        }
        indention_ = true;
        broken = true;
      } else {
        if (broken) begin_line();
        put(text.substr(0, rune.size));
        indention_ = false;
        broken = false;
      }
      text.remove_prefix(rune.size);
    }
  }

  Builder& out_;
  int column_ = 0;
  int indent_ = -1;
  bool white_ = true;
  bool indention_ = true;
};

}  // namespace

void write_yaml(Builder& out, const Value& value) { Yaml(out).document(value); }

}  // namespace injector::render::templates
