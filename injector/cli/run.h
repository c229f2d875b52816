#pragma once

namespace injector::cli {

/// The program: secures the process, reads the command line, does what it says. Returns the exit code.
int run(int argc, const char* const* argv);

}  // namespace injector::cli
