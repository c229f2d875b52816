#include "injector/backend/vault/answer.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

namespace injector::backend::vault {
namespace {

using memory::Document;
using scanner::base::Errc;
using scanner::base::Error;
using std::chrono::seconds;
using std::chrono::system_clock;

constexpr seconds kLongest{3'155'760'000};

bool printable(char c) { return c >= 0x20 && c < 0x7f; }

std::string printable_part(std::string_view text, std::size_t most) {
  std::string part(text.substr(0, most));
  std::replace_if(
      part.begin(), part.end(), [](char c) { return !printable(c); }, '?');
  return part;
}

/// Whole, or not at all: an identifier that was changed is none.
std::string identifier(std::string_view text, std::size_t most) {
  return text.size() <= most && std::all_of(text.begin(), text.end(), printable) ? std::string(text) : "";
}

std::optional<std::int64_t> digits(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// "1h2m3.5s"; fractions are dropped.
std::optional<seconds> go_duration(std::string_view text) {
  double sum = 0;
  while (!text.empty()) {
    const auto number = text.substr(0, text.find_first_not_of("0123456789."));
    text.remove_prefix(number.size());
    const auto unit = text.substr(0, text.find_first_of("0123456789."));
    text.remove_prefix(unit.size());
    double count = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), count);
    if (number.empty() || error != std::errc() || end != number.data() + number.size()) return std::nullopt;
    if (unit == "h") {
      sum += count * 3600;
    } else if (unit == "m") {
      sum += count * 60;
    } else if (unit == "s") {
      sum += count;
    } else if (unit != "ms" && unit != "us" && unit != "ns") {
      return std::nullopt;
    }
  }
  if (!(sum <= static_cast<double>(kLongest.count()))) return kLongest;
  return seconds(static_cast<std::int64_t>(sum));
}

/// Our own words for what a server says; the first that is found speaks.
struct Phrase {
  std::string_view theirs;
  std::string_view ours;
};
constexpr std::array kPhrases{
    Phrase{"vault is sealed", "the server is sealed"},
    Phrase{"is sealed", "the server is sealed"},
    Phrase{"not initialized", "the server is not initialised"},
    Phrase{"rate limit quota exceeded", "a rate limit quota is used up"},
    Phrase{"lease count quota exceeded", "a lease count quota is used up"},
    Phrase{"wrapping token is not valid", "the wrapping token was used before, has expired or is none"},
    Phrase{"invalid role or secret id", "the server knows no such role id or secret id"},
    Phrase{"invalid secret id", "the secret id is not valid, has expired or was used up"},
    Phrase{"invalid secret_id", "the secret id is not valid, has expired or was used up"},
    Phrase{"invalid role id", "the server knows no such role id"},
    Phrase{"invalid role_id", "the server knows no such role id"},
    Phrase{"missing role_id", "no role id was given"},
    Phrase{"invalid role name", "there is no such role"},
    Phrase{"could not be found", "there is no such role"},
    Phrase{"unknown role", "there is no such role"},
    Phrase{"missing role", "a role must be named"},
    Phrase{"service account name not authorized", "the role is not for this service account"},
    Phrase{"namespace not authorized", "the role is not for this Kubernetes namespace"},
    Phrase{"audience", "the pod's token is for another audience"},
    Phrase{"token is expired", "the pod's token has expired"},
    Phrase{"token has expired", "the pod's token has expired"},
    Phrase{"error verifying token signature", "the pod's token was not signed by an issuer that the server knows"},
    Phrase{"no known key", "the pod's token was not signed by an issuer that the server knows"},
    Phrase{"lookup failed", "the Kubernetes API does not accept the pod's token"},
    Phrase{"subject", "the role is for another subject than the pod's token"},
    Phrase{"issuer", "the pod's token is of another issuer than the server trusts"},
    Phrase{"does not match", "a claim of the pod's token is not what the role wants"},
    Phrase{"invalid certificate", "no role takes this client certificate"},
    Phrase{"client certificate", "the server was shown no client certificate that it takes"},
    Phrase{"source address", "the server takes this role from other addresses only"},
    Phrase{"namespace not found", "there is no such namespace"},
    Phrase{"no handler for route", "no engine is mounted there"},
    Phrase{"unsupported path", "the engine has no such path"},
    Phrase{"unsupported operation", "the engine does not do that at this path"},
    Phrase{"invalid lease", "there is no such lease"},
    Phrase{"lease not found", "there is no such lease"},
    Phrase{"lease is not renewable", "the lease cannot be renewed"},
    Phrase{"lease expired", "the lease has ended"},
    Phrase{"one use left", "a token with one use left cannot hold a lease"},
    Phrase{"invalid token", "the token is not valid"},
    Phrase{"permission denied", "permission denied"},
    Phrase{"not allowed by this role", "the role does not allow a name that was asked for"},
    Phrase{"upgrading from non-versioned to versioned", "the KV engine is being upgraded"},
    Phrase{"local node not active", "the node is a standby that cannot reach the active one"},
};

std::string_view meaning(const Answer& answer) {
  for (const auto& phrase : kPhrases) {
    if (answer.complains(phrase.theirs)) return phrase.ours;
  }
  return {};
}

Errc code_of(const Answer& answer) {
  switch (answer.status()) {
    case 400:
      // The one 400 that goes by itself.
      return answer.complains("upgrading from non-versioned to versioned") ? Errc::away : Errc::config;
    case 401:
    case 403:
      return Errc::denied;
    case 404:
      return Errc::missing;
    case 405:
    case 411:
    case 413:
    case 414:
    case 415:
    case 422:
      return Errc::config;
    default:
      return Errc::away;
  }
}

bool contains_ignoring_case(std::string_view text, std::string_view lower) {
  return std::search(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
         }) != text.end();
}

}  // namespace

