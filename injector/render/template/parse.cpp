#include "injector/render/template/parse.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "injector/render/template/function.h"
#include "injector/render/template/lexer.h"
#include "injector/render/template/unicode.h"

namespace injector::render::templates {
namespace {

/// The grammar's first mistake, which ends the parsing.
struct Broken {
  Mistake mistake;
};

std::string shown(const Item& item) {
  if (item.token == Token::end) return "the end of the template";
  if (item.token == Token::right) return "the end of the action";
  if (item.token == Token::text) return "text";
  const auto text = item.text.substr(0, 40);
  return "\"" + std::string(text) + (text.size() < item.text.size() ? "...\"" : "\"");
}

bool hex_value(char c, std::uint32_t& value) {
  const auto [end, error] = std::from_chars(&c, &c + 1, value, 16);
  return error == std::errc();
}

bool digits_value(std::string_view digits, int base, std::uint32_t& value) {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  return error == std::errc() && end == digits.data() + digits.size();
}

/// One escape after a backslash, taken off `text`.
bool unescape(std::string_view& text, char quote, std::string& out) {
  constexpr std::string_view kShort = "a\ab\bf\fn\nr\rt\tv\v\\\\";
  if (text.empty()) return false;
  const char letter = text[0];
  std::uint32_t code = 0;
  std::uint32_t ignored = 0;
  for (std::size_t i = 0; i < kShort.size(); i += 2) {
    if (kShort[i] != letter) continue;
    out += kShort[i + 1];
    text.remove_prefix(1);
    return true;
  }
  if (letter == quote && (quote == '"' || quote == '\'')) {
    out += quote;
    text.remove_prefix(1);
    return true;
  }
  if (letter >= '0' && letter <= '7') {
    if (text.size() < 3 || !digits_value(text.substr(0, 3), 8, code) || code > 255) return false;
    text.remove_prefix(3);
    out += static_cast<char>(code);
    return true;
  }
  const std::size_t width = letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
  if (width == 0 || text.size() < 1 + width || !hex_value(text[1], ignored)) return false;
  if (!digits_value(text.substr(1, width), 16, code)) return false;
  text.remove_prefix(1 + width);
  if (letter == 'x') {
    out += static_cast<char>(code);
    return true;
  }
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return false;
  std::array<char, 4> bytes{};
  out.append(bytes.data(), encode(code, bytes.data()));
  return true;
}

std::optional<std::string> without_underscores(std::string_view text, bool prefixed) {
  std::string out;
  char before = prefixed ? '0' : '-';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '_') {
      const bool after = i + 1 < text.size() && std::isxdigit(static_cast<unsigned char>(text[i + 1])) != 0;
      if (std::isxdigit(static_cast<unsigned char>(before)) == 0 || !after) return std::nullopt;
    } else {
      out += c;
    }
    before = c;
  }
  return out;
}

