#pragma once

namespace injector::webhook {

/// The program: reads the command line, serves until SIGTERM or SIGINT, gives the exit code.
int run(int argc, const char* const* argv);

}  // namespace injector::webhook
