#include "injector/render/template/format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "injector/render/template/stop.h"
#include "injector/render/template/unicode.h"

namespace injector::render::templates {
namespace {

constexpr int kLargest = 1'000'000;
constexpr std::string_view kLower = "0123456789abcdef";
constexpr std::string_view kUpper = "0123456789ABCDEF";

/// A short text on the stack, wiped when it ends: a number's digits may be a secret's.
class Digits {
 public:
  Digits() = default;
  Digits(const Digits&) = delete;
  Digits& operator=(const Digits&) = delete;
  ~Digits() {
    volatile char* const bytes = bytes_.data();
    for (std::size_t i = 0; i < bytes_.size(); ++i) bytes[i] = 0;
  }
  [[nodiscard]] std::string_view view() const { return {bytes_.data() + begin_, bytes_.size() - begin_}; }
  void prepend(char c) { bytes_[--begin_] = c; }
  void prepend_number(std::uint64_t number, unsigned base, std::string_view digits) {
    do {
      prepend(digits[number % base]);
      number /= base;
    } while (number != 0);
  }

 private:
  std::array<char, 80> bytes_{};
  std::size_t begin_ = bytes_.size();
};

void escape_rune(Builder& out, Rune rune, std::string_view bytes, char quote, bool ascii) {
  const char32_t code = rune.code;
  const auto hex = [&](char letter, std::size_t width, char32_t number) {
    out.add('\\').add(letter);
    for (std::size_t i = width; i-- > 0;) out.add(kLower[number >> (4 * i) & 15U]);
  };
  if (code == kBadRune && rune.size == 1) {
    hex('x', 2, static_cast<unsigned char>(bytes[0]));
    return;
  }
  if (code == static_cast<unsigned char>(quote) || code == '\\') {
    out.add('\\').add(static_cast<char>(code));
    return;
  }
  if (is_print(code) && (!ascii || code < 0x80)) {
    out.add(bytes.substr(0, rune.size));
    return;
  }
  constexpr std::string_view kShort = "\aa\bb\ff\nn\rr\tt\vv";
  for (std::size_t i = 0; i < kShort.size(); i += 2) {
    if (code == static_cast<unsigned char>(kShort[i])) {
      out.add('\\').add(kShort[i + 1]);
      return;
    }
  }
  if (code < ' ' || code == 0x7f) {
    hex('x', 2, code);
  } else if (code < 0x10000) {
    hex('u', 4, code);
  } else {
    hex('U', 8, code);
  }
}

void quote_with(Builder& out, std::string_view text, char mark, bool ascii) {
  out.add(mark);
  while (!text.empty()) {
    const Rune rune = decode(text);
    escape_rune(out, rune, text, mark, ascii);
    text.remove_prefix(rune.size);
  }
  out.add(mark);
}

bool can_backquote(std::string_view text) {
  while (!text.empty()) {
    const Rune rune = decode(text);
    text.remove_prefix(rune.size);
    if (rune.size > 1) {
      if (rune.code == 0xfeff) return false;
      continue;
    }
    if (rune.code == kBadRune) return false;
    if ((rune.code < ' ' && rune.code != '\t') || rune.code == '`' || rune.code == 0x7f) return false;
  }
  return true;
}

struct Flags {
  bool sharp = false;
  bool plus = false;
  bool minus = false;
  bool space = false;
  bool zero = false;
  bool plus_v = false;
  bool sharp_v = false;
  bool has_width = false;
  bool has_precision = false;
  int width = 0;
  int precision = 0;
};

class Printer {
 public:
  explicit Printer(Builder& out) : out_(out) {}

  void argument(const Value& value, char32_t verb) {
    switch (value.type) {
      case Type::none:
      case Type::nil:
        if (verb == 'T' || verb == 'v') {
          pad("<nil>");
        } else {
          bad_verb(value, verb);
        }
        return;
      default:
        break;
    }
    if (verb == 'T') {
      plain_text(type_name(value), 's', value);
      return;
    }
    if (verb == 'p') stop("%p prints an address, which is another one each time");
    whole(value, verb, 0);
  }

  void formatted(std::string_view format, std::span<const Value> values);

  Flags flags;