/// Go's rules for a literal that may be an integer of either sign, a real, or several of them.
std::optional<Number> number_of(std::string_view literal) {
  Number number;
  std::string_view rest = literal;
  const bool negative = rest.starts_with('-');
  if (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
  const char kind = rest.size() > 1 && rest[0] == '0' ? static_cast<char>(rest[1] | 0x20) : '\0';
  int base = kind == 'x' ? 16 : kind == 'o' ? 8 : kind == 'b' ? 2 : 10;
  const bool prefixed = base != 10;
  auto clean = without_underscores(prefixed ? rest.substr(2) : rest, prefixed);
  if (!clean) return std::nullopt;
  const std::string digits = std::move(*clean);
  // "017" is octal as an integer, and 17 as a real.
  if (!prefixed && digits.size() > 1 && digits[0] == '0') base = 8;
  std::uint64_t magnitude = 0;
  const auto* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, magnitude, base);
  if (!digits.empty() && stop == end && error == std::errc()) {
    if (!negative && !literal.starts_with('+')) number.natural = magnitude;
    constexpr std::uint64_t kMost = 1ULL << 63U;
    if (negative ? magnitude <= kMost : magnitude < kMost) {
      number.integer = static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude);
    }
    if (negative && magnitude == 0) number.natural = 0;
    if (number.integer) {
      number.real = static_cast<double>(*number.integer);
    } else if (number.natural) {
      number.real = static_cast<double>(*number.natural);
    }
    if (number.real) return number;
    return std::nullopt;
  }
  if (base == 2 || (base == 8 && prefixed)) return std::nullopt;
  const bool hexadecimal = base == 16;
  // A number without a point or exponent that is no integer is one that does not fit.
  if (digits.find_first_of(hexadecimal ? ".pP" : ".eEpP") == std::string::npos) return std::nullopt;
  if (hexadecimal && digits.find_first_of("pP") == std::string::npos) return std::nullopt;
  double real = 0;
  const auto format = hexadecimal ? std::chars_format::hex : std::chars_format::general;
  auto from = digits;
  if (from.starts_with('.')) from.insert(0, "0");
  // from_chars wants no '+' in an exponent's place only in older drafts; "1e+3" is well.
  const auto [real_stop, real_error] = std::from_chars(from.data(), from.data() + from.size(), real, format);
  if (real_error == std::errc::result_out_of_range || real_stop != from.data() + from.size()) {
    // Too small becomes zero in Go, too large is refused.
    if (real_stop != from.data() + from.size() || std::abs(std::strtod(from.c_str(), nullptr)) > 1) return std::nullopt;
    real = 0;
  }
  number.real = negative ? -real : real;
  number.is_real = true;
  constexpr double kIntegers = 9223372036854775808.0;
  if (std::trunc(*number.real) == *number.real) {
    if (*number.real >= -kIntegers && *number.real < kIntegers) {
      number.integer = static_cast<std::int64_t>(*number.real);
    }
    if (*number.real >= 0 && *number.real < 2 * kIntegers) {
      number.natural = static_cast<std::uint64_t>(*number.real);
    }
  }
  return number;
}

class Parser {
 public:
  Parser(std::vector<Item> items, std::vector<Mistake>& mistakes) : items_(std::move(items)), mistakes_(mistakes) {}

  std::optional<Tree> run() {
    try {
      while (peek().token != Token::end) {
        if (peek().token == Token::left && peek_after_left() == Token::key_define) {
          next();
          definition();
          continue;
        }
        auto node = text_or_action();
        if (node) tree_.main.push_back(std::move(*node));
        if (ended_by_ != Token::end) {
          wrong(items_[at_ - 1].line, ended_by_ == Token::key_end ? "there is an end without a beginning"
                                                                  : "there is an else without an if, with or range");
        }
      }
    } catch (Broken& broken) {
      mistakes_.push_back(std::move(broken.mistake));
      return std::nullopt;
    }
    return std::move(tree_);
  }

 private:
  [[noreturn]] static void wrong(std::size_t line, std::string what, std::string mend = {}) {
    throw Broken{{line, std::move(what), std::move(mend)}};
  }
  [[noreturn]] static void unexpected(const Item& item, const std::string& where) {
    if (item.token == Token::error) wrong(item.line, item.error);
    wrong(item.line, shown(item) + " has no place in " + where);
  }

  const Item& peek() const { return items_[at_]; }
  const Item& next() {
    const Item& item = items_[at_];
    if (at_ + 1 < items_.size()) ++at_;
    return item;
  }
  const Item& peek_solid() {
    while (peek().token == Token::space) next();
    return peek();
  }
  const Item& next_solid() {
    peek_solid();
    return next();
  }
  [[nodiscard]] Token peek_after_left() const {
    auto at = at_ + 1;
    while (items_[at].token == Token::space) ++at;
    return items_[at].token;
  }
  const Item& expect(Token token, const std::string& where) {
    const Item& item = next_solid();
    if (item.token != token) unexpected(item, where);
    return item;
  }

  struct Nested {
    explicit Nested(Parser& owner) : parser(owner) {
      if (++parser.nesting_ > Template::kMostDepth) wrong(parser.peek().line, "it is nested too deeply");
    }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;
    ~Nested() { --parser.nesting_; }
    Parser& parser;
  };

  std::string text_of(const Item& item) {
    if (item.token == Token::raw) {
      std::string text(item.text.substr(1, item.text.size() - 2));
      std::erase(text, '\r');
      return text;
    }
    auto text = unquoted(item.text);
    if (!text) wrong(item.line, "a string holds an escape that Go does not know");
    return std::move(*text);
  }

