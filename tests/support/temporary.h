#pragma once

#include <string>
#include <string_view>

#include "scanner/base/fd.h"

namespace tests {

/// A directory of its own, removed with everything in it at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  /// Writes a file, its folders too; gives its path.
  [[maybe_unused]] std::string write(const std::string& name, std::string_view content) const;
  /// The directory, opened.
  [[nodiscard]] scanner::base::Fd open() const;

 private:
  std::string path_;
};

/// The whole file.
std::string contents_of(const std::string& path);

/// A descriptor of an unnamed file with these bytes, to be read from its start.
scanner::base::Fd file_with(std::string_view bytes);

}  // namespace tests
