#pragma once

#include "scanner/judge/checks.h"

namespace scanner::judge {

// Values that carry a checksum of themselves: right confirms, wrong refuses.

CheckResult check_crc32_base62(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_crc32_hex(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_grafana_crc32(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_atlassian_crc32(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_confluent_crc32(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_gitlab_routable(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_azure_devops_pat(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_bech32(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_base58check(std::string_view secret, std::string_view match, std::int64_t now_unix);
CheckResult check_strkey(std::string_view secret, std::string_view match, std::int64_t now_unix);
/// A tenth of all numbers passes: right only accepts.
CheckResult check_luhn(std::string_view secret, std::string_view match, std::int64_t now_unix);

}  // namespace scanner::judge
