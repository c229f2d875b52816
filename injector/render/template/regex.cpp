#include "injector/render/template/regex.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include "injector/render/template/stop.h"
#include "injector/render/template/unicode.h"

namespace injector::render::templates {
namespace {

constexpr int kMostRepeats = 1000;
constexpr int kMostNesting = 200;
constexpr char32_t kLastRune = 0x10ffff;

[[noreturn]] void malformed() { stop("a regular expression is malformed, or not in the subset"); }

bool is_word(std::string_view text, std::size_t at) {
  if (at >= text.size()) return false;
  const auto byte = static_cast<unsigned char>(text[at]);
  return byte < 0x80 && (is_letter(byte) || is_digit(byte) || byte == '_');
}

}  // namespace

class RegexCompiler {
 public:
  explicit RegexCompiler(std::string_view pattern) : rest_(pattern) {}

  Regex run() {
    auto node = alternation();
    if (!rest_.empty()) malformed();
    emit_save(0);
    emit(*node);
    emit_save(1);
    push({});
    return std::move(regex_);
  }

 private:
  using Op = Regex::Op;
  using Range = Regex::Range;

  struct Node {
    enum class Kind : std::uint8_t { empty, set, sequence, choice, repeat, group, assertion };
    Kind kind = Kind::empty;
    std::vector<std::unique_ptr<Node>> parts;
    std::vector<Range> ranges;
    bool negated = false;
    bool folds = false;
    int least = 0;
    int most = -1;
    bool lazy = false;
    std::size_t group = 0;
    Op assertion = Op::match;
  };
  using Part = std::unique_ptr<Node>;

  struct Flags {
    bool folds = false;
    bool lines = false;
    bool dot_all = false;
    bool lazy = false;
  };

  // --- Reading ---

  bool take(std::string_view what) {
    if (!rest_.starts_with(what)) return false;
    rest_.remove_prefix(what.size());
    return true;
  }
  char32_t next_rune() {
    if (rest_.empty()) malformed();
    const Rune rune = decode(rest_);
    if (rune.code == kBadRune && rune.size == 1) malformed();
    rest_.remove_prefix(rune.size);
    return rune.code;
  }

  Part make(Node::Kind kind) const {
    auto node = std::make_unique<Node>();
    node->kind = kind;
    node->folds = flags_.folds;
    return node;
  }
  Part set_of(std::vector<Range> ranges, bool negated = false) const {
    auto node = make(Node::Kind::set);
    node->ranges = std::move(ranges);
    node->negated = negated;
    return node;
  }
  Part assertion(Op op) const {
    auto node = make(Node::Kind::assertion);
    node->assertion = op;
    return node;
  }

  Part alternation() {
    if (++nesting_ > kMostNesting) stop_at_limit("a regular expression is nested too deeply");
    // Flags that are set within a group end with it, and go on behind a bar.
    auto choice = make(Node::Kind::choice);
    do {
      choice->parts.push_back(sequence());
    } while (take("|"));
    --nesting_;
    if (choice->parts.size() == 1) return std::move(choice->parts.front());
    return choice;
  }

  Part sequence() {
    auto all = make(Node::Kind::sequence);
    while (!rest_.empty() && rest_[0] != '|' && rest_[0] != ')') {
      if (take("\\Q")) {
        while (!rest_.empty() && !take("\\E")) {
          const auto rune = next_rune();
          all->parts.push_back(set_of({{rune, rune}}));
          if (rest_.starts_with("\\E") || rest_.empty()) {
            // A repeat behind it goes with its last character.
            take("\\E");
            break;
          }
        }
        if (!all->parts.empty()) {
          auto last = std::move(all->parts.back());
          all->parts.back() = repeated(std::move(last));
        }
        continue;
      }
      auto part = atom();
      if (part) all->parts.push_back(repeated(std::move(part)));
    }
    return all;
  }

