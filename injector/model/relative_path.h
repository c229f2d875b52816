#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/base/result.h"

namespace injector {

/// Where a file stands beneath the mount: "db/password". A type of its own, because it cannot hold what would lead out.
///
/// Components are parted by one '/'; none is empty, "." or "..", none starts with ".." (those names are the
/// generations' own), none is longer than 255 bytes or holds a control character; at most 16 of them, 1,024 bytes in
/// all.
class RelativePath {
 public:
  /// No path yet; nothing can be delivered there.
  RelativePath() = default;
  /// `Errc::config` says what is wrong with it, without quoting it.
  static scanner::base::Result<RelativePath> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::vector<std::string_view> components() const;
  /// The first component: what an application sees in the mount.
  [[nodiscard]] std::string_view first() const;
  /// Whether this is a folder of `other`, or the same: two such files cannot both be.
  [[nodiscard]] bool contains(const RelativePath& other) const;

  friend auto operator<=>(const RelativePath&, const RelativePath&) = default;

 private:
  explicit RelativePath(std::string_view text) : text_(text) {}
  std::string text_;
};

}  // namespace injector