  std::string name_of(const std::string& where) {
    const Item& item = next_solid();
    if (item.token != Token::string && item.token != Token::raw) unexpected(item, where);
    return text_of(item);
  }

  static bool blank(const Body& body) {
    return std::ranges::all_of(body, [](const Node& node) {
      return node.kind == Node::Kind::text && std::ranges::all_of(node.text, [](char c) {
               return is_space(static_cast<unsigned char>(c)) && static_cast<unsigned char>(c) < 0x80;
             });
    });
  }

  void add(std::size_t line, const std::string& name, Body body) {
    const auto found = tree_.defined.find(name);
    if (found == tree_.defined.end()) {
      tree_.defined.emplace(name, std::move(body));
    } else if (blank(found->second)) {
      found->second = std::move(body);
    } else if (!blank(body)) {
      wrong(line, "a template of this name is defined twice");
    }
  }

  /// The body of a define or block, with variables of its own.
  void define_as(const std::string& name, std::size_t line) {
    const auto outer = std::exchange(variables_, {"$"});
    const auto loops = std::exchange(loops_, 0);
    auto body = list();
    if (ended_by_ != Token::key_end) wrong(items_[at_ - 1].line, "an else has no place in a define or block");
    ended_by_ = Token::end;
    variables_ = outer;
    loops_ = loops;
    add(line, name, std::move(body));
  }

  void definition() {
    const auto line = next_solid().line;
    const auto name = name_of("a define");
    expect(Token::right, "a define");
    define_as(name, line);
  }

  /// Nodes up to an end or else, which is left in `ended_by_`.
  Body list() {
    const Nested nested(*this);
    Body body;
    while (peek().token != Token::end) {
      auto node = text_or_action();
      if (ended_by_ != Token::end) return body;
      if (node) body.push_back(std::move(*node));
    }
    wrong(peek().line, "an if, with, range, define or block is not closed: an end is missing");
  }

  std::optional<Node> text_or_action() {
    ended_by_ = Token::end;
    const Item& item = next_solid();
    if (item.token == Token::text) {
      Node node;
      node.line = item.line;
      node.text = item.text;
      return node;
    }
    if (item.token != Token::left) unexpected(item, "a template");
    return action();
  }

  std::optional<Node> action() {
    const Item& item = peek_solid();
    Node node;
    node.line = item.line;
    switch (item.token) {
      case Token::key_block:
        next();
        return block(std::move(node));
      case Token::key_break:
      case Token::key_continue:
        next();
        if (loops_ == 0) wrong(item.line, std::string(item.text) + " has no place outside of a range");
        expect(Token::right, "a " + std::string(item.text));
        node.kind = item.token == Token::key_break ? Node::Kind::break_ : Node::Kind::continue_;
        return node;
      case Token::key_else:
        next();
        // "else if" and "else with" are finished by who asked for them.
        if (peek_solid().token != Token::key_if && peek().token != Token::key_with) expect(Token::right, "an else");
        ended_by_ = Token::key_else;
        return std::nullopt;
      case Token::key_end:
        next();
        expect(Token::right, "an end");
        ended_by_ = Token::key_end;
        return std::nullopt;
      case Token::key_if:
        next();
        return control(std::move(node), Node::Kind::if_, "an if");
      case Token::key_range:
        next();
        return control(std::move(node), Node::Kind::range, "a range");
      case Token::key_with:
        next();
        return control(std::move(node), Node::Kind::with, "a with");
      case Token::key_template:
        next();
        node.kind = Node::Kind::call;
        node.text = name_of("a template call");
        if (peek_solid().token == Token::right) {
          next();
        } else {
          node.pipe = pipe("a template call", Token::right);
        }
        return node;
      default:
        node.kind = Node::Kind::action;
        node.pipe = pipe("an action", Token::right);
        return node;
    }
  }

  Node block(Node node) {
    node.kind = Node::Kind::call;
    node.text = name_of("a block");
    node.pipe = pipe("a block", Token::right);
    define_as(node.text, node.line);
    return node;
  }

