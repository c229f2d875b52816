#include "scanner/model/fingerprint.h"

#include <string_view>

#include "scanner/base/hash.h"

namespace scanner {

std::string to_string(const Fingerprint& fingerprint) {
  return "v1:" + base::hex(std::string_view(reinterpret_cast<const char*>(fingerprint.data()), fingerprint.size()));
}

}  // namespace scanner
