#include "injector/telemetry/log.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "injector/telemetry/harmless.h"

namespace injector::telemetry {
namespace {

constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warn", "error"};

std::string_view name_of(Level level) { return kLevels.at(static_cast<std::size_t>(level)); }

/// What ECS has as numbers.
bool is_number(std::string_view name, std::string_view value) {
  static constexpr std::array<std::string_view, 3> kNumbers = {"event.duration", "event.sequence", "process.pid"};
  return std::ranges::find(kNumbers, name) != kNumbers.end() && !value.empty() && value.size() <= 18 &&
         (value == "0" || value.front() != '0') &&
         std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
}

std::string json_line(Level level, std::string_view message, const Fields& fields, std::string_view timestamp) {
  std::string line = "{\"@timestamp\":" + json_text(timestamp) + ",\"log.level\":\"" + std::string(name_of(level)) +
                     "\",\"message\":" + json_text(message) +
                     ",\"ecs.version\":\"8.11.0\",\"service.name\":\"secret-injector\",\"service.version\":\"" +
                     SECRET_INJECTOR_VERSION + "\"";
  for (const auto& [name, value] : fields) {
    line += "," + json_text(name) + ":" + (is_number(name, value) ? value : json_text(value));
  }
  return line + "}";
}

bool needs_quotes(std::string_view value) {
  return value.empty() || value.find_first_of(" \"=") != std::string_view::npos;
}

std::string text_line(Level level, std::string_view message, const Fields& fields, std::string_view timestamp) {
  std::string name(name_of(level));
  name.resize(5, ' ');
  std::string line = std::string(timestamp) + " " + name + " " + harmless(message);
  for (const auto& [key, value] : fields) {
    line += " " + harmless(key) + "=";
    line += needs_quotes(value) ? "\"" + harmless(value) + "\"" : harmless(value);
  }
  return line;
}

std::string now() {
  const auto time = std::chrono::system_clock::now().time_since_epoch();
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
  const auto seconds = static_cast<std::time_t>(milliseconds / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + size, text.size() - size, ".%03dZ", static_cast<int>(milliseconds % 1000));
  return text.data();
}

}  // namespace

std::string line_of(Log::Format format, Level level, std::string_view message, const Fields& fields,
                    std::string_view timestamp) {
  return format == Log::Format::json ? json_line(level, message, fields, timestamp)
                                     : text_line(level, message, fields, timestamp);
}

void Log::write(Level level, std::string_view message, const Fields& fields) {
  if (level < least_) return;
  const std::string line = line_of(format_, level, message, fields, now()) + "\n";
  while (::write(fd_, line.data(), line.size()) < 0 && errno == EINTR) {
  }
}

}  // namespace injector::telemetry
