#include "scanner/judge/checks_logins.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "scanner/judge/checks_answer.h"
#include "scanner/judge/checks_chars.h"
#include "scanner/judge/checks_placeholder.h"
#include "scanner/judge/decode.h"

namespace scanner::judge {
namespace {

/// What images and packages are delivered with.
constexpr std::array<std::string_view, 14> kDefaultPasswords = {
    "admin", "cassandra", "elastic",  "guest",    "minio", "minioadmin", "mongo",
    "mysql", "neo4j",     "postgres", "rabbitmq", "redis", "root",       "sa"};

bool is_default_password(std::string_view user, std::string_view password) {
  return (password == user && !password.empty()) ||
         std::find(kDefaultPasswords.begin(), kDefaultPasswords.end(), password) != kDefaultPasswords.end();
}

struct Login {
  std::string_view user;
  std::string_view password;
  std::string_view host;
};

/// The login of the first `scheme://user:password@host` in `text`. A password may hold the characters that end an
/// authority, when it was not encoded as it should be.
std::optional<Login> find_login(std::string_view text) {
  const auto scheme = text.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  text.remove_prefix(scheme + 3);
  const auto ends_text = [](char c) {
    return is_space(c) || std::string_view("\"'`<>").find(c) != std::string_view::npos;
  };
  const auto end = std::find_if(text.begin(), text.end(), ends_text);
  text = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  auto at = text.substr(0, text.find_first_of("/?#")).rfind('@');
  if (at == std::string_view::npos) at = text.find('@');
  const auto colon = text.find(':');
  if (at == std::string_view::npos || colon >= at) return std::nullopt;
  const auto host = text.substr(at + 1);
  const auto host_end = host.starts_with('[') ? host.find(']') : host.find_first_of(":/?#,;&");
  return Login{text.substr(0, colon), text.substr(colon + 1, at - colon - 1), host.substr(0, host_end)};
}

/// This machine, or a name that only a private network knows: a service of docker compose, say.
bool is_local(std::string_view host) {
  if (host.empty()) return false;
  return host.find('.') == std::string_view::npos || host.starts_with("127.") || host == "0.0.0.0" ||
         host == "host.docker.internal" || host.ends_with(".localhost") || host.ends_with(".local");
}

}  // namespace

CheckResult check_base64_userpass(std::string_view secret, std::string_view, std::int64_t) {
  constexpr std::string_view kScheme = "Basic ";
  constexpr std::size_t kTelling = 12;
  if (secret.starts_with(kScheme)) secret.remove_prefix(kScheme.size());
  const auto decoded = decode_base64(trimmed(secret));
  if (!decoded) return refused();
  const std::string_view text = trimmed(*decoded);  // `echo` and `base64` together leave a line end
  const auto is_text = [](char c) { return is_print(c) || is_space(c); };
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || !all_of(text, is_text)) return refused();
  const auto user = text.substr(0, colon);
  const auto password = text.substr(colon + 1);
  constexpr std::string_view kRfc7617Sample = "Aladdin:open sesame";
  if (is_placeholder(password) || text == kRfc7617Sample) return refused();
  if (is_default_password(user, password)) return with_severity(accepted(), Severity::low, "a default password");
  return text.size() >= kTelling ? confirmed() : accepted();
}

CheckResult check_url_password(std::string_view secret, std::string_view match, std::int64_t) {
  const bool is_url = secret.find("://") != std::string_view::npos;
  const auto login = find_login(is_url ? secret : match);
  if (is_url && !login) return refused();
  const auto password = is_url ? login->password : secret;
  const std::string plain = decode_percent(password);
  if (is_placeholder(password) || is_placeholder(plain)) return refused();
  const std::string user = login ? decode_percent(login->user) : std::string();
  if (login && is_local(login->host) && is_default_password(user, plain)) {
    return with_severity(accepted(), Severity::low, "a default password on a local host");
  }
  return accepted();
}

}  // namespace scanner::judge
