#include "scanner/rules/run.h"

#include <algorithm>
#include <vector>

#include "scanner/rules/width.h"

namespace scanner::rules {
namespace {

using Node = Regex::Node;
using Kind = Regex::Node::Kind;

constexpr std::uint64_t kNoLimit = RegexShape::kNoLimit;

std::uint64_t minus(std::uint64_t a, std::uint64_t b) { return a == kNoLimit ? kNoLimit : a - b; }

/// What is known of every text that a part of a regex matches.
struct Known {
  std::uint64_t min = 0;  ///< Width in bytes.
  std::uint64_t max = 0;
  bool pure = true;          ///< All of it is of the alphabet, however long it is.
  std::uint64_t prefix = 0;  ///< It starts with at least so many bytes of the alphabet.
  std::uint64_t suffix = 0;
  std::uint64_t run = 0;     ///< Somewhere it holds at least so many in a row,
  std::uint64_t before = 0;  ///< with at most so much of the text in front of the whole run they are part of,
  std::uint64_t after = 0;   ///< and so much behind it.
};

Known pure(std::uint64_t min, std::uint64_t max) {
  return {.min = min, .max = max, .pure = true, .prefix = min, .suffix = min, .run = min, .before = 0, .after = 0};
}

void keep_longer(Known& known, std::uint64_t run, std::uint64_t before, std::uint64_t after) {
  const bool longer = run > known.run;
  const bool as_long_and_closer = run == known.run && plus(before, after) < plus(known.before, known.after);
  if (!longer && !as_long_and_closer) return;
  known.run = run;
  known.before = before;
  known.after = after;
}

/// `a` followed by `b`.
Known joined(const Known& a, const Known& b) {
  if (a.pure && b.pure) return pure(plus(a.min, b.min), plus(a.max, b.max));
  Known both;
  both.min = plus(a.min, b.min);
  both.max = plus(a.max, b.max);
  both.pure = false;
  both.prefix = a.pure ? plus(a.min, b.prefix) : a.prefix;
  both.suffix = b.pure ? plus(b.min, a.suffix) : b.suffix;
  both.run = a.run;
  both.before = a.before;
  both.after = plus(a.after, b.max);
  keep_longer(both, b.run, plus(a.max, b.before), b.after);
  keep_longer(both, plus(a.suffix, b.prefix), a.pure ? 0 : minus(a.max, a.suffix), b.pure ? 0 : minus(b.max, b.prefix));
  return both;
}

Known known_of(const Node& node, Alphabet alphabet);

Known known_of_set(const ByteSet& bytes, Alphabet alphabet) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (bytes[byte] && !in_alphabet(alphabet, static_cast<unsigned char>(byte))) {
      return {.min = 1, .max = 1, .pure = false, .before = 1};
    }
  }
  return pure(1, 1);
}

Known known_of_choice(const std::vector<Node>& branches, Alphabet alphabet) {
  Known either = known_of(branches.front(), alphabet);
  for (const Node& branch : branches) {
    const Known known = known_of(branch, alphabet);
    either.min = std::min(either.min, known.min);
    either.max = std::max(either.max, known.max);
    either.pure = either.pure && known.pure;
    either.prefix = std::min(either.prefix, known.prefix);
    either.suffix = std::min(either.suffix, known.suffix);
    either.run = std::min(either.run, known.run);
    either.before = std::max(either.before, known.before);
    either.after = std::max(either.after, known.after);
  }
  return either;
}

Known known_of_repeat(const Node& node, Alphabet alphabet) {
  const Known once = known_of(node.children.front(), alphabet);
  if (node.max == 0) return {};
  const bool open = node.max == Regex::kNoLimit && once.max > 0;
  const std::uint64_t max = open ? kNoLimit : times(once.max, node.max);
  if (once.pure) return pure(times(once.min, node.min), max);
  if (node.min == 0) return {.min = 0, .max = max, .pure = false, .before = max, .after = max};
  // Two copies hold every run that any number of copies is sure to hold.
  Known all = node.min > 1 ? joined(once, once) : once;
  all.min = times(once.min, node.min);
  all.max = max;
  if (node.max > 1) all.before = all.after = max;
  return all;
}

Known known_of(const Node& node, Alphabet alphabet) {
  switch (node.kind) {
    case Kind::set:
      return known_of_set(node.bytes, alphabet);
    case Kind::sequence: {
      Known whole;
      for (const Node& child : node.children) whole = joined(whole, known_of(child, alphabet));
      return whole;
    }
    case Kind::choice:
      return known_of_choice(node.children, alphabet);
    case Kind::repeat:
      return known_of_repeat(node, alphabet);
    default:
      return {};
  }
}

}  // namespace

Run run_of(const Regex& regex, Alphabet alphabet) {
  constexpr std::uint64_t kLargest = std::numeric_limits<std::uint32_t>::max();
  const Known known = known_of(regex.root, alphabet);
  if (known.run == 0 || known.run > kLargest || known.before > kLargest || known.after > kLargest) return {};
  return {static_cast<std::uint32_t>(known.run), static_cast<std::uint32_t>(known.before),
          static_cast<std::uint32_t>(known.after)};
}

}  // namespace scanner::rules