  Node control(Node node, Node::Kind kind, const std::string& where) {
    const Nested nested(*this);
    const auto before = variables_.size();
    node.kind = kind;
    node.pipe = pipe(where, Token::right);
    if (kind == Node::Kind::range) ++loops_;
    node.body = list();
    if (kind == Node::Kind::range) --loops_;
    if (ended_by_ == Token::key_else) {
      const Item& item = peek();
      if ((kind == Node::Kind::if_ && item.token == Token::key_if) ||
          (kind == Node::Kind::with && item.token == Token::key_with)) {
        next();
        Node inner;
        inner.line = item.line;
        node.otherwise.push_back(control(std::move(inner), kind, where));
      } else {
        node.otherwise = list();
        if (ended_by_ != Token::key_end) wrong(items_[at_ - 1].line, "there is a second else");
      }
    }
    ended_by_ = Token::end;
    variables_.resize(before);
    return node;
  }

  std::unique_ptr<Pipe> pipe(const std::string& where, Token end) {
    const Nested nested(*this);
    auto made = std::make_unique<Pipe>();
    made->line = peek_solid().line;
    declarations(*made, where);
    for (;;) {
      const Item& item = peek_solid();
      if (item.token == end) {
        next();
        break;
      }
      if (!begins_operand(item.token)) unexpected(item, where);
      made->commands.push_back(command());
    }
    if (made->commands.empty()) wrong(made->line, where + " lacks a value");
    for (std::size_t i = 1; i < made->commands.size(); ++i) {
      using Kind = Operand::Kind;
      const auto& first = made->commands[i].words[0];
      if (first.kind == Kind::boolean || first.kind == Kind::dot || first.kind == Kind::nil ||
          first.kind == Kind::number || first.kind == Kind::text) {
        wrong(first.line, "only a function may stand after a pipe");
      }
    }
    return made;
  }

  void declarations(Pipe& made, const std::string& where) {
    for (;;) {
      if (peek_solid().token != Token::variable) return;
      const auto begin = at_;
      const Item variable = next();
      const auto after = peek_solid().token;
      if (after == Token::assign || after == Token::declare) {
        next();
        made.assigns = after == Token::assign;
        made.variables.emplace_back(variable.text);
        variables_.emplace_back(variable.text);
        return;
      }
      if (after != Token::comma) {
        at_ = begin;
        return;
      }
      next();
      made.variables.emplace_back(variable.text);
      variables_.emplace_back(variable.text);
      if (where != "a range" || made.variables.size() >= 2) {
        wrong(variable.line, where + " declares too many variables");
      }
      const auto second = peek_solid().token;
      if (second != Token::variable && second != Token::right && second != Token::close) {
        wrong(variable.line, "a range can only initialize variables");
      }
    }
  }

  static bool begins_operand(Token token) {
    switch (token) {
      case Token::boolean:
      case Token::rune:
      case Token::dot:
      case Token::field:
      case Token::identifier:
      case Token::number:
      case Token::key_nil:
      case Token::raw:
      case Token::string:
      case Token::variable:
      case Token::open:
        return true;
      default:
        return false;
    }
  }

  Command command() {
    Command made;
    for (;;) {
      if (begins_operand(peek_solid().token)) made.words.push_back(operand());
      const Item& item = peek();
      if (item.token == Token::space) {
        next();
        continue;
      }
      if (item.token == Token::pipe) {
        next();
      } else if (item.token != Token::right && item.token != Token::close) {
        unexpected(item, "a command");
      }
      break;
    }
    if (made.words.empty()) wrong(peek().line, "a command is empty");
    return made;
  }

  Operand operand() {
    Operand made = term();
    if (peek().token != Token::field) return made;
    using Kind = Operand::Kind;
    if (made.kind == Kind::boolean || made.kind == Kind::text || made.kind == Kind::number || made.kind == Kind::nil ||
        made.kind == Kind::dot) {
      wrong(made.line, "a field has no place after a literal");
    }
    if (made.kind != Kind::field && made.kind != Kind::variable) {
      Operand chain;
      chain.kind = Kind::chain;
      chain.line = made.line;
      chain.inner = std::make_unique<Operand>(std::move(made));
      made = std::move(chain);
    }
    while (peek().token == Token::field) made.names.emplace_back(next().text.substr(1));
    return made;
  }

