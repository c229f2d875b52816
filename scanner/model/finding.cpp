#include "scanner/model/finding.h"

#include <array>

namespace scanner {

std::string_view to_string(State state) {
  static constexpr std::array<std::string_view, 3> kNames = {"present", "deleted", "overwritten"};
  return kNames[static_cast<std::size_t>(state)];
}

}  // namespace scanner
