#include "injector/render/template/lexer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "injector/render/template/unicode.h"

namespace injector::render::templates {
namespace {

constexpr std::size_t kTrim = 2;  ///< "- " after the left delimiter, " -" before the right one.

bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool digit(char c) { return c >= '0' && c <= '9'; }

bool trims_left(std::string_view text) { return text.size() >= kTrim && text[0] == '-' && blank(text[1]); }
bool trims_right(std::string_view text) { return text.size() >= kTrim && blank(text[0]) && text[1] == '-'; }

constexpr std::array<std::pair<std::string_view, Token>, 11> kKeywords = {{{"block", Token::key_block},
                                                                           {"break", Token::key_break},
                                                                           {"continue", Token::key_continue},
                                                                           {"define", Token::key_define},
                                                                           {"else", Token::key_else},
                                                                           {"end", Token::key_end},
                                                                           {"if", Token::key_if},
                                                                           {"nil", Token::key_nil},
                                                                           {"range", Token::key_range},
                                                                           {"template", Token::key_template},
                                                                           {"with", Token::key_with}}};

class Lexer {
 public:
  Lexer(std::string_view text, std::string_view left, std::string_view right)
      : text_(text), left_(left), right_(right) {}

  std::vector<Item> run() {
    while (!ended_) inside_ ? action() : plain();
    return std::move(items_);
  }

 private:
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  [[nodiscard]] Rune rune() const { return at_ < text_.size() ? decode(rest()) : Rune{}; }

  void emit(Token token, std::size_t begin) {
    const auto text = text_.substr(begin, at_ - begin);
    items_.push_back({token, text, line_, {}});
    line_ += static_cast<std::size_t>(std::ranges::count(text, '\n'));
  }
  /// Goes on at `to`, leaving out what lies between.
  void skip(std::size_t to) {
    line_ += static_cast<std::size_t>(std::ranges::count(text_.substr(at_, to - at_), '\n'));
    at_ = to;
  }
  void wrong(std::string what) {
    items_.push_back({Token::error, {}, line_, std::move(what)});
    ended_ = true;
  }

  void plain() {
    const auto found = text_.find(left_, at_);
    auto stop = found == std::string_view::npos ? text_.size() : found;
    const auto next = stop;
    if (found != std::string_view::npos && trims_left(text_.substr(found + left_.size()))) {
      while (stop > at_ && blank(text_[stop - 1])) --stop;
    }
    const auto begin = at_;
    at_ = stop;
    if (stop > begin) emit(Token::text, begin);
    skip(next);
    if (found == std::string_view::npos) {
      emit(Token::end, at_);
      ended_ = true;
      return;
    }
    const bool trim = trims_left(text_.substr(at_ + left_.size()));
    const auto marker = trim ? kTrim : 0;
    if (text_.substr(at_ + left_.size() + marker).starts_with("/*")) return comment(at_ + left_.size() + marker);
    at_ += left_.size();
    emit(Token::left, at_ - left_.size());
    skip(at_ + marker);
    inside_ = true;
    depth_ = 0;
  }

  void comment(std::size_t begin) {
    const auto end = text_.find("*/", begin + 2);
    if (end == std::string_view::npos) return wrong("a comment is not closed: \"*/\" is missing");
    skip(end + 2);
    const bool trim = trims_right(rest()) && rest().substr(kTrim).starts_with(right_);
    if (!trim && !rest().starts_with(right_)) {
      return wrong("a comment must fill its action: nothing may stand between \"*/\" and the right delimiter");
    }
    skip(at_ + (trim ? kTrim : 0) + right_.size());
    if (trim) skip_blanks();
  }

  void skip_blanks() {
    auto to = at_;
    while (to < text_.size() && blank(text_[to])) ++to;
    skip(to);
  }

  [[nodiscard]] bool at_right(bool& trim) const {
    trim = trims_right(rest()) && rest().substr(kTrim).starts_with(right_);
    return trim || rest().starts_with(right_);
  }

  void close(bool trim) {
    if (depth_ > 0) return wrong("a parenthesis is not closed");
    skip(at_ + (trim ? kTrim : 0));
    at_ += right_.size();
    emit(Token::right, at_ - right_.size());
    if (trim) skip_blanks();
    inside_ = false;
  }

