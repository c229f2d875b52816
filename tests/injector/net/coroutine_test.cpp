#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <string>

#include "tests/support/temporary.h"

namespace {

/// GCC 12 miscompiles a coroutine that waits in a condition while its outermost block declares no variable: its
/// parameters are lost. Seen with `if (co_await sleep_for(time) == Woken::cancelled) co_return ...;` as the first
/// statement.
TEST(Coroutines, WaitInNoCondition) {
  const std::regex keyword(R"(\b(if|while) \()");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(PROJECT_ROOT "/injector")) {
    if (entry.path().extension() != ".cpp" && entry.path().extension() != ".h") continue;
    const std::string text = tests::contents_of(entry.path().string());
    for (std::sregex_iterator at(text.begin(), text.end(), keyword), end; at != end; ++at) {
      const auto open = static_cast<std::size_t>(at->position() + at->length());
      std::size_t close = open;
      for (int depth = 1; close < text.size() && depth > 0; ++close) {
        depth += text[close] == '(' ? 1 : text[close] == ')' ? -1 : 0;
      }
      const std::string condition = text.substr(open, close - open);
      EXPECT_EQ(condition.find("co_await"), std::string::npos) << entry.path() << ": (" << condition;
    }
  }
}

}  // namespace
