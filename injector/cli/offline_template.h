#pragma once

#include "injector/cli/environment.h"
#include "injector/cli/options.h"

namespace injector::cli {

/// `render --template FILE --values FILE`: the file that the template makes, to standard output. The values are a JSON
/// object from each path that the template asks for to the `data` of the store's answer: {"kv/shop/db": {"data": ...,
/// "metadata": ...}} for KV 2, {"keys": [...]} for a list. Mistakes of the template go to standard error, one a line.
int run_render_template(const Options& options);

}  // namespace injector::cli
