#include "scanner/cli/run.h"

int main(int argc, char** argv) { return scanner::cli::run(argc, argv); }
