#include "scanner/model/image.h"

#include <array>

namespace scanner {

std::string_view to_string(Base base) {
  static constexpr std::array<std::string_view, 3> kNames = {"unknown", "base", "app"};
  return kNames[static_cast<std::size_t>(base)];
}

}  // namespace scanner
