#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "scanner/model/finding.h"

namespace scanner::report {

/// How the place that a report goes to wants it. Only the text report looks at it.
struct Style {
  bool color = false;
  bool utf8 = true;
  bool all = false;      ///< Every finding and every skip, not only the first 20.
  unsigned width = 100;  ///< Columns; at least 60.
};

/// One way to print a Report. Pure: the same report gives the same bytes.
struct Format {
  std::string_view name;
  std::string_view help;
  std::string (*render)(const Report& report, const Style& style);
};

/// All of them, in the order of `--help`. Adding a format is adding a row in formats.cpp.
std::span<const Format> formats();

/// Null when there is none of that name.
const Format* find_format(std::string_view name);

/// The published JSON Schema of `json` (and of a finding line of `jsonl`).
std::string_view json_schema();

}  // namespace scanner::report
