#pragma once

#include "injector/render/template/function.h"
#include "injector/render/template/value.h"

namespace injector::render::templates {

/// Sprig's and mergo's notion: false, zero, "", nil, a list or map without members.
bool is_empty(const Value& value);

/// Puts the members of `source` into `target`, maps into maps; what is there stays unless it is empty, or
/// `overwrites`.
void merge_into(Context& context, Map& target, const Map& source, bool overwrites, int depth);

}  // namespace injector::render::templates
