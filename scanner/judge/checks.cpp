#include "scanner/judge/checks.h"

#include <algorithm>
#include <array>

#include "scanner/judge/checks_azure.h"
#include "scanner/judge/checks_checksums.h"
#include "scanner/judge/checks_keys.h"
#include "scanner/judge/checks_logins.h"
#include "scanner/judge/checks_placeholder.h"
#include "scanner/judge/checks_tokens.h"
#include "scanner/judge/judge.h"

namespace scanner::judge {
namespace {

struct Row {
  std::string_view name;
  std::string_view help;
  Check check;
};

constexpr std::array kRows = std::to_array<Row>({
    {"crc32-base62", "the last 6 characters are the CRC-32, in base62, of what follows the last _ (GitHub, npm)",
     check_crc32_base62},
    {"crc32-hex", "the last 8 hex digits are the CRC-32 of the body behind the prefix (Cloudflare, Zuplo)",
     check_crc32_hex},
    {"grafana-crc32", "the hex digits behind the last _ are the little-endian CRC-32 of all before it",
     check_grafana_crc32},
    {"atlassian-crc32", "the hex digits behind the = are the CRC-32 of everything through it", check_atlassian_crc32},
    {"confluent-crc32", "cflt, 54 characters, and 6 of the base64 of their CRC-32", check_confluent_crc32},
    {"gitlab-routable", "length and CRC-32 of GitLab's routable tokens, in base 36", check_gitlab_routable},
    {"azure-marvin32", "confirms keys whose Azure signature and Marvin32 checksum fit; refuses none",
     check_azure_marvin32},
    {"azure-annotated-key", "confirms keys with JQQJ9 whose Marvin32 checksum fits; refuses none",
     check_azure_annotated_key},
    {"entra-secret", "the Marvin32 checksum of an Entra client secret (8Q~); 7Q~ has none", check_entra_secret},
    {"azure-devops-pat", "the CRC-32 inside an Azure DevOps token of 52 base32 characters", check_azure_devops_pat},
    {"azure-sas", "the signature (sig) has 32 bytes; past its end (se) it is of low severity", check_azure_sas},
    {"aws-key-id", "an AWS access key id that is no documentation sample; notes the account it belongs to",
     check_aws_key_id},
    {"aws-secret", "40 base64 characters that are neither hex, nor words, nor a documentation sample",
     check_aws_secret},
    {"jwt", "header and payload decode, and it is no sample; past its exp it is of low severity", check_jwt},
    {"pem-private-key", "the body between equal BEGIN and END labels is a private key; medium when encrypted",
     check_pem_private_key},
    {"pgp-private-key", "an OpenPGP secret key whose CRC-24, if any, is right; medium when encrypted",
     check_pgp_private_key},
    {"putty-key", "a PuTTY private key; medium when encrypted", check_putty_key},
    {"bech32", "the Bech32 or Bech32m checksum (age, nostr)", check_bech32},
    {"base58check", "the double SHA-256 checksum of base58check, in Bitcoin's or the XRP Ledger's alphabet",
     check_base58check},
    {"strkey", "a Stellar secret seed with the right CRC-16", check_strkey},
    {"luhn", "12 to 19 digits whose Luhn sum is right", check_luhn},
    {"pypi-macaroon", "a macaroon of pypi.org or test.pypi.org", check_pypi_macaroon},
    {"discord-token", "the first of three parts is the base64 of a user id", check_discord_token},
    {"telegram-token", "a bot id and 35 characters that begin with AA", check_telegram_token},
    {"gcp-service-account", "the JSON of a Google service account whose private key decodes",
     check_gcp_service_account},
    {"base64-json", "base64 of a JSON object, behind a prefix or not", check_base64_json},
    {"base64-userpass", "base64 of user:password, and the password is no placeholder", check_base64_userpass},
    {"snyk-token", "the third part is the base64 of Snyk's claims; low when expired", check_snyk_token},
    {"jfrog-reference-token", "base64 of reftkn:01:...", check_jfrog_reference_token},
    {"jenkins-secret", "the lengths inside a secret that Jenkins has encrypted are right", check_jenkins_secret},
    {"url-password", "the password in scheme://user:password@host is no placeholder; low when it is a local default",
     check_url_password},
    {"not-placeholder", "no placeholder, template, reference, code, path, prose, repetition, nor the key again",
     check_not_placeholder},
    {"random", "pairs of characters and entropy are those of a generated value, not of a name", check_random},
    {"not-uuid", "no UUID", check_not_uuid},
    {"not-hex-digest", "not hex digits alone", check_not_hex_digest},
});

constexpr auto kInfos = [] {
  std::array<CheckInfo, kRows.size()> infos{};
  std::transform(kRows.begin(), kRows.end(), infos.begin(), [](const Row& row) {
    return CheckInfo{row.name, row.help};
  });
  return infos;
}();

}  // namespace

Check find_check(std::string_view name) {
  const auto* row = std::find_if(kRows.begin(), kRows.end(), [name](const Row& r) { return r.name == name; });
  return row == kRows.end() ? nullptr : row->check;
}

std::span<const CheckInfo> checks() { return kInfos; }

}  // namespace scanner::judge
