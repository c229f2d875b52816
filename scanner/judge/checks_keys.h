#pragma once

#include "scanner/judge/checks.h"

namespace scanner::judge {

// Files and blocks that hold private keys. What a passphrase protects is of medium severity.

CheckResult check_pem_private_key(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_pgp_private_key(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_putty_key(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_gcp_service_account(std::string_view secret, std::string_view match, std::int64_t now_unix);

}  // namespace scanner::judge
