#include "scanner/model/entry.h"

#include <array>

namespace scanner {

std::string_view to_string(Kind kind) {
  static constexpr std::array<std::string_view, 13> kNames = {
      "file",        "file_name", "symlink_target", "env",        "label",       "cmd",   "entrypoint",
      "healthcheck", "onbuild",   "history",        "annotation", "attestation", "config"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace scanner
