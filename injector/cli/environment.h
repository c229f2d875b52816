#pragma once

#include <string>

#include "injector/backend/aws/environment.h"
#include "scanner/base/result.h"

namespace injector::cli {

/// What the program takes from its environment, once, before anything else runs.
struct Environment {
  backend::aws::Environment aws;  ///< AWS_* and HOME.
  std::string config;             ///< SECRET_INJECTOR_CONFIG: a configuration itself, not a path.
  std::string scratch;            ///< TMPDIR.
  std::string pod;                ///< POD_NAME and POD_NAMESPACE, by the downward API: for the log.
  std::string pod_namespace;
  unsigned columns = 80;
  bool no_color = false;
  bool force_color = false;
  bool dumb = false;  ///< The terminal knows no colours.
  bool utf8 = false;
};

/// Main's first act: makes the process hard to look into (memory/process.h), and takes what it needs out of the
/// environment, where nothing is left for libraries or children. `Errc::io` when the kernel refuses.
scanner::base::Result<Environment> start_process();

}  // namespace injector::cli
