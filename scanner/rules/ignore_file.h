#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/model/rule.h"
#include "scanner/rules/loader.h"

namespace scanner::rules {

/// One finding that shall not be reported: named by its fingerprint, or by file, rule and line.
struct Ignore {
  std::string fingerprint;  ///< "v1:…"; then the rest is empty.
  std::string commit;       ///< Lower-case hex; empty: whatever the commit.
  std::string path;         ///< With '/', without "./" or '/' in front; '!' before each member of an archive.
  std::string rule;
  std::uint64_t line = 0;
  Origin origin;
};

/// The content of a `.gitleaksignore`: lines `file:rule:line` or `commit:file:rule:line`, `#` comments, and lines with
/// a fingerprint of ours, which may be followed by a comment. A line it does not understand ignores nothing.
class IgnoreFile {
 public:
  /// `file` is the name that messages use.
  static IgnoreFile parse(std::string_view text, const std::string& file);

  [[nodiscard]] const std::vector<Ignore>& ignores() const { return ignores_; }
  /// The lines that are none of the above.
  [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }

  /// Positions in `ignores()` of all that name this finding, so that those which never meet one can be told. `path` as
  /// Entry::path, with '!' and each inner member behind it. An ignore with a commit is for the history of a repository
  /// alone: it names none of these.
  [[nodiscard]] std::vector<std::size_t> matching(std::string_view path, std::string_view rule, std::uint64_t line,
                                                  std::string_view fingerprint) const;

 private:
  void add(Ignore ignore);

  std::vector<Ignore> ignores_;
  std::vector<Problem> problems_;
  std::multimap<std::string, std::size_t, std::less<>> by_key_;
};

}  // namespace scanner::rules
