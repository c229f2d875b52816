#pragma once

#include <string>
#include <string_view>

/// Text that others wrote, as it may stand in a log or on a terminal: what moves a cursor, colours, breaks lines or
/// turns the direction of reading is spelled out. Everything else stays as it was.
namespace injector::telemetry {

/// For people: "\x1b" and "\u202e"; bytes that are no UTF-8 as "\xff".
std::string harmless(std::string_view text);

/// A JSON string with its quotes; bytes that are no UTF-8 become U+FFFD.
std::string json_text(std::string_view text);

}  // namespace injector::telemetry
