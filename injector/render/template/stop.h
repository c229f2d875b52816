#pragma once

#include <string>
#include <utility>

#include "scanner/base/result.h"

namespace injector::render::templates {

/// Ends the work on a template, from however deep in it. Thrown in this room alone, and caught by check() and render():
/// it never leaves it. `what` holds no value: at most names of functions, fields and types.
struct Stop {
  scanner::base::Errc code = scanner::base::Errc::unsupported;
  std::string what;
  std::string mend;
};

[[noreturn]] inline void stop(std::string what, std::string mend = {}) {
  throw Stop{scanner::base::Errc::unsupported, std::move(what), std::move(mend)};
}
[[noreturn]] inline void stop_at_limit(std::string what) {
  throw Stop{scanner::base::Errc::limit, std::move(what), {}};
}

}  // namespace injector::render::templates