 private:
  void pad(std::string_view text) {
    const int width = static_cast<int>(flags.has_width ? count_runes(text) : 0);
    const auto fill = static_cast<std::size_t>(std::max(0, flags.has_width ? flags.width - width : 0));
    if (flags.minus) {
      out_.add(text).add(fill, ' ');
    } else {
      out_.add(fill, flags.zero ? '0' : ' ').add(text);
    }
  }

  void bad_verb(const Value& value, char32_t verb) {
    const bool before = std::exchange(erroring_, true);
    out_.add("%!").add_rune(verb).add('(');
    if (value.is_nil()) {
      out_.add("<nil>");
    } else {
      out_.add(type_name(value)).add('=');
      argument(value, 'v');
    }
    out_.add(')');
    erroring_ = before;
  }

  void whole(const Value& value, char32_t verb, int depth) {
    if (depth > 100) stop_at_limit("it prints something that is nested too deeply");
    switch (value.type) {
      case Type::none:
      case Type::nil:
        // Within a composite there is an interface around it, whatever the verb.
        out_.add(flags.sharp_v ? "interface {}(nil)" : "<nil>");
        return;
      case Type::boolean:
        if (verb != 't' && verb != 'v') return bad_verb(value, verb);
        pad(value.boolean ? "true" : "false");
        return;
      case Type::float64:
        real(value, verb);
        return;
      case Type::text:
        plain_text(value.text(), verb, value);
        return;
      case Type::number:
        // A Stringer for some verbs, a text for the others: the same but for what is wrong.
        plain_text(value.text(), verb, value);
        return;
      case Type::error:
        plain_text(value.text(), verb, value);
        return;
      case Type::bytes:
        bytes(value, verb);
        return;
      case Type::list:
      case Type::texts:
      case Type::ints:
        list(value, verb, depth);
        return;
      case Type::map:
      case Type::text_map:
        map(value, verb, depth);
        return;
      case Type::record:
        record(value, verb, depth);
        return;
      case Type::channel:
      case Type::scratch:
        stop("a value of type " + std::string(type_name(value)) +
             " prints as an address, which is another one each time");
      case Type::unknown:
        return;
      default:
        integer(value, verb);
        return;
    }
  }

  void list(const Value& value, char32_t verb, int depth) {
    if (flags.sharp_v) {
      out_.add(type_name(value)).add('{');
    } else {
      out_.add('[');
    }
    for (std::size_t i = 0; i < value.size; ++i) {
      if (i > 0) out_.add(flags.sharp_v ? ", " : " ");
      whole(value.items[i], verb, depth + 1);
    }
    out_.add(flags.sharp_v ? '}' : ']');
  }

  void map(const Value& value, char32_t verb, int depth) {
    if (flags.sharp_v) {
      out_.add(type_name(value)).add('{');
    } else {
      out_.add("map[");
    }
    bool first = true;
    for (const auto& [key, member] : value.map->members()) {
      if (!first) out_.add(flags.sharp_v ? ", " : " ");
      first = false;
      whole(of_text(key), verb, depth + 1);
      out_.add(':');
      whole(member, verb, depth + 1);
    }
    out_.add(flags.sharp_v ? '}' : ']');
  }

  void record(const Value& value, char32_t verb, int depth) {
    const bool pointer = value.record->name.starts_with('*');
    if (pointer && depth > 0) stop("a pointer within a value prints as an address, which is another one each time");
    if (pointer) out_.add('&');
    if (flags.sharp_v) out_.add(value.record->name.substr(pointer ? 1 : 0));
    out_.add('{');
    bool first = true;
    for (const auto& [name, field] : value.record->fields) {
      if (!first) out_.add(flags.sharp_v ? ", " : " ");
      first = false;
      if (flags.plus_v || flags.sharp_v) out_.add(name).add(':');
      whole(field, verb, depth + 1);
    }
    out_.add('}');
  }

  // --- Text ---

  [[nodiscard]] std::string_view cut(std::string_view text) const {
    if (!flags.has_precision) return text;
    std::size_t end = 0;
    for (int i = 0; i < flags.precision && end < text.size(); ++i) end += decode(text.substr(end)).size;
    return text.substr(0, end);
  }

