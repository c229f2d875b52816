#pragma once

#include "scanner/judge/checks.h"

namespace scanner::judge {

// A user and a password together.

CheckResult check_base64_userpass(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_url_password(std::string_view secret, std::string_view match, std::int64_t now_unix);

}  // namespace scanner::judge
