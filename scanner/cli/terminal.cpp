#include "scanner/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace scanner::cli {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

bool wants_color(Color color) {
  if (color != Color::automatic) return color == Color::always;
  if (!variable("NO_COLOR").empty()) return false;
  const std::string_view force = variable("CLICOLOR_FORCE");
  if (!force.empty() && force != "0") return true;
  return ::isatty(STDOUT_FILENO) == 1 && variable("TERM") != "dumb";
}

unsigned width() {
  winsize size{};
  unsigned columns = 0;
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) columns = size.ws_col;
  if (columns == 0)
    columns = static_cast<unsigned>(std::strtoul(std::string(variable("COLUMNS")).c_str(), nullptr, 10));
  return columns == 0 ? 100 : std::clamp(columns, 60U, 140U);
}

bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view value = variable(name);
    if (value.empty()) continue;
    return value.find("UTF-8") != std::string_view::npos || value.find("utf8") != std::string_view::npos;
  }
  return false;
}

}  // namespace

report::Style style_of_stdout(const Options& options) {
  report::Style style;
  style.color = wants_color(options.color);
  style.width = width();
  style.utf8 = locale_is_utf8();
  style.all = options.all;
  return style;
}

ProgressLine::ProgressLine(const scan::Progress& progress, bool wanted) {
  if (!wanted || ::isatty(STDERR_FILENO) != 1 || variable("TERM") == "dumb" || !variable("CI").empty()) return;
  thread_ = std::thread([this, &progress] {
    using std::chrono_literals::operator""ms;
    // A scan that is over at once shows nothing.
    for (int i = 0; i < 3 && !stop_; ++i) std::this_thread::sleep_for(100ms);
    while (!stop_) {
      std::fprintf(stderr, "\r\033[K  %.1f MiB, %llu files searched",
                   static_cast<double>(progress.bytes.load(std::memory_order_relaxed)) / (1024.0 * 1024.0),
                   static_cast<unsigned long long>(progress.files.load(std::memory_order_relaxed)));
      std::fflush(stderr);
      std::this_thread::sleep_for(100ms);
    }
    std::fputs("\r\033[K", stderr);
  });
}

ProgressLine::~ProgressLine() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

}  // namespace scanner::cli
