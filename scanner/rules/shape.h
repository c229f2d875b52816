#pragma once

#include "scanner/rules/lint.h"
#include "scanner/rules/regex.h"

namespace scanner::rules {

/// The shape of a regex that has been taken apart already.
RegexShape shape_of(const Regex& regex);

}  // namespace scanner::rules
