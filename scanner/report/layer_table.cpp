#include "scanner/report/layer_table.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "scanner/report/amounts.h"
#include "scanner/report/instruction.h"
#include "scanner/report/place.h"

namespace scanner::report {
namespace {

constexpr unsigned kDigestColumns = 12;
constexpr unsigned kSizeColumns = 8;
constexpr std::size_t kChangesShown = 3;
constexpr unsigned kBaseColumns = 4;
constexpr unsigned kSmallestCreatedBy = 16;
constexpr unsigned kIndent = 2;
constexpr unsigned kGap = 2;
constexpr int kConfiguration = -1;

struct Row {
  std::string number;
  std::string layer;
  std::string size;
  std::string created_by;
  bool base = false;
  Span found;
  std::vector<std::string> changes;  // "deletes 4:/app/.env"
};

// Findings a layer, by its index; kConfiguration for the configuration.
std::map<int, Counts> findings_by_layer(const Report& report, int image) {
  std::map<int, Counts> counts;
  for (const Finding& finding : report.findings) {
    std::set<int> layers;
    for (const Location& location : finding.locations) {
      if (location.image == image) layers.insert(std::max(location.layer, kConfiguration));
    }
    for (const int layer : layers) ++counts[layer][static_cast<std::size_t>(finding.severity)];
  }
  return counts;
}

// What each layer took away of what was found below it, without repeats.
std::map<int, std::set<std::string>> changes_by_layer(const Report& report, int image) {
  std::map<int, std::set<std::string>> changes;
  for (const Finding& finding : report.findings) {
    for (const Location& location : finding.locations) {
      if (location.image != image || location.changed_in < 0) continue;
      const std::string_view verb = location.state == State::deleted ? "deletes " : "overwrites ";
      changes[location.changed_in].insert(std::string(verb) + std::to_string(location.layer + 1) + ":/" +
                                          path_of(location));
    }
  }
  return changes;
}

// "● 2 critical +1": the worst, and how many more.
Span found_span(const Counts& counts, Charset charset) {
  const std::size_t total = std::accumulate(counts.begin(), counts.end(), std::size_t{0});
  if (total == 0) return own(marks(charset).none, Ink::faint);
  std::size_t worst = counts.size() - 1;
  while (counts[worst] == 0) --worst;
  const auto severity = static_cast<Severity>(worst);
  std::string words(mark_of(severity, charset));
  words.append(" ").append(std::to_string(counts[worst])).append(" ").append(to_string(severity));
  if (total > counts[worst]) words += " +" + std::to_string(total - counts[worst]);
  return own(words, ink_of(severity));
}

// Which parts of the configuration hold something: "ENV DB_PASSWORD, history[3]".
std::string configuration_places(const Report& report, int image) {
  std::vector<std::string> places;
  for (const Finding& finding : report.findings) {
    for (const Location& location : finding.locations) {
      if (location.image != image || location.layer >= 0) continue;
      std::string place = place_of(location);
      if (std::ranges::find(places, place) == places.end()) places.push_back(std::move(place));
      if (places.size() == kChangesShown) return places[0] + ", " + places[1] + ", " + places[2];
    }
  }
  std::string all;
  for (const std::string& place : places) all.append(all.empty() ? "" : ", ").append(place);
  return all;
}

std::vector<std::string> first_of(const std::set<std::string>& changes) {
  std::vector<std::string> shown;
  for (const std::string& change : changes) {
    if (shown.size() == kChangesShown) {
      shown.push_back("and " + std::to_string(changes.size() - kChangesShown) + " more");
      break;
    }
    shown.push_back(change);
  }
  return shown;
}

std::vector<Row> rows_of(const Report& report, std::size_t image, Charset charset) {
  const int number = static_cast<int>(image);
  auto found = findings_by_layer(report, number);
  auto changes = changes_by_layer(report, number);
  std::vector<Row> rows;
  int index = 0;
  for (const Layer& layer : report.images[image].layers) {
    Span span = found_span(found[index], charset);
    if (!layer.read) span = own(std::string(marks(charset).bad) + " not read", Ink::high);
    rows.push_back({std::to_string(index + 1), short_digest(layer.digest), size_of(layer.size),
                    instruction(layer.created_by), layer.base == Base::yes, std::move(span), first_of(changes[index])});
    ++index;
  }
  if (found.contains(kConfiguration)) {
    rows.push_back({"",
                    "config",
                    "",
                    configuration_places(report, number),
                    false,
                    found_span(found[kConfiguration], charset),
                    {}});
  }
  return rows;
}

// Where each column begins; 0 for one that is left out.
struct Columns {
  unsigned layer = 0;
  unsigned size = 0;
  unsigned created_by = 0;
  unsigned created_by_width = 0;
  unsigned base = 0;
  unsigned found = 0;
  unsigned end = 0;
};

Columns columns_for(const std::vector<Row>& rows, unsigned width, Charset charset) {
  unsigned number = 1;
  unsigned found = 7;
  unsigned longest = 10;
  for (const Row& row : rows) {
    number = std::max(number, static_cast<unsigned>(row.number.size()));
    found = std::max(found, row.found.columns);
    longest = std::max(longest, scanned(row.created_by, charset).columns);
  }
  const bool base = std::ranges::any_of(rows, &Row::base);
  const unsigned right = (base ? kBaseColumns + kGap : 0) + found;

  Columns columns;
  columns.layer = kIndent + number + kGap;
  columns.created_by = columns.layer + kDigestColumns + kGap;
  if (columns.created_by + kSizeColumns + kGap + kSmallestCreatedBy + kGap + right <= width) {
    columns.size = columns.created_by;
    columns.created_by += kSizeColumns + kGap;
  }
  const unsigned taken = columns.created_by + kGap + right;
  columns.created_by_width = std::min(longest, width > taken ? width - taken : 1);
  columns.found = columns.created_by + columns.created_by_width + kGap;
  if (base) {
    columns.base = columns.found;
    columns.found += kBaseColumns + kGap;
  }
  columns.end = columns.found + found;
  return columns;
}

void add_head(Page& page, const Columns& columns) {
  Line head;
  head.to(columns.layer - kGap - 1).add("#", Ink::faint).to(columns.layer).add("layer", Ink::faint);
  if (columns.size != 0) head.to(columns.size + kSizeColumns - 4).add("size", Ink::faint);
  page.add(head.to(columns.created_by).add("created by", Ink::faint).to(columns.found).add("secrets", Ink::faint));
  std::string rule;
  for (unsigned i = kIndent; i < columns.end; ++i) rule += page.marks().rule;
  page.add(Line().to(kIndent).add(rule, Ink::faint));
}

void add_row(Page& page, const Columns& columns, const Row& row) {
  Line line;
  line.to(columns.layer - kGap - static_cast<unsigned>(row.number.size())).add(row.number, Ink::strong);
  line.to(columns.layer).add(cut(row.layer, page.charset(), kDigestColumns));
  if (columns.size != 0) line.to(columns.size + kSizeColumns - static_cast<unsigned>(row.size.size())).add(row.size);
  line.to(columns.created_by).add(cut(row.created_by, page.charset(), columns.created_by_width));
  if (row.base) line.to(columns.base).add("base", Ink::faint);
  page.add(line.to(columns.found).add(row.found));
  for (const std::string& change : row.changes) {
    Line below;
    below.to(columns.created_by).add(page.marks().corner, Ink::faint).add(" ");
    const unsigned room = page.width() - below.columns();
    page.add(below.add(cut_middle(change, page.charset(), room, Ink::medium)));
  }
}

}  // namespace

Ink ink_of(Severity severity) {
  static constexpr std::array<Ink, 4> kInks = {Ink::low, Ink::medium, Ink::high, Ink::critical};
  return kInks[static_cast<std::size_t>(severity)];
}

std::string_view mark_of(Severity severity, Charset charset) {
  const Marks& all = marks(charset);
  const std::array<std::string_view, 4> by_severity = {all.low, all.medium, all.high, all.critical};
  return by_severity[static_cast<std::size_t>(severity)];
}

void add_layer_table(Page& page, const Report& report, std::size_t image) {
  const std::vector<Row> rows = rows_of(report, image, page.charset());
  if (rows.empty()) return;
  const Columns columns = columns_for(rows, page.width(), page.charset());
  add_head(page, columns);
  for (const Row& row : rows) add_row(page, columns, row);
}

}  // namespace scanner::report
