#pragma once

#include <string>
#include <string_view>

namespace injector::pod {

/// A unified diff of two texts by lines, three of context; empty when they are the same. `before` and `after` are what
/// its head calls them.
std::string line_diff(std::string_view a, std::string_view b, const std::string& before, const std::string& after);

}  // namespace injector::pod