  std::optional<std::pair<int, int>> braces() {
    if (!rest_.starts_with('{')) return std::nullopt;
    const auto close = rest_.find('}');
    if (close == std::string_view::npos) return std::nullopt;
    const auto inner = rest_.substr(1, close - 1);
    const auto comma = inner.find(',');
    const auto number = [](std::string_view digits, int& out) {
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
      if (digits.empty() || digits.front() == '-' || end != digits.data() + digits.size()) return false;
      return error == std::errc() && (digits.size() == 1 || digits.front() != '0');
    };
    int least = 0;
    int most = -1;
    if (!number(inner.substr(0, comma), least)) return std::nullopt;
    if (comma == std::string_view::npos) {
      most = least;
    } else if (comma + 1 < inner.size() && !number(inner.substr(comma + 1), most)) {
      return std::nullopt;
    }
    if (least > kMostRepeats || most > kMostRepeats || (most >= 0 && most < least)) malformed();
    rest_.remove_prefix(close + 1);
    return std::pair(least, most);
  }

  Part repeated(Part part) {
    bool once = false;
    for (;;) {
      int least = 0;
      int most = -1;
      if (take("*")) {
      } else if (take("+")) {
        least = 1;
      } else if (take("?")) {
        most = 1;
      } else if (const auto both = braces()) {
        std::tie(least, most) = *both;
      } else {
        return part;
      }
      if (once) malformed();
      once = true;
      auto node = make(Node::Kind::repeat);
      node->least = least;
      node->most = most;
      node->lazy = take("?") != flags_.lazy;
      node->parts.push_back(std::move(part));
      part = std::move(node);
    }
  }

  /// Null for flags that stand alone.
  Part atom() {
    if (rest_[0] == '(') return parenthesis();
    if (rest_[0] == '[') return bracket();
    if (rest_[0] == '\\') return escape();
    if (take(".")) {
      if (flags_.dot_all) return set_of({{0, kLastRune}});
      return set_of({{'\n', '\n'}}, true);
    }
    if (take("^")) return assertion(flags_.lines ? Op::begin_line : Op::begin_text);
    if (take("$")) return assertion(flags_.lines ? Op::end_line : Op::end_text);
    if (rest_[0] == '*' || rest_[0] == '+' || rest_[0] == '?') malformed();
    const auto rune = next_rune();
    return set_of({{rune, rune}});
  }

  Part parenthesis() {
    take("(");
    const Flags outer = flags_;
    Part inner;
    if (take("?P<") || take("?<")) {
      const auto close = rest_.find('>');
      if (close == std::string_view::npos || close == 0) malformed();
      const auto name = rest_.substr(0, close);
      const bool plain = std::ranges::all_of(name, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x80 && (is_letter(byte) || is_digit(byte) || byte == '_');
      });
      const auto number = regex_.groups_;
      if (!plain || !regex_.names_.emplace(name, static_cast<int>(number)).second) malformed();
      rest_.remove_prefix(close + 1);
      inner = captured();
    } else if (take("?")) {
      if (read_flags()) {
        if (!take(")")) malformed();
        return nullptr;
      }
      inner = alternation();
    } else {
      inner = captured();
    }
    if (!take(")")) malformed();
    flags_ = outer;
    return inner;
  }

  Part captured() {
    auto group = make(Node::Kind::group);
    group->group = regex_.groups_++;
    group->parts.push_back(alternation());
    return group;
  }

  /// True when they stand alone, up to the parenthesis that closes them.
  bool read_flags() {
    bool value = true;
    for (;;) {
      const auto flag = next_rune();
      switch (flag) {
        case 'i':
          flags_.folds = value;
          break;
        case 'm':
          flags_.lines = value;
          break;
        case 's':
          flags_.dot_all = value;
          break;
        case 'U':
          flags_.lazy = value;
          break;
        case '-':
          if (!value) malformed();
          value = false;
          break;
        case ':':
          return false;
        case ')':
          rest_ = {rest_.data() - 1, rest_.size() + 1};
          return true;
        default:
          malformed();
      }
    }
  }