  void plain_text(std::string_view text, char32_t verb, const Value& value) {
    switch (verb) {
      case 'v':
        if (flags.sharp_v) return quoted(text);
        [[fallthrough]];
      case 's':
        pad(cut(text));
        return;
      case 'x':
        hexadecimal(text, kLower, 'x');
        return;
      case 'X':
        hexadecimal(text, kUpper, 'X');
        return;
      case 'q':
        quoted(text);
        return;
      default:
        bad_verb(value, verb);
    }
  }

  void quoted(std::string_view text) {
    text = cut(text);
    Builder made;
    if (flags.sharp && can_backquote(text)) {
      made.add('`').add(text).add('`');
    } else {
      quote_with(made, text, '"', flags.plus);
    }
    pad(made.view());
  }

  void hexadecimal(std::string_view text, std::string_view digits, char letter) {
    if (flags.has_precision) text = text.substr(0, static_cast<std::size_t>(flags.precision));
    std::size_t width = 2 * text.size();
    if (width > 0) {
      if (flags.space) {
        if (flags.sharp) width *= 2;
        width += text.size() - 1;
      } else if (flags.sharp) {
        width += 2;
      }
    }
    if (text.empty()) {
      if (flags.has_width) out_.add(static_cast<std::size_t>(flags.width), flags.zero && !flags.minus ? '0' : ' ');
      return;
    }
    const auto wanted = static_cast<std::size_t>(flags.width);
    const std::size_t fill = flags.has_width && wanted > width ? wanted - width : 0;
    if (!flags.minus) out_.add(fill, flags.zero ? '0' : ' ');
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (i > 0 && flags.space) out_.add(' ');
      if (flags.sharp && (flags.space || i == 0)) out_.add('0').add(letter);
      const auto byte = static_cast<unsigned char>(text[i]);
      out_.add(digits[byte >> 4U]).add(digits[byte & 15U]);
    }
    if (flags.minus) out_.add(fill, ' ');
  }

  void bytes(const Value& value, char32_t verb) {
    if (verb != 'v' && verb != 'd') return plain_text(value.text(), verb, value);
    out_.add(flags.sharp_v ? "[]byte{" : "[");
    for (std::size_t i = 0; i < value.size; ++i) {
      if (i > 0) out_.add(flags.sharp_v ? ", " : " ");
      integer(of_natural(static_cast<unsigned char>(value.data[i]), Type::uint8), verb);
    }
    out_.add(flags.sharp_v ? '}' : ']');
  }

  // --- Numbers ---

  void integer(const Value& value, char32_t verb) {
    const bool negative = value.is_signed() && value.integer < 0;
    const std::uint64_t magnitude = negative ? 0 - value.natural : value.natural;
    switch (verb) {
      case 'v':
        if (flags.sharp_v && value.is_unsigned()) {
          const bool before = std::exchange(flags.sharp, true);
          digits(magnitude, false, 16, 'v', kLower);
          flags.sharp = before;
          return;
        }
        [[fallthrough]];
      case 'd':
        return digits(magnitude, negative, 10, verb, kLower);
      case 'b':
        return digits(magnitude, negative, 2, verb, kLower);
      case 'o':
      case 'O':
        return digits(magnitude, negative, 8, verb, kLower);
      case 'x':
        return digits(magnitude, negative, 16, verb, kLower);
      case 'X':
        return digits(magnitude, negative, 16, verb, kUpper);
      case 'c':
      case 'q': {
        const char32_t rune = value.natural > 0x10ffff ? kBadRune : static_cast<char32_t>(value.natural);
        Builder made;
        made.add_rune(rune);
        if (verb == 'q') {
          Builder inner;
          quote_with(inner, made.view(), '\'', flags.plus);
          pad(inner.view());
        } else {
          pad(made.view());
        }
        return;
      }
      case 'U':
        return unicode(value.natural);
      default:
        bad_verb(value, verb);
    }
  }

