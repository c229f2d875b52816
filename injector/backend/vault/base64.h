#pragma once

#include <optional>
#include <string_view>

#include "injector/memory/secret.h"

namespace injector::backend::vault {

/// Standard alphabet, padded, nothing else between: what Vault writes and reads.
memory::Secret base64(std::string_view bytes);
std::optional<memory::Secret> from_base64(std::string_view text);

}  // namespace injector::backend::vault