  /// \d and its like: the ranges, or those that are not.
  static bool perl_class(char32_t letter, std::vector<Range>& out, bool& negated) {
    const char32_t lower = letter | 0x20U;
    negated = letter != lower;
    if (lower == 'd') {
      out = {{'0', '9'}};
    } else if (lower == 'w') {
      out = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
    } else if (lower == 's') {
      out = {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}};
    } else {
      return false;
    }
    return true;
  }

  static std::vector<Range> complement(std::vector<Range> ranges) {
    std::ranges::sort(ranges, {}, &Range::first);
    std::vector<Range> out;
    char32_t next = 0;
    for (const auto& [first, last] : ranges) {
      if (first > next) out.push_back({next, first - 1});
      next = std::max<char32_t>(next, last + 1);
    }
    if (next <= kLastRune) out.push_back({next, kLastRune});
    return out;
  }

  /// \p{L}, after the p.
  std::vector<Range> unicode_class() {
    std::string_view name;
    if (take("{")) {
      const auto close = rest_.find('}');
      if (close == std::string_view::npos) malformed();
      name = rest_.substr(0, close);
      rest_.remove_prefix(close + 1);
    } else {
      name = rest_.substr(0, 1);
      if (!rest_.empty()) rest_.remove_prefix(1);
    }
    bool (*in)(char32_t) = nullptr;
    const bool negated = name.starts_with('^');
    if (negated) name.remove_prefix(1);
    if (name == "L") in = is_letter;
    if (name == "Lu") in = is_upper;
    if (name == "Ll") in = is_lower;
    if (name == "Nd") in = is_digit;
    if (in == nullptr) malformed();
    std::vector<Range> out;
    for (char32_t rune = 0; rune <= kLastRune; ++rune) {
      if (!in(rune)) continue;
      if (!out.empty() && out.back().last + 1 == rune) {
        out.back().last = rune;
      } else {
        out.push_back({rune, rune});
      }
    }
    return negated ? complement(std::move(out)) : out;
  }

  /// A character after a backslash.
  char32_t escaped() {
    const auto letter = next_rune();
    switch (letter) {
      case 'a':
        return 7;
      case 'f':
        return '\f';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'v':
        return '\v';
      case 'x': {
        std::string_view digits;
        if (take("{")) {
          const auto close = rest_.find('}');
          if (close == std::string_view::npos) malformed();
          digits = rest_.substr(0, close);
          rest_.remove_prefix(close + 1);
        } else {
          digits = rest_.substr(0, 2);
          if (digits.size() < 2) malformed();
          rest_.remove_prefix(2);
        }
        return number(digits, 16);
      }
      default:
        break;
    }
    if (letter >= '0' && letter <= '7') {
      // A digit but 0 alone would be a reference to a group, which there is not.
      std::size_t more = 0;
      while (more < 2 && more < rest_.size() && rest_[more] >= '0' && rest_[more] <= '7') ++more;
      if (letter != '0' && more == 0) malformed();
      char32_t code = letter - '0';
      for (std::size_t i = 0; i < more; ++i) code = code * 8 + static_cast<char32_t>(rest_[i] - '0');
      rest_.remove_prefix(more);
      return code;
    }
    if (letter >= 0x80 || is_letter(letter) || is_digit(letter)) malformed();
    return letter;
  }

  static char32_t number(std::string_view digits, int base) {
    std::uint32_t code = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, base);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || code > kLastRune) malformed();
    return code;
  }

  Part escape() {
    take("\\");
    if (rest_.empty()) malformed();
    std::vector<Range> ranges;
    bool negated = false;
    if (perl_class(static_cast<unsigned char>(rest_[0]), ranges, negated)) {
      rest_.remove_prefix(1);
      return set_of(std::move(ranges), negated);
    }
    if (take("A")) return assertion(Op::begin_text);
    if (take("z")) return assertion(Op::end_text);
    if (take("b")) return assertion(Op::word);
    if (take("B")) return assertion(Op::no_word);
    if (take("p")) return set_of(unicode_class());
    if (take("P")) return set_of(unicode_class(), true);
    const auto rune = escaped();
    return set_of({{rune, rune}});
  }

  bool posix_class(std::vector<Range>& out) {
    if (!rest_.starts_with("[:")) return false;
    const auto close = rest_.find(":]", 2);
    if (close == std::string_view::npos) return false;
    auto name = rest_.substr(2, close - 2);
    const bool negated = name.starts_with('^');
    if (negated) name.remove_prefix(1);
    struct Named {
      std::string_view name;
      std::vector<Range> ranges;
    };
    static const std::vector<Named> kNamed = {{"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
                                              {"alpha", {{'A', 'Z'}, {'a', 'z'}}},
                                              {"ascii", {{0, 0x7f}}},
                                              {"blank", {{'\t', '\t'}, {' ', ' '}}},
                                              {"cntrl", {{0, 0x1f}, {0x7f, 0x7f}}},
                                              {"digit", {{'0', '9'}}},
                                              {"graph", {{'!', '~'}}},
                                              {"lower", {{'a', 'z'}}},
                                              {"print", {{' ', '~'}}},
                                              {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
                                              {"space", {{'\t', '\r'}, {' ', ' '}}},
                                              {"upper", {{'A', 'Z'}}},
                                              {"word", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
                                              {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}}};
    const auto found = std::ranges::find(kNamed, name, &Named::name);
    if (found == kNamed.end()) malformed();
    const auto ranges = negated ? complement(found->ranges) : found->ranges;
    out.insert(out.end(), ranges.begin(), ranges.end());
    rest_.remove_prefix(close + 2);
    return true;
  }

  Part bracket() {
    take("[");
    const bool negated = take("^");
    std::vector<Range> ranges;
    bool first = true;
    while (first || !rest_.starts_with(']')) {
      if (rest_.empty()) malformed();
      // A dash is one at the ends only.
      if (rest_[0] == '-' && !first && rest_.size() > 1 && rest_[1] != ']') malformed();
      first = false;
      if (posix_class(ranges)) continue;
      if (rest_[0] == '\\' && rest_.size() > 1) {
        std::vector<Range> named;
        bool not_named = false;
        if (perl_class(static_cast<unsigned char>(rest_[1]), named, not_named)) {
          rest_.remove_prefix(2);
        } else if (rest_[1] == 'p' || rest_[1] == 'P') {
          not_named = rest_[1] == 'P';
          rest_.remove_prefix(2);
          named = unicode_class();
        }
        if (!named.empty()) {
          if (not_named) named = complement(std::move(named));
          ranges.insert(ranges.end(), named.begin(), named.end());
          continue;
        }
      }
      const auto low = class_rune();
      auto high = low;
      if (rest_.size() > 1 && rest_[0] == '-' && rest_[1] != ']') {
        take("-");
        high = class_rune();
        if (high < low) malformed();
      }
      ranges.push_back({low, high});
    }
    take("]");
    return set_of(std::move(ranges), negated);
  }

  char32_t class_rune() { return take("\\") ? escaped() : next_rune(); }

  // --- Writing ---

  std::size_t push(Regex::Instruction instruction) {
    auto& program = regex_.program_;
    if (program.size() >= Regex::kMostInstructions) stop_at_limit("a regular expression is too large");
    program.push_back(std::move(instruction));
    return program.size() - 1;
  }
  void emit_save(std::size_t place) {
    Regex::Instruction save;
    save.op = Op::save;
    save.x = place;
    push(std::move(save));
  }
  [[nodiscard]] std::size_t here() const { return regex_.program_.size(); }
  std::size_t push_op(Op op) {
    Regex::Instruction made;
    made.op = op;
    return push(std::move(made));
  }
  void branch(std::size_t at, std::size_t into, std::size_t past, bool lazy) {
    regex_.program_[at].x = lazy ? past : into;
    regex_.program_[at].y = lazy ? into : past;
  }

  void emit(const Node& node) {
    switch (node.kind) {
      case Node::Kind::empty:
        return;
      case Node::Kind::set: {
        Regex::Instruction set;
        set.op = Op::set;
        set.ranges = node.ranges;
        set.negated = node.negated;
        set.folds = node.folds;
        push(std::move(set));
        return;
      }
      case Node::Kind::sequence:
        for (const auto& part : node.parts) emit(*part);
        return;
      case Node::Kind::choice: {
        std::vector<std::size_t> ends;
        for (std::size_t i = 0; i < node.parts.size(); ++i) {
          const bool last = i + 1 == node.parts.size();
          const auto split = last ? 0 : push_op(Op::split);
          emit(*node.parts[i]);
          if (last) break;
          ends.push_back(push_op(Op::jump));
          branch(split, split + 1, here(), false);
        }
        for (const auto end : ends) regex_.program_[end].x = here();
        return;
      }
      case Node::Kind::group:
        emit_save(2 * node.group);
        emit(*node.parts[0]);
        emit_save(2 * node.group + 1);
        return;
      case Node::Kind::assertion:
        push_op(node.assertion);
        return;
      case Node::Kind::repeat:
        break;
    }
    const Node& part = *node.parts[0];
    for (int i = 0; i < node.least; ++i) emit(part);
    if (node.most < 0) {
      const auto split = push_op(Op::split);
      emit(part);
      regex_.program_[push_op(Op::jump)].x = split;
      branch(split, split + 1, here(), node.lazy);
      return;
    }
    std::vector<std::size_t> splits;
    for (int i = node.least; i < node.most; ++i) {
      splits.push_back(push_op(Op::split));
      emit(part);
    }
    for (const auto split : splits) branch(split, split + 1, here(), node.lazy);
  }

  std::string_view rest_;
  Flags flags_;
  int nesting_ = 0;
  Regex regex_;
};

Regex Regex::compile(std::string_view pattern) { return RegexCompiler(pattern).run(); }

bool Regex::holds(const Instruction& set, char32_t rune) {
  const auto in = [&](char32_t code) {
    return std::ranges::any_of(set.ranges,
                               [&](const Range& range) { return code >= range.first && code <= range.last; });
  };
  const bool found = in(rune) || (set.folds && (in(to_lower(rune)) || in(to_upper(rune))));
  return found != set.negated;
}

int Regex::group(std::string_view name) const {
  int number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error == std::errc() && end == name.data() + name.size()) {
    return number < static_cast<int>(groups_) ? number : -1;
  }
  const auto found = names_.find(name);
  return found == names_.end() ? -1 : found->second;
}

