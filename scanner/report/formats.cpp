#include "scanner/report/formats.h"

#include <algorithm>
#include <array>

#include "scanner/report/json.h"
#include "scanner/report/sarif.h"
#include "scanner/report/text.h"

namespace scanner::report {
namespace {

constexpr std::array<Format, 4> kFormats = {{
    {"text", "for people: layers, findings, what was not read, and the verdict last", render_text},
    {"json", "one document; its JSON Schema is published", render_json},
    {"jsonl", "one finding a line, then one line with the summary", render_jsonl},
    {"sarif", "SARIF 2.1.0 for code scanning services; always redacted", render_sarif},
}};

}  // namespace

std::span<const Format> formats() { return kFormats; }

const Format* find_format(std::string_view name) {
  const auto* const it = std::ranges::find(kFormats, name, &Format::name);
  return it == kFormats.end() ? nullptr : it;
}

}  // namespace scanner::report
