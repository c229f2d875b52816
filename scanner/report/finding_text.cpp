#include "scanner/report/finding_text.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "scanner/report/amounts.h"
#include "scanner/report/frame.h"
#include "scanner/report/instruction.h"
#include "scanner/report/layer_table.h"
#include "scanner/report/place.h"

namespace scanner::report {
namespace {

constexpr std::size_t kPlacesShown = 6;
constexpr std::size_t kFingerprintDigits = 12;
constexpr unsigned kLabelColumns = 13;

Line detail(std::string_view label) { return labelled(label, 4, kLabelColumns); }

bool has_path(Kind kind) {
  return kind == Kind::file || kind == Kind::file_name || kind == Kind::symlink_target || kind == Kind::attestation;
}

std::string layer_name(const Report& report, const Location& location) {
  if (location.layer < 0) return location.image < 0 ? "" : "configuration";
  const Layer* const layer = layer_of(report, location);
  const bool base = layer != nullptr && layer->base == Base::yes;
  return "layer " + std::to_string(location.layer + 1) + (base ? " (base)" : "");
}

std::vector<Span> place_items(const Page& page, const Report& report, const Location& location) {
  const Image* const image = image_of(report, location);
  std::vector<Span> items;
  if (image != nullptr && report.images.size() > 1) {
    items.push_back(page.item(image->name.empty() ? short_digest(image->digest) : image->name));
    if (!image->platform.empty()) items.push_back(page.item(image->platform));
  }
  items.push_back(own(layer_name(report, location)));
  if (location.image < 0 && location.entry.kind != Kind::file && location.entry.kind != Kind::file_name) {
    items.push_back(page.path(location.entry.path));
  }
  const std::string place = place_of(location);
  items.push_back(has_path(location.entry.kind) ? page.path(place, Ink::strong) : page.item(place, Ink::strong));
  if (location.end_line > location.line) items.push_back(own("to line " + std::to_string(location.end_line)));
  for (const std::string& step : location.entry.decoding) items.push_back(page.item("in " + step));
  items.push_back(own(fate_of(location), Ink::medium));
  return items;
}

void add_title(Page& page, const Finding& finding) {
  const Ink ink = ink_of(finding.severity);
  std::string severity(to_string(finding.severity));
  std::ranges::transform(severity, severity.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  Line line;
  line.add("  ").add(mark_of(finding.severity, page.charset()), ink).add(" ").add(severity, ink).add("  ");

  const Span rule = cut(finding.rule, page.charset(), page.width() / 2, Ink::faint);
  const Span fingerprint = own(to_string(finding.fingerprint).substr(3, kFingerprintDigits), Ink::faint);
  const unsigned id_columns = rule.columns + page.separator().columns + fingerprint.columns;
  const Span title = scanned(finding.title.empty() ? finding.rule : finding.title, page.charset(), Ink::strong);
  if (line.columns() + title.columns + 2 + id_columns <= page.width()) {
    line.add(title).to(page.width() - id_columns);
    page.add(line.add(rule).add(page.separator()).add(fingerprint));
  } else {
    page.prose(line, finding.title.empty() ? finding.rule : finding.title, Ink::strong);
    page.flow(Line().add("    "), std::array{rule, fingerprint});
  }
}

void add_more_places(Page& page, const Report& report, const Finding& finding) {
  const std::size_t places = finding.locations.size();
  const std::size_t shown = page.shown_of(places, kPlacesShown + 1);
  for (std::size_t i = 1; i < shown; ++i) {
    page.flow(detail(i == 1 ? "also in" : ""), place_items(page, report, finding.locations[i]));
  }
  if (shown < places) page.add(detail("").add("and " + counted(places - shown, "more place")));
}

void add_secret(Page& page, const Finding& finding) {
  if (finding.secret.empty()) return;
  Line line = detail("secret");
  std::string text;
  unsigned columns = 0;
  const unsigned room = page.width() - kLabelColumns - 2;
  const auto add_line = [&] {
    page.add(line.add(page.marks().gutter, Ink::faint).add(" ").add(Span{text, columns, Ink::plain}));
    line = detail("");
    text.clear();
    columns = 0;
  };
  for (const Glyph& piece : glyphs(finding.secret, page.charset())) {
    if (columns + piece.columns > room) add_line();
    text += piece.text;
    columns += piece.columns;
  }
  add_line();
}

}  // namespace

void add_finding(Page& page, const Report& report, const Finding& finding) {
  page.blank();
  add_title(page, finding);
  if (finding.locations.empty()) return;
  const Location& first = finding.locations.front();
  page.flow(Line().add("    "), place_items(page, report, first));
  const std::string made_by = instruction(created_by(report, first));
  if (!made_by.empty()) {
    Line line = detail("made by");
    page.add(line.add(cut(made_by, page.charset(), page.width() - line.columns())));
  }
  if (first.frame.empty() && !finding.redacted.empty()) {
    Line line = detail("value");
    page.add(line.add(cut(finding.redacted, page.charset(), page.width() - line.columns())));
  }
  add_frame(page, first, ink_of(finding.severity));
  add_secret(page, finding);
  for (const std::string& note : finding.notes) {
    if (!note.empty()) page.prose(detail("note"), note);
  }
  if (finding.confidence == Confidence::low) page.add(detail("note").add("low confidence: look before you act"));
  add_more_places(page, report, finding);
  if (!finding.fix.empty()) page.prose(detail("fix"), finding.fix);
  if (!finding.docs.empty()) page.flow(detail("see"), std::array{page.path(finding.docs)});
}

}  // namespace scanner::report
