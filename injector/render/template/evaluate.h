#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <vector>

#include "injector/memory/secret.h"
#include "injector/model/reading.h"
#include "injector/render/template/template.h"
#include "injector/render/template/tree.h"

namespace injector::render::templates {

/// Executes a tree without answers: what hangs on one is unknown, and both branches of a condition that does are gone
/// through. Gives the calls with the line of each, and adds what must fail whenever the template is executed, or asks
/// for something that only an answer could tell.
std::map<Call, std::size_t> survey(const Tree& tree, std::vector<Mistake>& mistakes);

/// Executes it. `calls` is sorted, `readings` go with it.
scanner::base::Result<memory::Secret> execute(const Tree& tree, std::span<const Call> calls,
                                              std::span<const Reading* const> readings, const Options& options);

}  // namespace injector::render::templates
