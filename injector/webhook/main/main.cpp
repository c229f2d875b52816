#include "injector/webhook/run.h"

int main(int argc, char** argv) { return injector::webhook::run(argc, argv); }
