#pragma once

#include <atomic>
#include <thread>

#include "scanner/cli/options.h"
#include "scanner/report/formats.h"
#include "scanner/scan/outcome.h"

namespace scanner::cli {

/// How standard output wants its text: colours by --color, NO_COLOR, CLICOLOR_FORCE and whether it is a terminal; the
/// terminal's width, else $COLUMNS, else 100; UTF-8 when the locale is.
report::Style style_of_stdout(const Options& options);

/// A line on standard error that is redrawn while a scan runs, and gone afterwards. Only on a terminal, and not with
/// --quiet. Shows counts, never content.
class ProgressLine {
 public:
  ProgressLine(const scan::Progress& progress, bool wanted);
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine();

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace scanner::cli
