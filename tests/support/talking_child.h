#pragma once

#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

namespace tests {

/// A helper program of the tests that answers each line on its stdin with one line on its stdout, and ends when its
/// stdin does. Its stderr is ours.
class TalkingChild {
 public:
  explicit TalkingChild(const std::vector<std::string>& command);
  TalkingChild(const TalkingChild&) = delete;
  TalkingChild& operator=(const TalkingChild&) = delete;
  /// Ends it and waits for that.
  ~TalkingChild();

  /// The next line; empty when it has ended.
  std::string line();
  /// Its answer to `text`.
  std::string tell(const std::string& text);

 private:
  pid_t child_ = -1;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
};

}  // namespace tests
