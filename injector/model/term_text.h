#pragma once

#include "injector/memory/document.h"
#include "injector/memory/text.h"
#include "injector/model/term.h"

namespace injector {

/// A term as JSON, for another process of the same machine: their BootClock is one.
void write_term(memory::Text& out, const Term& term);

/// What write_term wrote; of anything else a term that never ends.
Term read_term(memory::Document::Value value);

}  // namespace injector
