#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/base/result.h"

namespace injector::config {

/// One node of a YAML document, as written: what it means is for whoever reads it to say.
struct Node {
  enum class Kind : std::uint8_t { scalar, sequence, mapping };
  /// What a YAML 1.1 reader makes of a scalar. Text in quotes is text whatever it looks like.
  enum class Scalar : std::uint8_t { text, null, boolean, integer, number, date };

  Kind kind = Kind::scalar;
  std::size_t line = 1;
  std::string text;  ///< A scalar's.
  Scalar scalar = Scalar::null;
  std::vector<Node> items;  ///< A sequence's.
  struct Member;
  std::vector<Member> members;  ///< A mapping's, in order, duplicates and all. Keys are text.

  [[nodiscard]] const Node* find(std::string_view key) const;  ///< The first member of that name, or null.
};

struct Node::Member {
  Node key;
  Node value;
};

inline constexpr std::size_t kMostText = 1UL << 20;
inline constexpr std::size_t kDeepest = 32;

/// Reads one document. `Errc::config` with the place ("name:12: ...") for the first thing that is no YAML, or that we
/// refuse to follow: anchors, aliases, tags, a second document, keys that are no plain text, deeper than kDeepest;
/// `Errc::limit` for more than kMostText. Never quotes the text.
scanner::base::Result<Node> parse_yaml(std::string_view text, const std::string& name);

}  // namespace injector::config