  void digits(std::uint64_t magnitude, bool negative, unsigned base, char32_t verb, std::string_view alphabet) {
    int least = 0;
    if (flags.has_precision) {
      least = flags.precision;
      if (least == 0 && magnitude == 0) {
        out_.add(flags.has_width ? static_cast<std::size_t>(flags.width) : 0, ' ');
        return;
      }
    } else if (flags.zero && !flags.minus && flags.has_width) {
      least = flags.width;
      if (negative || flags.plus || flags.space) --least;
    }
    Digits number;
    number.prepend_number(magnitude, base, alphabet);
    Builder made;
    if (negative) {
      made.add('-');
    } else if (flags.plus) {
      made.add('+');
    } else if (flags.space) {
      made.add(' ');
    }
    const auto zeros = static_cast<std::size_t>(std::max(0, least - static_cast<int>(number.view().size())));
    if (verb == 'O') made.add("0o");
    if (flags.sharp) {
      if (base == 2) made.add("0b");
      if (base == 8 && zeros == 0 && !number.view().starts_with('0')) made.add('0');
      if (base == 16) made.add('0').add(alphabet == kUpper ? 'X' : 'x');
    }
    made.add(zeros, '0').add(number.view());
    const bool before = std::exchange(flags.zero, false);
    pad(made.view());
    flags.zero = before;
  }

  void unicode(std::uint64_t code) {
    Digits number;
    number.prepend_number(code, 16, kUpper);
    const int least = flags.has_precision && flags.precision > 4 ? flags.precision : 4;
    Builder made;
    made.add("U+").add(static_cast<std::size_t>(std::max(0, least - static_cast<int>(number.view().size()))), '0');
    made.add(number.view());
    if (flags.sharp && code <= 0x10ffff && is_print(static_cast<char32_t>(code))) {
      made.add(" '").add_rune(static_cast<char32_t>(code)).add('\'');
    }
    const bool before = std::exchange(flags.zero, false);
    pad(made.view());
    flags.zero = before;
  }

  void real(const Value& value, char32_t verb) {
    int precision = -1;
    char form = 'g';
    switch (verb) {
      case 'v':
      case 'g':
        break;
      case 'G':
        form = 'G';
        break;
      case 'e':
      case 'E':
      case 'f':
      case 'F':
        form = verb == 'F' ? 'f' : static_cast<char>(verb);
        precision = 6;
        break;
      case 'b':
      case 'x':
      case 'X':
        stop("a number with a fraction is not printed in the binary or hexadecimal form here");
      default:
        return bad_verb(value, verb);
    }
    if (flags.has_precision) precision = flags.precision;
    Builder number;
    print_real(number, value.real, form, precision);
    std::string_view digits = number.view();
    char sign = '+';
    if (digits.starts_with('-') || digits.starts_with('+')) {
      sign = digits[0];
      digits.remove_prefix(1);
    }
    if (flags.space && sign == '+' && !flags.plus) sign = ' ';
    if (digits.starts_with('I') || digits.starts_with('N')) {
      const bool before = std::exchange(flags.zero, false);
      Builder made;
      const bool signless = digits.starts_with('N') && !flags.space && !flags.plus;
      if (!signless) made.add(sign);
      made.add(digits);
      pad(made.view());
      flags.zero = before;
      return;
    }
    Builder made;
    if (flags.sharp) {
      sharp_real(made, digits, verb, precision);
    } else {
      made.add(digits);
    }
    const bool shows_sign = flags.plus || sign != '+';
    if (shows_sign && flags.zero && !flags.minus && flags.has_width &&
        flags.width > static_cast<int>(made.size()) + 1) {
      out_.add(sign).add(static_cast<std::size_t>(flags.width) - made.size() - 1, '0').add(made.view());
      return;
    }
    Builder signed_;
    if (shows_sign) signed_.add(sign);
    signed_.add(made.view());
    pad(signed_.view());
  }

  static void sharp_real(Builder& made, std::string_view digits, char32_t verb, int precision) {
    int wanted = 0;
    if (verb == 'v' || verb == 'g' || verb == 'G') wanted = precision == -1 ? 6 : precision;
    const auto exponent = digits.find_first_of("eE");
    const auto mantissa = digits.substr(0, exponent);
    bool nonzero = false;
    for (const char c : mantissa) {
      if (c == '.') continue;
      nonzero = nonzero || c != '0';
      if (nonzero) --wanted;
    }
    made.add(mantissa);
    if (mantissa.find('.') == std::string_view::npos) {
      if (mantissa == "0") --wanted;
      made.add('.');
    }
    if (wanted > 0) made.add(static_cast<std::size_t>(wanted), '0');
    if (exponent != std::string_view::npos) made.add(digits.substr(exponent));
  }

