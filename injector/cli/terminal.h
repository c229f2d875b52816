#pragma once

#include <string>
#include <string_view>

#include "injector/cli/environment.h"
#include "injector/cli/options.h"

namespace injector::cli {

/// What standard output can show.
struct Style {
  bool color = false;
  bool utf8 = false;
  unsigned width = 80;  ///< 60 to 100.

  [[nodiscard]] std::string bold(std::string_view text) const { return in("1", text); }
  [[nodiscard]] std::string dim(std::string_view text) const { return in("2", text); }
  [[nodiscard]] std::string green(std::string_view text) const { return in("32", text); }
  [[nodiscard]] std::string yellow(std::string_view text) const { return in("33", text); }
  [[nodiscard]] std::string red(std::string_view text) const { return in("1;31", text); }

 private:
  [[nodiscard]] std::string in(std::string_view code, std::string_view text) const;
};

/// Colours by --color, NO_COLOR, CLICOLOR_FORCE and whether it is a terminal; its width, else $COLUMNS, else 80.
Style style_of_stdout(const Options& options, const Environment& environment);

/// `text` in lines of at most `width` columns, cut between words where that goes; all but the first begin with `indent`
/// spaces. Control characters are spelled out.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace injector::cli
