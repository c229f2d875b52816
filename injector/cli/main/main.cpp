#include "injector/cli/run.h"

int main(int argc, char** argv) { return injector::cli::run(argc, argv); }
