#include "scanner/rules/shape.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "scanner/rules/run.h"
#include "scanner/rules/width.h"

namespace scanner::rules {
namespace {

using Node = Regex::Node;
using Kind = Regex::Node::Kind;
using Texts = std::set<std::string>;

// What is spelled out: classes of a few bytes, sets of a few texts. Hyperscan makes much the same choice.
constexpr std::size_t kMaxClass = 8;
constexpr std::size_t kMaxTexts = 32;
constexpr std::size_t kMaxTextLength = 256;

constexpr std::uint64_t kNoLimit = RegexShape::kNoLimit;

struct Width {
  std::uint64_t min = 0;
  std::uint64_t max = 0;
};

Width width_of(const Node& node) {
  switch (node.kind) {
    case Kind::set:
      return {1, 1};
    case Kind::sequence: {
      Width sum;
      for (const Node& child : node.children) {
        const Width width = width_of(child);
        sum = {plus(sum.min, width.min), plus(sum.max, width.max)};
      }
      return sum;
    }
    case Kind::choice: {
      Width either = width_of(node.children.front());
      for (const Node& child : node.children) {
        const Width width = width_of(child);
        either = {std::min(either.min, width.min), std::max(either.max, width.max)};
      }
      return either;
    }
    case Kind::repeat: {
      const Width once = width_of(node.children.front());
      const std::uint64_t most = node.max == Regex::kNoLimit && once.max > 0 ? kNoLimit : node.max;
      return {times(once.min, node.min), most == kNoLimit ? kNoLimit : times(once.max, most)};
    }
    default:
      return {};
  }
}

/// Some set of texts of which every match contains one, by its shortest member.
struct Weakest {
  std::string text;
  std::size_t count = 0;

