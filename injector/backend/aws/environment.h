#pragma once

#include <map>
#include <string>
#include <string_view>

#include "injector/memory/secret.h"

namespace injector::backend::aws {

/// The variables of the process whose names begin with "AWS_", and HOME, as they were at start: main takes them out of
/// the real environment before any library runs. Passed in, so that nothing here ever asks the process.
using Environment = std::map<std::string, memory::Secret, std::less<>>;

/// Empty when it is not set. A view into the environment.
inline std::string_view value_of(const Environment& environment, std::string_view name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string_view() : found->second.reveal();
}

/// A variable that holds no secret (a region, a path, a URL).
inline std::string text_of(const Environment& environment, std::string_view name) {
  return std::string(value_of(environment, name));
}

}  // namespace injector::backend::aws
