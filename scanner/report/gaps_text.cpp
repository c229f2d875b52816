#include "scanner/report/gaps_text.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/report/amounts.h"
#include "scanner/report/place.h"

namespace scanner::report {
namespace {

constexpr std::size_t kSkipsShown = 10;
constexpr unsigned kReasonColumns = 21;
constexpr unsigned kHeadColumns = 11;

bool is_gap(const Skipped& one) { return !leaves_complete(one.reason); }

void add_skip(Page& page, const Skipped& one) {
  std::string reason(to_string(one.reason));
  std::ranges::replace(reason, '_', ' ');
  std::vector<Span> items = {page.path(shortened_digests(one.place))};
  if (!one.detail.empty()) items.push_back(page.item(one.detail));
  if (one.bytes > 0) items.push_back(own(size_of(one.bytes)));
  page.flow(labelled(reason, 4, kReasonColumns), items);
}

void add_skips_for(Page& page, const Coverage& coverage, SkipReason reason, std::string_view label,
                   std::string_view what) {
  const auto count = static_cast<std::uint64_t>(std::ranges::count(coverage.skipped, reason, &Skipped::reason));
  if (count == 0) return;
  Line line = labelled(label, 2, kHeadColumns);
  page.add(line.add(counted(count, "place")).add(what).add(page.shows_all() ? ":" : ": --all lists them"));
  for (const Skipped& one : coverage.skipped) {
    if (page.shows_all() && one.reason == reason) add_skip(page, one);
  }
}

}  // namespace

std::uint64_t gaps_of(const Coverage& coverage) {
  return coverage.more_skipped + static_cast<std::uint64_t>(std::ranges::count_if(coverage.skipped, is_gap));
}

void add_gaps(Page& page, const Coverage& coverage) {
  const std::uint64_t gaps = gaps_of(coverage);
  if (gaps == 0) return;
  page.blank();
  Line line;
  page.add(line.add("  ").add(page.marks().part, Ink::medium).add(" not read: " + counted(gaps, "place"), Ink::medium));
  std::size_t left = page.shown_of(coverage.skipped.size(), kSkipsShown);
  std::uint64_t shown = 0;
  for (const Skipped& one : coverage.skipped) {
    if (!is_gap(one) || left == 0) continue;
    add_skip(page, one);
    ++shown;
    --left;
  }
  if (shown == gaps) return;
  page.add(
      Line().add("    and " + grouped(gaps - shown) + " more").add(page.shows_all() ? ", only counted" : ": --all"));
}

void add_other_skips(Page& page, const Coverage& coverage) {
  add_skips_for(page, coverage, SkipReason::raw_only, "as it is", " searched without being opened");
  add_skips_for(page, coverage, SkipReason::excluded, "left out", " on purpose");
}

}  // namespace scanner::report
