#pragma once

namespace scanner::cli {

/// The program: parses the command line, opens what it names, scans, writes the reports. Returns the exit code.
int run(int argc, const char* const* argv);

}  // namespace scanner::cli
