#pragma once

#include "scanner/judge/checks.h"

namespace scanner::judge {

// Values with a structure inside: an encoding, JSON, an id.

CheckResult check_aws_key_id(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_aws_secret(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_jwt(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_pypi_macaroon(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_discord_token(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_telegram_token(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_snyk_token(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_jfrog_reference_token(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_jenkins_secret(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_base64_json(std::string_view secret, std::string_view match, std::int64_t now_unix);

}  // namespace scanner::judge