  void action() {
    bool trim = false;
    if (at_right(trim)) return close(trim);
    if (at_ >= text_.size()) return wrong("an action is not closed: its right delimiter is missing");
    const auto begin = at_;
    const char c = text_[at_];
    if (blank(c)) return space();
    if (digit(c) || c == '+' || c == '-') return number();
    const auto [code, size] = rune();
    if (code == '_' || is_letter(code) || is_digit(code)) return word();
    ++at_;
    switch (c) {
      case '=':
        return emit(Token::assign, begin);
      case ':':
        if (peek() != '=') return wrong("\":\" must be followed by \"=\"");
        ++at_;
        return emit(Token::declare, begin);
      case '|':
        return emit(Token::pipe, begin);
      case ',':
        return emit(Token::comma, begin);
      case '"':
        return quoted(begin, '"', Token::string, "a string");
      case '\'':
        return quoted(begin, '\'', Token::rune, "a character constant");
      case '`': {
        const auto end = text_.find('`', at_);
        if (end == std::string_view::npos) return wrong("a raw string is not closed");
        at_ = end + 1;
        return emit(Token::raw, begin);
      }
      case '$':
        return name(begin, Token::variable, Token::variable);
      case '.':
        if (!digit(peek())) return name(begin, Token::field, Token::dot);
        --at_;
        return number();
      case '(':
        ++depth_;
        return emit(Token::open, begin);
      case ')':
        if (depth_ == 0) return wrong("there is a closing parenthesis too many");
        --depth_;
        return emit(Token::close, begin);
      default:
        if (c > ' ' && c <= '~') return emit(Token::character, begin);
        at_ = begin;
        return wrong("there is a character that has no place in an action");
    }
  }

  void space() {
    const auto begin = at_;
    while (blank(peek())) ++at_;
    // The last blank may belong to a trim marker.
    if (trims_right(text_.substr(at_ - 1)) && text_.substr(at_ - 1 + kTrim).starts_with(right_)) {
      --at_;
      if (at_ == begin) return close(true);
    }
    emit(Token::space, begin);
  }

  [[nodiscard]] bool at_terminator() const {
    if (at_ >= text_.size() || blank(peek())) return true;
    constexpr std::string_view kTerminators = ".,|:)(";
    return kTerminators.find(peek()) != std::string_view::npos || rest().starts_with(right_);
  }

  void take_word() {
    while (at_ < text_.size()) {
      const auto [code, size] = rune();
      if (code != '_' && !is_letter(code) && !is_digit(code)) break;
      at_ += size;
    }
  }

  void word() {
    const auto begin = at_;
    take_word();
    if (!at_terminator()) return wrong("there is a wrong character in or after a name");
    const auto name = text_.substr(begin, at_ - begin);
    const auto* const keyword = std::ranges::find(kKeywords, name, &std::pair<std::string_view, Token>::first);
    if (keyword != kKeywords.end()) return emit(keyword->second, begin);
    emit(name == "true" || name == "false" ? Token::boolean : Token::identifier, begin);
  }

  void name(std::size_t begin, Token named, Token bare) {
    if (at_terminator()) return emit(bare, begin);
    take_word();
    if (!at_terminator()) return wrong("there is a wrong character in or after a name");
    emit(named, begin);
  }

  void quoted(std::size_t begin, char quote, Token token, const char* what) {
    for (; at_ < text_.size() && text_[at_] != '\n'; ++at_) {
      if (text_[at_] == quote) {
        ++at_;
        return emit(token, begin);
      }
      if (text_[at_] == '\\') {
        if (at_ + 1 >= text_.size() || text_[at_ + 1] == '\n') break;
        ++at_;
      }
    }
    wrong(std::string(what) + " is not closed");
  }

  bool accept(std::string_view valid) {
    if (at_ >= text_.size() || valid.find(text_[at_]) == std::string_view::npos) return false;
    ++at_;
    return true;
  }
  void accept_run(std::string_view valid) {
    while (accept(valid)) {
    }
  }

  bool scan_number() {
    accept("+-");
    std::string_view digits = "0123456789_";
    if (accept("0")) {
      if (accept("xX")) {
        digits = "0123456789abcdefABCDEF_";
      } else if (accept("oO")) {
        digits = "01234567_";
      } else if (accept("bB")) {
        digits = "01_";
      }
    }
    accept_run(digits);
    if (accept(".")) accept_run(digits);
    if (digits.size() == 11 && accept("eE")) {
      accept("+-");
      accept_run("0123456789_");
    }
    if (digits.size() == 23 && accept("pP")) {
      accept("+-");
      accept_run("0123456789_");
    }
    accept("i");
    if (at_ >= text_.size()) return true;
    const auto code = rune().code;
    return code != '_' && !is_letter(code) && !is_digit(code);
  }

  void number() {
    const auto begin = at_;
    if (!scan_number() || peek() == '+' || peek() == '-') return wrong("a number is malformed");
    emit(Token::number, begin);
  }

  std::string_view text_;
  std::string_view left_;
  std::string_view right_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t depth_ = 0;
  bool inside_ = false;
  bool ended_ = false;
  std::vector<Item> items_;
};

}  // namespace

std::vector<Item> lex(std::string_view text, std::string_view left, std::string_view right) {
  return Lexer(text, left, right).run();
}

}  // namespace injector::render::templates
