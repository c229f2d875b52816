#include "scanner/judge/settle.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "scanner/judge/compiled_rules.h"

namespace scanner::judge {
namespace {

std::uint64_t distance(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : b - a; }

/// All hits by rule and line, to find companions in.
class Places {
 public:
  explicit Places(const std::vector<Record>& records) {
    for (const Record& record : records) places_.push_back({record.hit.rule, record.hit.line, record.hit.column});
    std::sort(places_.begin(), places_.end());
  }

  [[nodiscard]] bool any_near(const Hit& hit, std::uint32_t rule, const Required& required) const {
    const std::uint64_t reach = required.within_lines.value_or(UINT32_MAX);
    const std::uint64_t first_line = hit.line - std::min(hit.line, reach);
    auto place = std::lower_bound(places_.begin(), places_.end(), Place{rule, first_line, 0});
    for (; place != places_.end() && std::get<0>(*place) == rule; ++place) {
      const auto [number, line, column] = *place;
      if (required.within_lines && distance(line, hit.line) > reach) break;
      if (required.within_columns && distance(column, hit.column) > *required.within_columns) continue;
      return true;
    }
    return false;
  }

 private:
  using Place = std::tuple<std::uint32_t, std::uint64_t, std::uint64_t>;
  std::vector<Place> places_;
};

bool has_companions(const Hit& hit, const CompiledRule& rule, const Places& places) {
  for (std::size_t i = 0; i < rule.required.size(); ++i) {
    if (!places.any_near(hit, rule.required[i], rule.source->required[i])) return false;
  }
  return true;
}

/// The spans of secrets whose issuer is known.
class Named {
 public:
  void add(const Hit& hit) { spans_.push_back({hit.offset, hit.end_offset}); }
  /// Once all are added.
  void order() {
    std::sort(spans_.begin(), spans_.end());
    std::uint64_t furthest = 0;
    for (auto& [begin, end] : spans_) end = furthest = std::max(furthest, end);
  }
  [[nodiscard]] bool overlap(const Hit& hit) const {
    const auto after = std::lower_bound(spans_.begin(), spans_.end(), std::pair{hit.end_offset, std::uint64_t{0}});
    return after != spans_.begin() && std::prev(after)->second > hit.offset;
  }

 private:
  std::vector<std::pair<std::uint64_t, std::uint64_t>> spans_;
};

}  // namespace

void settle(std::vector<Record>& records, const Judge::Impl& judge, Verdict& verdict) {
  const Places places(records);
  std::vector<bool> kept(records.size());
  Named named;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Hit& hit = records[i].hit;
    const CompiledRule& rule = judge.rules[hit.rule];
    kept[i] = !rule.source->skip_report && has_companions(hit, rule, places);
    if (kept[i] && !rule.source->generic) named.add(hit);
  }
  named.order();
  for (std::size_t i = 0; i < records.size(); ++i) {
    Record& record = records[i];
    if (!kept[i]) continue;
    if (judge.rules[record.hit.rule].source->generic) {
      const auto& inside = record.inside;
      if (named.overlap(record.hit)) continue;
      if (std::any_of(inside.begin(), inside.end(), [&](std::uint32_t other) { return kept[other]; })) continue;
    }
    if (record.ignored) {
      ++verdict.ignored;
    } else {
      verdict.hits.push_back(std::move(record.hit));
    }
  }
  std::sort(verdict.hits.begin(), verdict.hits.end(), [](const Hit& a, const Hit& b) {
    return std::tuple(a.offset, a.end_offset, a.rule) < std::tuple(b.offset, b.end_offset, b.rule);
  });
}

}  // namespace scanner::judge