  Operand term() {
    const Item& item = next_solid();
    Operand made;
    made.line = item.line;
    using Kind = Operand::Kind;
    switch (item.token) {
      case Token::dot:
        made.kind = Kind::dot;
        break;
      case Token::key_nil:
        made.kind = Kind::nil;
        break;
      case Token::boolean:
        made.kind = Kind::boolean;
        made.boolean = item.text == "true";
        break;
      case Token::field:
        made.kind = Kind::field;
        made.names.emplace_back(item.text.substr(1));
        break;
      case Token::variable:
        made.kind = Kind::variable;
        made.text = item.text;
        if (std::ranges::find(variables_, made.text) == variables_.end()) {
          wrong(item.line, "the variable " + made.text + " is not defined here");
        }
        break;
      case Token::identifier:
        made.kind = Kind::function;
        made.text = item.text;
        made.function = function(item);
        break;
      case Token::number:
      case Token::rune:
        made.kind = Kind::number;
        made.number = literal(item);
        break;
      case Token::string:
      case Token::raw:
        made.kind = Kind::text;
        made.text = text_of(item);
        break;
      default:
        made.kind = Kind::pipe;
        made.pipe = pipe("a pipeline in parentheses", Token::close);
        break;
    }
    return made;
  }

  Number literal(const Item& item) {
    Number number;
    if (item.token == Token::rune) {
      const auto inner = item.text.substr(1, item.text.size() - 2);
      std::string out;
      char32_t code = 0;
      std::string_view rest = inner;
      if (inner.starts_with('\\')) {
        rest.remove_prefix(1);
        const bool byte = rest.starts_with('x') || (!rest.empty() && rest[0] >= '0' && rest[0] <= '7');
        if (!unescape(rest, '\'', out) || !rest.empty()) wrong(item.line, "a character constant is malformed");
        code = byte ? static_cast<unsigned char>(out[0]) : decode(out).code;
      } else {
        if (inner.empty() || decode(inner).size != inner.size()) wrong(item.line, "a character constant is malformed");
        code = decode(inner).code;
      }
      number.integer = static_cast<std::int64_t>(code);
      number.natural = code;
      number.real = static_cast<double>(code);
      return number;
    }
    if (item.text.ends_with('i')) {
      wrong(item.line, "complex numbers are not in the subset");
    }
    const auto known = number_of(item.text);
    if (!known) wrong(item.line, "a number is malformed, or does not fit");
    return *known;
  }

  const Function* function(const Item& item) {
    const auto* const found = find_function(item.text);
    if (found != nullptr) return found;
    const std::string name(item.text.substr(0, 60));
    Mistake mistake{item.line, "there is no function \"" + name + "\"", {}};
    if (const auto refusal = refusal_of(item.text)) {
      mistake.what = "the function \"" + name + "\" is refused: " + std::string(refusal->why);
      mistake.mend = refusal->mend;
    } else if (const auto near = near_function(item.text); !near.empty()) {
      mistake.mend = "is " + std::string(near) + " meant?";
    }
    mistakes_.push_back(std::move(mistake));
    return nullptr;
  }

  std::vector<Item> items_;
  std::vector<Mistake>& mistakes_;
  std::size_t at_ = 0;
  std::size_t nesting_ = 0;
  std::size_t loops_ = 0;
  std::vector<std::string> variables_{"$"};
  Token ended_by_ = Token::end;
  Tree tree_;
};

}  // namespace

std::optional<std::string> unquoted(std::string_view literal) {
  const char quote = literal.front();
  auto rest = literal.substr(1, literal.size() - 2);
  std::string out;
  while (!rest.empty()) {
    if (rest[0] == '\\') {
      rest.remove_prefix(1);
      if (!unescape(rest, quote, out)) return std::nullopt;
    } else {
      // What is no UTF-8 becomes U+FFFD, as in Go.
      const Rune rune = decode(rest);
      std::array<char, 4> bytes{};
      out.append(bytes.data(), encode(rune.code, bytes.data()));
      rest.remove_prefix(rune.size);
    }
  }
  return out;
}

std::optional<Tree> parse(std::string_view text, const Delimiters& delimiters, std::vector<Mistake>& mistakes) {
  const std::string_view left = delimiters.left.empty() ? std::string_view("{{") : delimiters.left;
  const std::string_view right = delimiters.right.empty() ? std::string_view("}}") : delimiters.right;
  return Parser(lex(text, left, right), mistakes).run();
}

}  // namespace injector::render::templates