  [[nodiscard]] bool worse_than(const Weakest& other) const {
    if (text.size() != other.text.size()) return text.size() < other.text.size();
    return count > other.count;
  }
};

Weakest weakest_of(const Texts& texts) {
  if (texts.empty()) return {};
  const auto shorter = [](const std::string& a, const std::string& b) { return a.size() < b.size(); };
  const std::string& text = *std::min_element(texts.begin(), texts.end(), shorter);
  return text.empty() ? Weakest{} : Weakest{text, texts.size()};
}

/// What is known of the texts that a node matches. A match starts with one of `prefixes`, ends with one of `suffixes`;
/// when `exact`, it is one of `prefixes`.
struct Known {
  bool exact = false;
  Texts prefixes = {""};
  Texts suffixes = {""};
  Weakest within;
};

Known exactly(Texts texts) {
  Known known{.exact = true, .prefixes = std::move(texts), .suffixes = {}, .within = {}};
  known.suffixes = known.prefixes;
  known.within = weakest_of(known.prefixes);
  return known;
}

/// Every text of `a` followed by every text of `b`; nothing when that is too much to keep.
std::optional<Texts> joined(const Texts& a, const Texts& b) {
  if (a.size() * b.size() > kMaxTexts) return std::nullopt;
  Texts result;
  for (const std::string& front : a) {
    for (const std::string& back : b) {
      if (front.size() + back.size() > kMaxTextLength) return std::nullopt;
      result.insert(front + back);
    }
  }
  return result;
}

void improve(Weakest& best, const Weakest& other) {
  if (best.worse_than(other)) best = other;
}

Known known_of(const Node& node);

Known known_of_set(const ByteSet& bytes) {
  Texts texts;
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (!bytes[byte]) continue;
    const bool upper = byte >= 'A' && byte <= 'Z';
    texts.insert(std::string(1, static_cast<char>(static_cast<unsigned char>(upper ? byte + ('a' - 'A') : byte))));
    if (texts.size() > kMaxClass) return {};
  }
  return exactly(std::move(texts));
}

/// `part` after what is known so far; `run` are the texts that the sequence may end in up to here.
void append(Known& whole, Texts& run, const Known& part) {
  improve(whole.within, part.within);
  std::optional<Texts> longer = joined(run, part.prefixes);
  if (whole.exact) {
    whole.prefixes = longer ? *longer : run;
    whole.exact = longer && part.exact;
  }
  improve(whole.within, weakest_of(longer ? *longer : run));
  if (longer && part.exact) {
    run = std::move(*longer);
  } else {
    run = part.suffixes;
  }
}

Known known_of_sequence(const std::vector<Node>& parts) {
  Known whole = exactly({""});
  Texts run = {""};
  for (const Node& part : parts) append(whole, run, known_of(part));
  whole.suffixes = std::move(run);
  return whole;
}

Known known_of_choice(const std::vector<Node>& branches) {
  Known either{.exact = true, .prefixes = {}, .suffixes = {}, .within = {}};
  bool every = true;
  Texts weakest;
  std::size_t count = 0;
  for (const Node& branch : branches) {
    Known known = known_of(branch);
    either.exact = either.exact && known.exact;
    either.prefixes.merge(known.prefixes);
    either.suffixes.merge(known.suffixes);
    every = every && !known.within.text.empty();
    count += known.within.count;
    weakest.insert(std::move(known.within.text));
  }
  if (every) either.within = {weakest_of(weakest).text, count == branches.size() ? weakest.size() : count};
  if (either.prefixes.size() > kMaxTexts) {
    either.exact = false;
    either.prefixes = {""};
  }
  if (either.suffixes.size() > kMaxTexts) either.suffixes = {""};
  return either;
}

Known known_of_repeat(const Node& node) {
  const Known once = known_of(node.children.front());
  if (node.min == 0) return node.max == 0 ? exactly({""}) : Known{};
  Known whole = exactly({""});
  Texts run = {""};
  // Beyond this many, a text that is kept would be too long anyway.
  const auto rounds = std::min<std::uint32_t>(node.min, kMaxTextLength + 1);
  for (std::uint32_t round = 0; round < rounds; ++round) append(whole, run, once);
  whole.suffixes = std::move(run);
  if (node.max != node.min || rounds != node.min) whole.exact = false;
  return whole;
}

Known known_of(const Node& node) {
  switch (node.kind) {
    case Kind::set:
      return known_of_set(node.bytes);
    case Kind::sequence:
      return known_of_sequence(node.children);
    case Kind::choice:
      return known_of_choice(node.children);
    case Kind::repeat:
      return known_of_repeat(node);
    default:
      return exactly({""});
  }
}

bool holds_letter_or_digit(const ByteSet& bytes) {
  for (unsigned byte = '0'; byte <= 'z'; ++byte) {
    const bool inside = byte <= '9' || (byte >= 'A' && byte <= 'Z') || byte >= 'a';
    if (inside && bytes[byte]) return true;
  }
  return false;
}

bool is_fixed(const Node& node) {
  const Known known = known_of_set(node.bytes);
  return known.exact && known.prefixes.size() == 1;
}

bool is_mark(const Node& node) { return node.kind == Kind::set && !holds_letter_or_digit(node.bytes); }

bool terminated(const Node& node) {
  switch (node.kind) {
    case Kind::end:
    case Kind::boundary:
      return true;
    case Kind::set:
      return is_fixed(node) || is_mark(node);
    case Kind::sequence: {
      if (node.children.empty()) return false;
      const Node& last = node.children.back();
      // An escaped end of line, as in \\[nr], is one byte that stands behind a mark.
      const bool behind_mark = node.children.size() > 1 && is_mark(node.children[node.children.size() - 2]);
      return terminated(last) || (last.kind == Kind::set && behind_mark);
    }
    case Kind::choice:
      return std::ranges::all_of(node.children, terminated);
    case Kind::repeat:
      return node.min > 0 && terminated(node.children.front());
    default:
      return false;
  }
}

bool is_assertion(const Node& node) {
  return node.kind == Kind::start || node.kind == Kind::end || node.kind == Kind::boundary;
}

bool leading_optional(const Node& node) {
  switch (node.kind) {
    case Kind::nothing:
      return true;
    case Kind::sequence: {
      const auto first = std::ranges::find_if_not(node.children, is_assertion);
      return first != node.children.end() ? leading_optional(*first) : node.children.empty();
    }
    case Kind::choice:
      return std::ranges::any_of(node.children, leading_optional);
    case Kind::repeat:
      return node.min == 0 || leading_optional(node.children.front());
    default:
      return false;
  }
}

}  // namespace

RegexShape shape_of(const Regex& regex) {
  const Width width = width_of(regex.root);
  Weakest literal = known_of(regex.root).within;
  return {
      .literal = std::move(literal.text),
      .literals = literal.count,
      .min_width = width.min,
      .max_width = width.max,
      .terminated = terminated(regex.root),
      .leading_optional = leading_optional(regex.root),
      .groups = regex.groups,
      .runs = {run_of(regex, Alphabet::word), run_of(regex, Alphabet::token)},
  };
}

base::Result<RegexShape> shape_of(std::string_view regex) {
  const auto parsed = parse_regex(regex);
  if (!parsed) return base::fail(parsed.error());
  return shape_of(*parsed);
}

}  // namespace scanner::rules