  Builder& out_;
  bool erroring_ = false;
};

/// The state of one format.
class Formatter {
 public:
  Formatter(Builder& out, std::string_view format, std::span<const Value> values)
      : out_(out), printer_(out), format_(format), values_(values) {}

  void run() {
    while (at_ < format_.size()) {
      const auto percent = std::min(format_.find('%', at_), format_.size());
      out_.add(format_.substr(at_, percent - at_));
      if (percent == format_.size()) break;
      at_ = percent + 1;
      if (!verb()) break;
    }
    if (!reordered_ && next_ < values_.size()) extra();
  }

 private:
  [[nodiscard]] char peek() const { return at_ < format_.size() ? format_[at_] : '\0'; }

  bool verb() {
    Flags& flags = printer_.flags;
    flags = Flags();
    good_ = true;
    after_index_ = false;
    for (bool more = true; more;) {
      switch (peek()) {
        case '#':
          flags.sharp = true;
          break;
        case '0':
          flags.zero = true;
          break;
        case '+':
          flags.plus = true;
          break;
        case '-':
          flags.minus = true;
          break;
        case ' ':
          flags.space = true;
          break;
        default:
          more = false;
          continue;
      }
      ++at_;
    }
    index();
    if (peek() == '*') {
      ++at_;
      flags.has_width = number_argument(flags.width);
      if (!flags.has_width) out_.add("%!(BADWIDTH)");
      if (flags.width < 0) {
        flags.width = -flags.width;
        flags.minus = true;
        flags.zero = false;
      }
      after_index_ = false;
    } else {
      flags.has_width = number(flags.width);
      if (after_index_ && flags.has_width) good_ = false;
    }
    if (peek() == '.') {
      ++at_;
      if (after_index_) good_ = false;
      index();
      if (peek() == '*') {
        ++at_;
        flags.has_precision = number_argument(flags.precision);
        if (flags.precision < 0) {
          flags.precision = 0;
          flags.has_precision = false;
        }
        if (!flags.has_precision) out_.add("%!(BADPREC)");
        after_index_ = false;
      } else if (!number(flags.precision)) {
        flags.precision = 0;
        flags.has_precision = true;
      } else {
        flags.has_precision = true;
      }
    }
    if (!after_index_) index();
    if (at_ >= format_.size()) {
      out_.add("%!(NOVERB)");
      return false;
    }
    const Rune rune = decode(format_.substr(at_));
    at_ += rune.size;
    // Zeros are put at the left alone.
    if (flags.minus) flags.zero = false;
    if (rune.code == '%') {
      out_.add('%');
    } else if (!good_) {
      out_.add("%!").add_rune(rune.code).add("(BADINDEX)");
    } else if (next_ >= values_.size()) {
      out_.add("%!").add_rune(rune.code).add("(MISSING)");
    } else {
      if (rune.code == 'v') {
        flags.sharp_v = std::exchange(flags.sharp, false);
        flags.plus_v = std::exchange(flags.plus, false);
      }
      printer_.argument(values_[next_++], rune.code);
    }
    return true;
  }

  bool number(int& out) {
    const auto begin = at_;
    int value = 0;
    while (peek() >= '0' && peek() <= '9') {
      if (value > kLargest) {
        at_ = format_.size();
        out = 0;
        return false;
      }
      value = value * 10 + (format_[at_++] - '0');
    }
    if (at_ == begin) return false;
    out = value;
    return true;
  }

  bool number_argument(int& out) {
    if (next_ >= values_.size()) return false;
    const Value& value = values_[next_++];
    if (!value.is_integer()) return false;
    if (value.is_unsigned() ? value.natural > kLargest : value.integer > kLargest || value.integer < -kLargest)
      return false;
    out = static_cast<int>(value.integer);
    return true;
  }

  void index() {
    if (peek() != '[') return;
    reordered_ = true;
    const auto close = format_.find(']', at_);
    if (close == std::string_view::npos) {
      good_ = false;
      ++at_;
      return;
    }
    const auto inner = format_.substr(at_ + 1, close - at_ - 1);
    int value = 0;
    const auto [stop, error] = std::from_chars(inner.data(), inner.data() + inner.size(), value);
    at_ = close + 1;
    if (error != std::errc() || stop != inner.data() + inner.size() || value < 1 ||
        static_cast<std::size_t>(value) > values_.size()) {
      good_ = false;
      return;
    }
    next_ = static_cast<std::size_t>(value) - 1;
    after_index_ = true;
  }

