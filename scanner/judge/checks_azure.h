#pragma once

#include "scanner/judge/checks.h"

namespace scanner::judge {

/// Marvin32 of `bytes`: the halves of its 64-bit state, folded.
std::uint32_t marvin32(std::string_view bytes, std::uint64_t seed);

// Microsoft's keys, most of which carry a Marvin32 checksum.

CheckResult check_azure_marvin32(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_azure_annotated_key(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_entra_secret(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_azure_sas(std::string_view secret, std::string_view match, std::int64_t now_unix);

}  // namespace scanner::judge
