#pragma once

#include <map>
#include <string>

#include "injector/model/file_spec.h"
#include "injector/model/reading.h"

namespace tests {

/// What a store would answer for these members, or for a value stored as this text.
injector::Reading reading(const std::map<std::string, std::string>& members);
injector::Reading reading_of(const std::string& document);

/// A file named "file" with one source.
injector::FileSpec file_of(injector::Format format, const std::string& key = "");

}  // namespace tests