  void extra() {
    printer_.flags = Flags();
    out_.add("%!(EXTRA ");
    for (auto i = next_; i < values_.size(); ++i) {
      if (i > next_) out_.add(", ");
      if (values_[i].is_nil()) {
        out_.add("<nil>");
      } else {
        out_.add(type_name(values_[i])).add('=');
        printer_.argument(values_[i], 'v');
      }
    }
    out_.add(')');
  }

  Builder& out_;
  Printer printer_;
  std::string_view format_;
  std::span<const Value> values_;
  std::size_t at_ = 0;
  std::size_t next_ = 0;
  bool good_ = true;
  bool after_index_ = false;
  bool reordered_ = false;
};

bool underscores_well(std::string_view text) {
  // Between digits only, or after a base prefix.
  char before = '^';
  std::size_t i = 0;
  if (text.size() >= 1 && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  bool hex = false;
  if (text.size() >= 2 && text[0] == '0') {
    const char kind = static_cast<char>(text[1] | 0x20);
    if (kind == 'b' || kind == 'o' || kind == 'x') {
      i = 2;
      before = '0';
      hex = kind == 'x';
    }
  }
  for (; i < text.size(); ++i) {
    const char c = text[i];
    const char lower = static_cast<char>(c | 0x20);
    if ((c >= '0' && c <= '9') || (hex && lower >= 'a' && lower <= 'f')) {
      before = '0';
    } else if (c == '_') {
      if (before != '0') return false;
      before = '_';
    } else {
      if (before == '_') return false;
      before = '!';
    }
  }
  return before != '_';
}

}  // namespace

void print_value(Builder& out, const Value& value) { Printer(out).argument(value, 'v'); }

void print(Builder& out, std::span<const Value> values) {
  Printer printer(out);
  bool text_before = false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool text = values[i].is_text();
    if (i > 0 && !text && !text_before) out.add(' ');
    printer.argument(values[i], 'v');
    text_before = text;
  }
}

void print_line(Builder& out, std::span<const Value> values) {
  Printer printer(out);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out.add(' ');
    printer.argument(values[i], 'v');
  }
  out.add('\n');
}

void print_formatted(Builder& out, std::string_view format, std::span<const Value> values) {
  Formatter(out, format, values).run();
}

std::string_view shown(Pool& pool, const Value& value) {
  if (value.type == Type::text || value.type == Type::number) return value.text();
  Builder out;
  print_value(out, value);
  return out.keep_in(pool);
}

void quote(Builder& out, std::string_view text) { quote_with(out, text, '"', false); }

void print_int(Builder& out, std::int64_t value) { print_value(out, of_int(value, Type::int64)); }

void print_real(Builder& out, double value, char form, int precision) {
  if (std::isnan(value)) {
    out.add("NaN");
    return;
  }
  if (std::isinf(value)) {
    out.add(value < 0 ? "-Inf" : "+Inf");
    return;
  }
  // The largest double has 309 digits before the point.
  constexpr int kRoom = 1500;
  std::array<char, std::size_t{kRoom}> room{};  // Wiped below.
  const int shown = std::min(precision, kRoom - 400);
  std::to_chars_result made{};
  const bool upper = form == 'E' || form == 'G';
  if (upper) form = static_cast<char>(form | 0x20);
  if (form == 'g' && precision < 0) {
    made = std::to_chars(room.data(), room.data() + room.size(), value, std::chars_format::scientific);
    const std::string_view digits(room.data(), static_cast<std::size_t>(made.ptr - room.data()));
    int exponent = 0;
    const auto* const begin = digits.data() + digits.find('e') + 1;
    std::from_chars(*begin == '+' ? begin + 1 : begin, made.ptr, exponent);
    // The shortest form has an exponent from a million on.
    if (exponent >= -4 && exponent < 6)
      made = std::to_chars(room.data(), room.data() + room.size(), value, std::chars_format::fixed);
  } else {
    const auto format = form == 'e'   ? std::chars_format::scientific
                        : form == 'f' ? std::chars_format::fixed
                                      : std::chars_format::general;
    made = precision < 0 ? std::to_chars(room.data(), room.data() + room.size(), value, format)
                         : std::to_chars(room.data(), room.data() + room.size(), value, format,
                                         form == 'g' && shown == 0 ? 1 : shown);
  }
  std::string_view digits(room.data(), static_cast<std::size_t>(made.ptr - room.data()));
  if (upper) {
    const auto e = digits.find('e');
    if (e != std::string_view::npos) room[e] = 'E';
  }
  out.add(digits);
  // More digits than a double can have are zeros.
  if (form == 'f' && precision > shown) out.add(static_cast<std::size_t>(precision - shown), '0');
  volatile char* const wiped = room.data();
  for (int i = 0; i < kRoom; ++i) wiped[i] = 0;
}

