#include "injector/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "injector/telemetry/harmless.h"

namespace injector::cli {
namespace {

bool wants_color(Color color, const Environment& environment) {
  if (color != Color::automatic) return color == Color::always;
  if (environment.no_color) return false;
  if (environment.force_color) return true;
  return ::isatty(STDOUT_FILENO) == 1 && !environment.dumb;
}

/// The byte at which `columns` characters end; UTF-8's continuation bytes take no column.
std::size_t bytes_of(std::string_view text, std::size_t columns) {
  std::size_t at = 0;
  while (at < text.size()) {
    const bool begins = (static_cast<unsigned char>(text[at]) & 0xc0U) != 0x80;
    if (begins && columns == 0) return at;
    columns -= begins ? 1 : 0;
    ++at;
  }
  return at;
}

}  // namespace

std::string Style::in(std::string_view code, std::string_view text) const {
  if (!color) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

Style style_of_stdout(const Options& options, const Environment& environment) {
  Style style;
  style.color = wants_color(options.color, environment);
  style.utf8 = environment.utf8;
  winsize size{};
  unsigned columns = environment.columns;
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0) columns = size.ws_col;
  style.width = std::clamp(columns == 0 ? 80U : columns, 60U, 100U);
  return style;
}

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  const std::string safe = telemetry::harmless(text);
  std::string_view rest = safe;
  std::string out;
  for (;;) {
    const std::size_t room = bytes_of(rest, width);
    if (room == rest.size()) return out + std::string(rest);
    std::size_t cut = rest.rfind(' ', room);
    const bool between = cut != std::string_view::npos && cut > 0;
    if (!between) cut = room;
    out += std::string(rest.substr(0, cut)) + "\n" + std::string(indent, ' ');
    rest.remove_prefix(cut + (between ? 1 : 0));
  }
}

}  // namespace injector::cli
