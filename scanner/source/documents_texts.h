#pragma once

#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "scanner/base/json.h"
#include "scanner/base/result.h"
#include "scanner/source/documents.h"

namespace scanner::source {

/// The texts of one document as they are found: each of them once, and never more than a stated number.
class Texts {
 public:
  /// `name` is the document's, for Entry::path.
  explicit Texts(std::string name) : name_(std::move(name)) {}

  /// An empty text is left out, and one that is there already: same kind, field and history entry.
  void add(Kind kind, std::string_view field, std::string_view text, int history_index = -1) {
    add_pair(kind, field, {}, text, history_index);
  }
  /// The text "key=value"; just `value` without a key.
  void add_pair(Kind kind, std::string_view field, std::string_view key, std::string_view value,
                int history_index = -1);
  /// Every string of `value`, which stands under `key` at `pointer` (RFC 6901), as "key=value" under its nearest key
  /// with the pointer as field; and, as a text of its own, each key of an empty object (so Docker keeps ports and
  /// volumes). Digests, times and media types are left out. `pointer` comes back as it was.
  void add_all(Kind kind, std::string& pointer, std::string_view key, const base::Json& value, int history_index = -1);

  /// Fails with `Errc::limit` when there were more than 100 000 texts, or 16 MiB of them: some were left out.
  base::Result<std::vector<Text>> take() &&;

 private:
  using Key = std::tuple<Kind, int, std::string_view, std::string_view>;

  std::string name_;
  std::deque<Text> texts_;  ///< A deque, because `seen_` refers to what it holds.
  std::set<Key> seen_;
  std::size_t bytes_ = 0;
  bool full_ = false;
};

/// Appends a step to a JSON pointer for as long as it lives.
class PointerStep {
 public:
  PointerStep(std::string& pointer, std::string_view step);
  PointerStep(const PointerStep&) = delete;
  PointerStep& operator=(const PointerStep&) = delete;
  ~PointerStep() { pointer_.resize(length_); }

 private:
  std::string& pointer_;
  std::size_t length_;
};

/// The variable's name in "NAME=value"; empty when the text has no such form, for then it may be all secret.
std::string_view name_in(std::string_view assignment);

}  // namespace scanner::source
