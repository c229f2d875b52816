#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "injector/render/template/template.h"
#include "injector/render/template/tree.h"

namespace injector::render::templates {

/// The tree, or nothing when `mistakes` were added: the one that breaks the grammar, and every function before it that
/// is not in the subset.
std::optional<Tree> parse(std::string_view text, const Delimiters& delimiters, std::vector<Mistake>& mistakes);

/// What a Go string literal holds between its quotes; nothing when an escape is wrong.
std::optional<std::string> unquoted(std::string_view literal);

}  // namespace injector::render::templates
