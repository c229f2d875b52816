#pragma once

#include "injector/memory/document.h"
#include "injector/model/reading.h"

namespace injector {

/// A member's value as a Reading keeps it: a string's own bytes, anything else as JSON text.
memory::Secret bytes_of(memory::Document::Value value);

/// Adds the members of an object to a reading; of anything else, nothing.
void add_members(Reading& reading, memory::Document::Value object);

/// The same of what `reading.document` holds, when that is a JSON object: a plain value is no error.
void add_members(Reading& reading);

}  // namespace injector
