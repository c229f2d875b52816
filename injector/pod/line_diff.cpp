#include "injector/pod/line_diff.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace injector::pod {
namespace {

constexpr std::size_t kContext = 3;
/// Beyond this the middle counts as changed as a whole: comparing takes as much memory as the product of its lines.
constexpr std::size_t kMostCells = 16UL << 20;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto feed = text.find('\n');
    out.push_back(text.substr(0, feed));
    if (feed == std::string_view::npos) break;
    text.remove_prefix(feed + 1);
  }
  return out;
}

struct Edit {
  char sign;  ///< ' ', '-', '+'
  std::string_view line;
};

/// The longest common subsequence of what lies between the ends that are the same.
std::vector<Edit> edits(const std::vector<std::string_view>& a, const std::vector<std::string_view>& b) {
  std::size_t head = 0;
  while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
  std::size_t tail = 0;
  while (tail < a.size() - head && tail < b.size() - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  const std::size_t n = a.size() - head - tail;
  const std::size_t m = b.size() - head - tail;
  std::vector<Edit> out;
  for (std::size_t i = 0; i < head; ++i) out.push_back({' ', a[i]});
  std::vector<std::uint32_t> common;
  const bool compare = n > 0 && m > 0 && (n + 1) * (m + 1) <= kMostCells;
  const auto at = [&](std::size_t i, std::size_t j) -> std::uint32_t& { return common[i * (m + 1) + j]; };
  if (compare) {
    common.assign((n + 1) * (m + 1), 0);
    for (std::size_t i = n; i-- > 0;) {
      for (std::size_t j = m; j-- > 0;)
        at(i, j) = a[head + i] == b[head + j] ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
    }
  }
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < n || j < m) {
    if (compare && i < n && j < m && a[head + i] == b[head + j]) {
      out.push_back({' ', a[head + i]});
      ++i;
      ++j;
    } else if (i < n && (j == m || !compare || at(i + 1, j) >= at(i, j + 1))) {
      out.push_back({'-', a[head + i++]});
    } else {
      out.push_back({'+', b[head + j++]});
    }
  }
  for (std::size_t k = 0; k < tail; ++k) out.push_back({' ', a[a.size() - tail + k]});
  return out;
}

}  // namespace

std::string line_diff(std::string_view a, std::string_view b, const std::string& before, const std::string& after) {
  const auto all = edits(lines_of(a), lines_of(b));
  std::string out;
  std::size_t line_a = 1;
  std::size_t line_b = 1;
  std::size_t i = 0;
  while (i < all.size()) {
    if (all[i].sign == ' ') {
      const auto next = std::find_if(all.begin() + static_cast<std::ptrdiff_t>(i), all.end(),
                                     [](const Edit& each) { return each.sign != ' '; });
      const auto steps = static_cast<std::size_t>(next - all.begin()) - i;
      if (next == all.end()) break;
      const std::size_t skip = steps > kContext ? steps - kContext : 0;
      i += skip;
      line_a += skip;
      line_b += skip;
    }
    // A hunk ends where more lines are the same than the contexts of two hunks hold.
    std::size_t end = i;
    std::size_t same = 0;
    for (std::size_t k = i; k < all.size(); ++k) {
      same = all[k].sign == ' ' ? same + 1 : 0;
      if (all[k].sign != ' ') end = k + 1;
      if (same > 2 * kContext && end > i) break;
    }
    end = std::min(all.size(), end + kContext);
    std::size_t count_a = 0;
    std::size_t count_b = 0;
    std::string body;
    for (std::size_t k = i; k < end; ++k) {
      count_a += all[k].sign == '+' ? 0U : 1U;
      count_b += all[k].sign == '-' ? 0U : 1U;
      body += all[k].sign;
      body += all[k].line;
      body += '\n';
    }
    if (out.empty()) out.append("--- ").append(before).append("\n+++ ").append(after).append("\n");
    const auto range = [](std::size_t line, std::size_t count) {
      return std::to_string(count == 0 ? line - 1 : line) + (count == 1 ? "" : "," + std::to_string(count));
    };
    out += "@@ -" + range(line_a, count_a) + " +" + range(line_b, count_b) + " @@\n" + body;
    line_a += count_a;
    line_b += count_b;
    i = end;
  }
  return out;
}

}  // namespace injector::pod