bool try_parse_int(std::string_view text, int base, std::int64_t& out) {
  const std::string_view whole = text;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::string clean;
  if (base == 0) {
    base = 10;
    if (!underscores_well(whole)) return false;
    if (text.size() > 1 && text[0] == '0') {
      const char kind = static_cast<char>(text[1] | 0x20);
      base = kind == 'x' ? 16 : kind == 'b' ? 2 : 8;
      text.remove_prefix(kind == 'x' || kind == 'b' || kind == 'o' ? 2 : 1);
    }
    if (text.find('_') != std::string_view::npos) {
      clean.reserve(text.size());
      for (const char c : text) {
        if (c != '_') clean += c;
      }
      text = clean;
    }
  }
  std::uint64_t magnitude = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (text.empty() || error != std::errc() || stop != text.data() + text.size()) return false;
  constexpr std::uint64_t kMost = 1ULL << 63U;
  if (negative ? magnitude > kMost : magnitude >= kMost) return false;
  out = static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude);
  return true;
}

std::int64_t parse_int(std::string_view text, int base) {
  std::int64_t out = 0;
  if (!try_parse_int(text, base, out)) stop("a text is no whole number, or one that does not fit");
  return out;
}

std::uint64_t parse_natural(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    stop("a text is no whole number without a sign, or one that does not fit");
  }
  return out;
}

bool try_parse_real(std::string_view text, double& out) {
  if (text.empty()) return false;
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  std::string lower;
  if (rest.size() <= 8) {
    for (const char c : rest) lower += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  }
  if (lower == "inf" || lower == "infinity") {
    out = negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    return true;
  }
  if (lower == "nan") {
    out = std::numeric_limits<double>::quiet_NaN();
    return rest.size() == text.size();
  }
  const bool hexadecimal = rest.size() > 1 && rest[0] == '0' && (rest[1] | 0x20) == 'x';
  // Underscores are digits' neighbours only where a prefix says the base.
  if (rest.find('_') != std::string_view::npos && (!hexadecimal || !underscores_well(text))) return false;
  std::string clean;
  for (const char c : hexadecimal ? rest.substr(2) : rest) {
    if (c != '_') clean += c;
  }
  if (hexadecimal && clean.find_first_of("pP") == std::string::npos) return false;
  if (clean.empty() || !(clean[0] == '.' || std::isxdigit(static_cast<unsigned char>(clean[0])) != 0)) return false;
  if (!hexadecimal && clean[0] != '.' && !(clean[0] >= '0' && clean[0] <= '9')) return false;
  if (clean[0] == '.') {
    if (clean.size() < 2 || std::isxdigit(static_cast<unsigned char>(clean[1])) == 0) return false;
    clean.insert(0, "0");
  }
  double value = 0;
  const auto [end, error] = std::from_chars(clean.data(), clean.data() + clean.size(), value,
                                            hexadecimal ? std::chars_format::hex : std::chars_format::general);
  if (end != clean.data() + clean.size()) return false;
  if (error == std::errc::result_out_of_range) {
    // Too small is zero, too large an error.
    value = std::strtod(clean.c_str(), nullptr);
    if (hexadecimal || std::isinf(value)) return false;
  }
  out = negative ? -value : value;
  return true;
}

double parse_real(std::string_view text) {
  double out = 0;
  if (!try_parse_real(text, out)) stop("a text is no number, or one that does not fit");
  return out;
}

bool try_parse_bool(std::string_view text, bool& out) {
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) return out = true, true;
  }
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) return out = false, true;
  }
  return false;
}

}  // namespace injector::render::templates
