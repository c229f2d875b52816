#pragma once

#include <string>

namespace injector::backend::file {

/// One `file:` store of the configuration.
struct Settings {
  std::string name = "file";  ///< The store's, for messages.
  std::string directory;      ///< Absolute.
};

}  // namespace injector::backend::file
