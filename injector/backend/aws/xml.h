#pragma once

#include <string_view>
#include <vector>

#include "injector/memory/secret.h"
#include "scanner/base/result.h"

namespace injector::backend::aws {

/// The leaves of an XML answer of STS: elements that hold text and no elements.
///
/// A strict reader of the little that AWS' query protocol sends: an optional declaration, elements, attributes
/// (skipped), text, the five named entities and numeric ones. A DOCTYPE, a comment, CDATA, a processing instruction,
/// mixed content or an unbalanced tag is `Errc::corrupt`; more than 16 levels or 1,000 elements is `Errc::limit`.
/// Errors give the offset, never text.
class XmlLeaves {
 public:
  static scanner::base::Result<XmlLeaves> parse(const memory::Secret& text);

  /// The text of the first leaf of that path below the root: "AssumeRoleWithWebIdentityResult/Credentials/AccessKeyId".
  /// Empty when there is none. A view into this.
  [[nodiscard]] std::string_view at(std::string_view path) const;
  [[nodiscard]] const std::string& root() const { return root_; }
  [[nodiscard]] std::size_t size() const { return leaves_.size(); }

 private:
  struct Leaf {
    std::string path;
    memory::Secret text;
  };
  std::string root_;
  std::vector<Leaf> leaves_;
  friend class XmlReader;
};

}  // namespace injector::backend::aws
