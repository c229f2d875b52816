#pragma once

#include "scanner/model/run.h"
#include "scanner/rules/regex.h"

namespace scanner::rules {

/// The longest run of the alphabet that every match of `regex` is sure to hold. A distance that has no bound, or one
/// beyond 32 bits, makes it nothing.
Run run_of(const Regex& regex, Alphabet alphabet);

}  // namespace scanner::rules