std::vector<std::size_t> Regex::find(Pool& pool, std::string_view text, std::size_t from) const {
  constexpr auto kNowhere = std::string_view::npos;
  if (from > text.size()) return {};
  const std::size_t width = text.size() - from + 1;
  if (width * program_.size() > kMostStates) stop_at_limit("a regular expression meets too long a text");
  // What was tried from a place and failed need not be tried again.
  std::vector<bool> tried(width * program_.size(), false);
  struct Step {
    std::size_t instruction;
    std::size_t at;
    std::size_t saved;  ///< What to put back into the place of `instruction`, when this is the way back of a save.
    bool restores;
  };
  std::vector<std::size_t> groups(2 * groups_, kNowhere);
  std::vector<Step> steps;
  for (std::size_t begin = from; begin <= text.size();) {
    steps.push_back({0, begin, 0, false});
    while (!steps.empty()) {
      auto [now, at, saved, restores] = steps.back();
      steps.pop_back();
      if (restores) {
        groups[now] = saved;
        continue;
      }
      for (bool goes_on = true; goes_on;) {
        pool.step();
        auto mark = tried[now * width + (at - from)];
        if (mark) break;
        mark = true;
        const Instruction& instruction = program_[now];
        const bool first = at == 0;
        const bool last = at == text.size();
        switch (instruction.op) {
          case Op::set: {
            const Rune rune = last ? Rune{} : decode(text.substr(at));
            goes_on = !last && holds(instruction, rune.code);
            at += rune.size;
            ++now;
            break;
          }
          case Op::split:
            steps.push_back({instruction.y, at, 0, false});
            now = instruction.x;
            break;
          case Op::jump:
            now = instruction.x;
            break;
          case Op::save:
            steps.push_back({instruction.x, 0, groups[instruction.x], true});
            groups[instruction.x] = at;
            ++now;
            break;
          case Op::begin_text:
            goes_on = first;
            ++now;
            break;
          case Op::end_text:
            goes_on = last;
            ++now;
            break;
          case Op::begin_line:
            goes_on = first || text[at - 1] == '\n';
            ++now;
            break;
          case Op::end_line:
            goes_on = last || text[at] == '\n';
            ++now;
            break;
          case Op::word:
          case Op::no_word: {
            const bool edge = (!first && is_word(text, at - 1)) != is_word(text, at);
            goes_on = edge == (instruction.op == Op::word);
            ++now;
            break;
          }
          case Op::match:
            return groups;
        }
      }
    }
    begin += begin < text.size() ? decode(text.substr(begin)).size : 1;
  }
  return {};
}

}  // namespace injector::render::templates