Answer Answer::of(int status, const memory::Secret& body) {
  Answer answer(status);
  answer.known_ = body.empty();
  if (body.empty()) return answer;
  auto document = Document::parse(body);
  if (document && document->root().is_object()) {
    answer.known_ = true;
    answer.document_ = std::move(*document);
  }
  return answer;
}

Document::Value Answer::root() const { return document_ ? document_->root() : Document::Value(); }

std::string Answer::request_id() const { return identifier(root()["request_id"].string(), 100); }

std::optional<Lease> Answer::lease() const {
  Lease lease;
  lease.id = identifier(root()["lease_id"].string(), 1024);
  if (lease.id.empty()) return std::nullopt;
  lease.duration = duration_of(root()["lease_duration"]).value_or(seconds(0));
  lease.renewable = root()["renewable"].boolean().value_or(false);
  return lease;
}

std::vector<std::string> Answer::warnings() const {
  std::vector<std::string> warnings;
  const auto list = root()["warnings"];
  if (!list.is_array()) return warnings;
  for (std::size_t i = 0; i < std::min<std::size_t>(list.size(), 8); ++i) {
    if (!list.at(i).string().empty()) warnings.push_back(printable_part(list.at(i).string(), 200));
  }
  return warnings;
}

std::optional<Grant> Answer::grant() const {
  const auto auth = root()["auth"];
  const auto token = auth["client_token"].string();
  // What goes into a header must be fit for one.
  if (token.empty() || token.size() > 16'384 || !std::all_of(token.begin(), token.end(), printable))
    return std::nullopt;
  Grant grant;
  grant.token = memory::Secret::copy_of(token);
  grant.duration = duration_of(auth["lease_duration"]).value_or(seconds(0));
  grant.renewable = auth["renewable"].boolean().value_or(false);
  grant.uses = std::max<std::int64_t>(0, auth["num_uses"].integer().value_or(0));
  grant.batch = auth["token_type"].string() == "batch";
  return grant;
}

std::optional<Wrap> Answer::wrap() const {
  const auto info = root()["wrap_info"];
  const auto token = info["token"].string();
  if (token.empty() || token.size() > 16'384 || !std::all_of(token.begin(), token.end(), printable))
    return std::nullopt;
  return Wrap{memory::Secret::copy_of(token), identifier(info["creation_path"].string(), 4096)};
}

bool Answer::complains(std::string_view phrase) const {
  const auto errors = root()["errors"];
  if (!errors.is_array()) return false;
  for (std::size_t i = 0; i < std::min<std::size_t>(errors.size(), 8); ++i) {
    if (contains_ignoring_case(errors.at(i).string().substr(0, 4096), phrase)) return true;
  }
  return false;
}

Error error_of(const Answer& answer, const std::string& what) {
  auto message = what + ": HTTP " + std::to_string(answer.status());
  if (const auto ours = meaning(answer); !ours.empty()) {
    message += ", ";
    message += ours;
  } else if (!answer.known()) {
    message += ", and not from a Vault: something between us and the server answered";
  }
  return {code_of(answer), std::move(message)};
}

std::optional<seconds> duration_of(Document::Value value) {
  auto whole = value.integer();
  if (!whole && value.is_string()) whole = digits(value.string());
  if (whole) return std::clamp(seconds(*whole), seconds(0), kLongest);
  if (value.is_string() && !value.string().empty() && value.string().size() < 64) return go_duration(value.string());
  return std::nullopt;
}

std::optional<system_clock::time_point> time_of(std::string_view text) {
  if (text.size() < 20 || text.size() > 64) return std::nullopt;
  std::tm parts{};
  const std::string copy(text);
  const char* rest = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr || parts.tm_year < 70 || parts.tm_year > 330) return std::nullopt;
  if (*rest == '.') rest += 1 + std::strspn(rest + 1, "0123456789");
  long offset = 0;
  if (std::string_view(rest) != "Z") {
    // "+02:00"
    const std::string_view zone(rest);
    if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return std::nullopt;
    const auto hours = digits(zone.substr(1, 2));
    const auto minutes = digits(zone.substr(4, 2));
    if (!hours || !minutes) return std::nullopt;
    offset = static_cast<long>(*hours * 3600 + *minutes * 60) * (zone[0] == '-' ? -1 : 1);
  }
  return system_clock::from_time_t(timegm(&parts) - offset);
}

std::optional<system_clock::time_point> http_date(const std::string& text) {
  std::tm parts{};
  const char* rest = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (rest == nullptr || *rest != '\0' || parts.tm_year < 70 || parts.tm_year > 330) return std::nullopt;
  return system_clock::from_time_t(timegm(&parts));
}

}  // namespace injector::backend::vault
