#include "injector/backend/aws/sigv4.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "injector/backend/aws/times.h"
#include "scanner/base/hash.h"

namespace injector::backend::aws {
namespace {

using memory::Secret;
using scanner::base::Sha256;

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::string_view view(const Sha256& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

/// One step of the derivation: no half-way key is left on the stack.
Secret derive(std::string_view key, std::string_view message) {
  Sha256 digest = scanner::base::hmac_sha256(key, message);
  Secret secret = Secret::copy_of(view(digest));
  explicit_bzero(digest.data(), digest.size());
  return secret;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

struct Url {
  std::string_view host;
  std::string_view path;
  std::string_view query;
};

/// Host as in the `Host` header: without a port that the scheme implies.
Url split(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const bool tls = url.substr(0, scheme) == "https";
  std::string_view rest = scheme == url.npos ? url : url.substr(scheme + 3);
  const std::size_t host_end = std::min(rest.find_first_of("/?"), rest.size());
  Url out{rest.substr(0, host_end), "/", {}};
  rest.remove_prefix(host_end);
  const std::string_view implied = tls ? ":443" : ":80";
  if (out.host.ends_with(implied)) out.host.remove_suffix(implied.size());
  const std::size_t question = rest.find('?');
  if (!rest.substr(0, question).empty()) out.path = rest.substr(0, question);
  if (question != rest.npos) out.query = rest.substr(question + 1);
  return out;
}

/// The value without spaces around it, each run of spaces within made one. Hashed piece by piece, never copied: it may
/// be the session token.
void update_collapsed(scanner::base::Sha256Stream& hash, std::string_view value) {
  const auto first = value.find_first_not_of(' ');
  if (first == value.npos) return;
  value = value.substr(first, value.find_last_not_of(' ') - first + 1);
  while (!value.empty()) {
    const std::size_t space = std::min(value.find("  "), value.size());
    hash.update(value.substr(0, space));
    value.remove_prefix(space);
    if (value.empty()) return;
    hash.update(" ");
    value.remove_prefix(value.find_first_not_of(' '));
  }
}

}  // namespace

std::string authorization(const net::Request& request, const std::string& access_key_id, const Secret& signing_key,
                          const std::string& amz_date, const Scope& scope) {
  const Url url = split(request.url);
  std::vector<std::pair<std::string, std::string_view>> headers;
  headers.reserve(request.headers.size() + 1);
  headers.emplace_back("host", url.host);
  for (const net::Header& header : request.headers) headers.emplace_back(lower(header.name), header.value.reveal());
  std::stable_sort(headers.begin(), headers.end(), [](const auto& a, const auto& b) { return a.first < b.first; });

  scanner::base::Sha256Stream canonical;
  for (const std::string_view line : {std::string_view(request.method), url.path, url.query}) {
    canonical.update(line);
    canonical.update("\n");
  }
  std::string names;
  for (std::size_t i = 0; i < headers.size();) {
    const std::string& name = headers[i].first;
    names += (names.empty() ? "" : ";") + name;
    canonical.update(name);
    for (std::string_view separator = ":"; i < headers.size() && headers[i].first == name; ++i, separator = ",") {
      canonical.update(separator);
      update_collapsed(canonical, headers[i].second);
    }
    canonical.update("\n");
  }
  canonical.update("\n");
  canonical.update(names);
  canonical.update("\n");
  canonical.update(scanner::base::hex(scanner::base::sha256(request.body.reveal())));

  const std::string place = amz_date.substr(0, 8) + "/" + scope.region + "/" + scope.service + "/aws4_request";
  const std::string to_sign =
      std::string(kAlgorithm) + "\n" + amz_date + "\n" + place + "\n" + scanner::base::hex(canonical.finish());
  const std::string signature = scanner::base::hex(scanner::base::hmac_sha256(signing_key.reveal(), to_sign));
  return std::string(kAlgorithm) + " Credential=" + access_key_id + "/" + place + ", SignedHeaders=" + names +
         ", Signature=" + signature;
}

const Secret& Signer::key(const std::string& date, const Scope& scope) {
  Key& cached = keys_[scope];
  if (cached.date != date) {
    constexpr std::string_view kPrefix = "AWS4";
    const std::string_view secret = credentials_.secret_access_key.reveal();
    Secret start = Secret::of_size(kPrefix.size() + secret.size());
    std::copy(kPrefix.begin(), kPrefix.end(), start.writable().begin());
    std::copy(secret.begin(), secret.end(), start.writable().begin() + kPrefix.size());
    const Secret of_date = derive(start.reveal(), date);
    const Secret of_region = derive(of_date.reveal(), scope.region);
    const Secret of_service = derive(of_region.reveal(), scope.service);
    cached = {date, derive(of_service.reveal(), "aws4_request")};
  }
  return cached.bytes;
}

void Signer::sign(net::Request& request, const Scope& scope, Time now) {
  const std::string date = amz_date(now);
  request.headers.push_back({"X-Amz-Date", Secret::copy_of(date)});
  if (!credentials_.session_token.empty()) {
    request.headers.push_back({"X-Amz-Security-Token", credentials_.session_token.clone()});
  }
  const std::string value =
      authorization(request, credentials_.access_key_id, key(date.substr(0, 8), scope), date, scope);
  request.headers.push_back({"Authorization", Secret::copy_of(value)});
}

}  // namespace injector::backend::aws
