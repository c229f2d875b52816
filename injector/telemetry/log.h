#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace injector::telemetry {

enum class Level : std::uint8_t { debug, info, warn, error };

/// Names are ECS's ("file.path", "event.duration", "error.message"); values are ours or a path, never a secret's: a
/// Secret does not convert.
using Fields = std::vector<std::pair<std::string_view, std::string>>;

/// One line an event, as JSON with ECS names or as text for a person. Written with one write(2) each, so that lines of
/// several processes do not mix; a line that cannot be written is lost without a word. Not thread-safe.
class Log {
 public:
  enum class Format : std::uint8_t { json, text };

  Log(int fd, Format format, Level least) : fd_(fd), format_(format), least_(least) {}

  void write(Level level, std::string_view message, const Fields& fields = {});
  void info(std::string_view message, const Fields& fields = {}) { write(Level::info, message, fields); }
  void warn(std::string_view message, const Fields& fields = {}) { write(Level::warn, message, fields); }
  void error(std::string_view message, const Fields& fields = {}) { write(Level::error, message, fields); }
  void debug(std::string_view message, const Fields& fields = {}) { write(Level::debug, message, fields); }

 private:
  int fd_;
  Format format_;
  Level least_;
};

/// The line without its end, as `write` makes it. Pure.
std::string line_of(Log::Format format, Level level, std::string_view message, const Fields& fields,
                    std::string_view timestamp);

}  // namespace injector::telemetry
