#include "scanner/report/text.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/report/amounts.h"
#include "scanner/report/finding_text.h"
#include "scanner/report/gaps_text.h"
#include "scanner/report/layer_table.h"
#include "scanner/report/page.h"
#include "scanner/report/place.h"

namespace scanner::report {
namespace {

constexpr std::size_t kFindingsShown = 20;
constexpr std::size_t kStaleShown = 5;
constexpr unsigned kHeadColumns = 11;

Line head(std::string_view label) { return labelled(label, 2, kHeadColumns); }

std::vector<Span> image_items(const Page& page, const Report& report, const Image& image) {
  std::vector<Span> items = {page.item(image.name.empty() ? report.target : image.name, Ink::strong)};
  if (!image.platform.empty()) items.push_back(page.item(image.platform));
  if (!image.digest.empty()) items.push_back(page.item(shortened_digests(image.digest)));
  return items;
}

std::vector<Span> target_items(const Page& page, const Report& report) {
  if (report.images.size() == 1) return image_items(page, report, report.images.front());
  std::vector<Span> items = {page.path(report.target.empty() ? report.command : report.target, Ink::strong)};
  if (report.images.size() > 1) items.push_back(own(counted(report.images.size(), "image")));
  return items;
}

std::vector<Span> looked_at_items(const Report& report) {
  const Coverage& coverage = report.coverage;
  std::vector<Span> items;
  if (coverage.layers > 0) items.push_back(own(counted(coverage.layers, "layer")));
  items.push_back(own(counted(coverage.files, "file")));
  if (coverage.texts > 0) {
    items.push_back(own(coverage.texts == 1 ? "1 name or setting" : grouped(coverage.texts) + " names and settings"));
  }
  items.push_back(own(size_of(coverage.bytes)));
  items.push_back(own(counted(report.rules, "rule")));
  if (coverage.unselected_blobs > 0) {
    items.push_back(own(counted(coverage.unselected_blobs, "blob") + " of other images or platforms left out"));
  }
  items.push_back(own(time_of(report.duration_ms)));
  return items;
}

bool has_something_to_show(const Page& page, const Report& report, std::size_t image) {
  const auto lies_in = [&](const Location& location) { return location.image == static_cast<int>(image); };
  const auto found_in = [&](const Finding& finding) { return std::ranges::any_of(finding.locations, lies_in); };
  return page.shows_all() || report.images.size() == 1 || std::ranges::any_of(report.findings, found_in) ||
         !std::ranges::all_of(report.images[image].layers, &Layer::read);
}

void add_images(Page& page, const Report& report) {
  for (std::size_t i = 0; i < report.images.size(); ++i) {
    if (!has_something_to_show(page, report, i)) continue;
    page.blank();
    if (report.images.size() > 1) page.flow(head("image"), image_items(page, report, report.images[i]));
    add_layer_table(page, report, i);
  }
}

void add_findings(Page& page, const Report& report) {
  const auto& findings = report.findings;
  const std::size_t shown = page.shown_of(findings.size(), kFindingsShown);
  for (std::size_t i = 0; i < shown; ++i) add_finding(page, report, findings[i]);
  if (shown == findings.size()) return;
  page.blank();
  Line line;
  line.add("  ").add(page.marks().ellipsis).add(" " + grouped(findings.size() - shown) + " more: --all");
  page.add(line);
}

void add_stale_ignores(Page& page, const Report& report) {
  const auto& stale = report.stale_ignores;
  if (stale.empty()) return;
  std::vector<Span> items = {
      own(stale.size() == 1 ? "1 ignore entry meets nothing" : grouped(stale.size()) + " ignore entries meet nothing")};
  const std::size_t shown = page.shown_of(stale.size(), kStaleShown);
  for (std::size_t i = 0; i < shown; ++i) items.push_back(page.item(stale[i]));
  if (shown < stale.size()) items.push_back(own("and " + grouped(stale.size() - shown) + " more"));
  page.flow(head("ignores"), items);
}

bool fails(const Report& report, const Finding& finding) {
  return !report.fail_on || finding.severity >= *report.fail_on;
}

// "3 secrets · 1 critical · 2 high": the verdict of a run that found something.
std::vector<Span> found_items(const Report& report, Ink ink) {
  Counts counts{};
  for (const Finding& finding : report.findings) ++counts[static_cast<std::size_t>(finding.severity)];
  std::vector<Span> items = {own(counted(report.findings.size(), "secret"), ink)};
  for (const Severity severity : {Severity::critical, Severity::high, Severity::medium, Severity::low}) {
    const std::size_t count = counts[static_cast<std::size_t>(severity)];
    if (count > 0) items.push_back(own(grouped(count).append(" ").append(to_string(severity)), ink_of(severity)));
  }
  return items;
}

void add_verdict(Page& page, const Report& report) {
  const bool complete = report.coverage.complete();
  const std::uint64_t gaps = gaps_of(report.coverage);
  const std::string not_read = counted(gaps, "place") + (gaps == 1 ? " was" : " were") + " not read";
  const bool fresh = report.in_baseline + report.ignored == 0;

  std::string_view mark = page.marks().bad;
  Ink ink = Ink::medium;
  std::vector<Span> items;
  if (!report.findings.empty()) {
    const bool failing = std::ranges::any_of(report.findings, [&](const Finding& one) { return fails(report, one); });
    ink = failing ? Ink::critical : Ink::medium;
    items = found_items(report, ink);
    if (!failing) {
      mark = page.marks().part;
      items.push_back(own(std::string("none at or above ").append(to_string(*report.fail_on))));
    }
    if (!complete) items.push_back(own("incomplete: " + not_read, Ink::medium));
  } else if (complete) {
    mark = page.marks().good;
    ink = Ink::good;
    items = {own(fresh ? "clean: no secrets found" : "clean: no new secrets found", ink)};
  } else {
    items = {own("INCOMPLETE: " + not_read, ink), own("no secrets in the rest")};
  }
  if (report.in_baseline > 0) items.push_back(own(grouped(report.in_baseline) + " in the baseline"));
  if (report.ignored > 0) items.push_back(own(grouped(report.ignored) + " ignored"));
  items.push_back(own("exit " + std::to_string(report.exit_code), Ink::strong));
  page.flow(Line().add("  ").add(mark, ink).add(" "), items);
}

}  // namespace

std::string render_text(const Report& report, const Style& style) {
  Page page(style);
  const bool brief = report.findings.empty() && report.coverage.complete() && !style.all;
  std::vector<Span> target = target_items(page, report);
  const std::vector<Span> looked_at = looked_at_items(report);
  if (brief) {
    target.insert(target.end(), looked_at.begin(), looked_at.end());
    page.flow(head("scanned"), target);
  } else {
    page.flow(head(report.images.empty() ? "target" : "image"), target);
    page.flow(head("scanned"), looked_at);
    add_images(page, report);
    add_findings(page, report);
    add_gaps(page, report.coverage);
    page.blank();
  }
  add_other_skips(page, report.coverage);
  add_stale_ignores(page, report);
  add_verdict(page, report);
  return page.text();
}

}  // namespace scanner::report
