#include "injector/backend/vault/login.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "injector/backend/vault/base64.h"
#include "injector/backend/vault/json_text.h"
#include "injector/memory/text.h"
#include "scanner/base/fd.h"

namespace injector::backend::vault {
namespace {

using memory::Secret;
using net::Task;
using scanner::base::Errc;
using scanner::base::Error;
using scanner::base::fail;
using scanner::base::Result;

constexpr std::size_t kLargestCredential = 64UL << 10;

Secret trimmed(const Secret& text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto all = text.reveal();
  const auto first = all.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return Secret::copy_of(all.substr(first, all.find_last_not_of(kSpace) + 1 - first));
}

/// What goes into a header must not end it.
bool fit_for_header(const Secret& token) {
  const auto bytes = token.reveal();
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

/// A refused login is nobody's misspelt question but a refusal: 400 is what Vault says to a wrong or expired JWT.
Error refusal(const Answer& answer, const std::string& what) {
  auto error = error_of(answer, what);
  return error.code() == Errc::away ? error : Error(Errc::denied, error.message());
}

bool makes_secret_ids(const AppRoleAuth& auth, std::string_view path) {
  if (!auth.creation_path.empty()) return path == auth.creation_path;
  const auto before = "auth/" + auth.mount + "/role/";
  constexpr std::string_view kAfter = "/secret-id";
  if (path.size() <= before.size() + kAfter.size() || !path.starts_with(before) || !path.ends_with(kAfter))
    return false;
  const auto role = path.substr(before.size(), path.size() - before.size() - kAfter.size());
  return role.find('/') == std::string_view::npos;
}

Secret headers_as_json(const std::vector<net::Header>& headers) {
  std::vector<Field> fields;
  fields.reserve(headers.size());
  for (const auto& header : headers) fields.push_back({header.name, header.value.reveal()});
  return json_object(fields);
}

struct CredentialFiles {
  std::vector<std::string> operator()(const KubernetesAuth& auth) const { return {auth.token_file}; }
  std::vector<std::string> operator()(const JwtAuth& auth) const { return {auth.token_file}; }
  std::vector<std::string> operator()(const AppRoleAuth& auth) const {
    return {auth.role_id_file, auth.secret_id_file};
  }
  std::vector<std::string> operator()(const CertAuth&) const { return {}; }
  std::vector<std::string> operator()(const AwsAuth&) const { return {}; }
  std::vector<std::string> operator()(const TokenFileAuth& auth) const { return {auth.token_file}; }
};

}  // namespace

Login::Login(std::shared_ptr<const Settings> settings, std::shared_ptr<Cluster> cluster, IdentitySigner signer)
    : settings_(std::move(settings)), cluster_(std::move(cluster)), signer_(std::move(signer)) {}

std::string Login::stamp() const {
  std::string stamp;
  for (const auto& file : std::visit(CredentialFiles(), settings_->auth)) {
    struct stat is {};
    if (::stat(file.c_str(), &is) != 0) continue;
    for (const auto number :
         {static_cast<std::int64_t>(is.st_ino), static_cast<std::int64_t>(is.st_size),
          static_cast<std::int64_t>(is.st_mtim.tv_sec), static_cast<std::int64_t>(is.st_mtim.tv_nsec)}) {
      stamp += std::to_string(number) + " ";
    }
  }
  return stamp;
}

Task<Grant> Login::grant(BootClock::time_point deadline) {
  auto task = std::visit([&](const auto& auth) { return log_in(auth, deadline); }, settings_->auth);
  auto grant = co_await std::move(task);
  co_return grant;
}

Task<Grant> Login::post(std::string mount, Secret body, BootClock::time_point deadline) {
  Ask ask;
  ask.what = "logging in at auth/" + mount;
  auto path = encoded("auth/" + mount + "/login");
  if (!path) co_return fail(std::move(path).error().during(ask.what));
  ask.method = "POST";
  ask.path = std::move(*path);
  ask.space = settings_->auth_space;
  ask.body = std::move(body);
  ask.deadline = deadline;
  const auto what = ask.what;
  const auto answer = co_await cluster_->ask(std::move(ask));
  if (!answer) co_return fail(answer.error());
  if (!answer->ok()) co_return fail(refusal(*answer, what));
  auto grant = answer->grant();
  if (!grant) co_return fail(Errc::denied, what + ": the answer holds no token");
  co_return std::move(*grant);
}

Task<Grant> Login::log_in(const KubernetesAuth& auth, BootClock::time_point deadline) {
  const auto jwt = credential(auth.token_file);
  if (!jwt) co_return fail(jwt.error());
  auto body = json_object(Field{"role", auth.role}, Field{"jwt", jwt->reveal()});
  auto grant = co_await post(auth.mount, std::move(body), deadline);
  co_return grant;
}

Task<Grant> Login::log_in(const JwtAuth& auth, BootClock::time_point deadline) {
  const auto jwt = credential(auth.token_file);
  if (!jwt) co_return fail(jwt.error());
  auto body = auth.role.empty() ? json_object(Field{"jwt", jwt->reveal()})
                                : json_object(Field{"role", auth.role}, Field{"jwt", jwt->reveal()});
  auto grant = co_await post(auth.mount, std::move(body), deadline);
  co_return grant;
}

Task<Grant> Login::log_in(const AppRoleAuth& auth, BootClock::time_point deadline) {
  const auto role_id = credential(auth.role_id_file);
  if (!role_id) co_return fail(role_id.error());
  if (auth.secret_id == AppRoleAuth::SecretId::none) {
    auto grant = co_await post(auth.mount, json_object(Field{"role_id", role_id->reveal()}), deadline);
    co_return grant;
  }
  const auto secret_id = co_await this->secret_id(auth, deadline);
  if (!secret_id) co_return fail(secret_id.error());
  auto body = json_object(Field{"role_id", role_id->reveal()}, Field{"secret_id", secret_id->reveal()});
  auto grant = co_await post(auth.mount, std::move(body), deadline);
  co_return grant;
}

Task<Grant> Login::log_in(const CertAuth& auth, BootClock::time_point deadline) {
  auto body = auth.name.empty() ? json_object(std::span<const Field>()) : json_object(Field{"name", auth.name});
  auto grant = co_await post(auth.mount, std::move(body), deadline);
  co_return grant;
}

Task<Grant> Login::log_in(const AwsAuth& auth, BootClock::time_point deadline) {
  if (!signer_) co_return fail(Errc::config, "logging in at auth/" + auth.mount + ": no AWS credentials to sign with");
  const auto identity = co_await signer_(auth.server_id);
  if (!identity) co_return fail(Error(identity.error()).during("logging in at auth/" + auth.mount));
  const auto url = base64(identity->url);
  const auto request = base64(identity->body);
  const auto headers = base64(headers_as_json(identity->headers).reveal());
  auto body = json_object(Field{"role", auth.role}, Field{"iam_http_request_method", "POST"},
                          Field{"iam_request_url", url.reveal()}, Field{"iam_request_body", request.reveal()},
                          Field{"iam_request_headers", headers.reveal()});
  auto grant = co_await post(auth.mount, std::move(body), deadline);
  co_return grant;
}

/// Asks the token about itself: its file says nothing of its term.
Task<Grant> Login::log_in(const TokenFileAuth& auth, BootClock::time_point deadline) {
  auto token = credential(auth.token_file);
  if (!token) co_return fail(token.error());
  if (!fit_for_header(*token)) co_return fail(Errc::config, "reading " + auth.token_file + ": it holds no token");
  Ask ask;
  ask.what = "looking up the token in " + auth.token_file;
  ask.path = "auth/token/lookup-self";
  ask.space = settings_->auth_space;
  ask.token = &*token;
  ask.deadline = deadline;
  const auto what = ask.what;
  const auto answer = co_await cluster_->ask(std::move(ask));
  if (!answer) co_return fail(answer.error());
  if (!answer->ok()) co_return fail(refusal(*answer, what));
  const auto data = answer->data();
  const auto duration = duration_of(data["ttl"]);
  if (!duration) co_return fail(Errc::denied, what + ": the answer has no ttl");
  Grant grant;
  grant.duration = *duration;
  grant.renewable = data["renewable"].boolean().value_or(false);
  grant.uses = std::max<std::int64_t>(0, data["num_uses"].integer().value_or(0));
  grant.batch = data["type"].string() == "batch";
  grant.token = std::move(*token);
  co_return grant;
}

Task<Secret> Login::secret_id(const AppRoleAuth& auth, BootClock::time_point deadline) {
  if (auth.secret_id == AppRoleAuth::SecretId::plain) co_return credential(auth.secret_id_file);
  auto unwrapped = co_await unwrapped_secret_id(auth, deadline);
  co_return unwrapped;
}

/// Looks into the wrapping before it opens it: whoever put another token there than the one that the role's owner made
/// may have opened that one, and wrapped what he found again.
Task<Secret> Login::unwrapped_secret_id(const AppRoleAuth& auth, BootClock::time_point deadline) {
  const auto token = credential(auth.secret_id_file);
  if (!token) {
    // Whoever delivers it may also take it away again.
    if (!secret_id_.empty()) co_return secret_id_.clone();
    co_return fail(token.error());
  }
  if (!fit_for_header(*token)) co_return fail(Errc::config, "reading " + auth.secret_id_file + ": it holds no token");
  if (!secret_id_.empty() && token->equals(wrapping_)) co_return secret_id_.clone();
  const std::string step = "opening the wrapped secret id in " + auth.secret_id_file;

  Ask look;
  look.what = step;
  look.method = "POST";
  look.path = "sys/wrapping/lookup";
  look.space = settings_->auth_space;
  look.body = json_object(Field{"token", token->reveal()});
  look.deadline = deadline;
  const auto looked = co_await cluster_->ask(std::move(look));
  if (!looked) co_return fail(looked.error());
  if (!looked->ok()) co_return fail(refusal(*looked, step));
  if (!makes_secret_ids(auth, looked->data()["creation_path"].string())) {
    const auto wanted = auth.creation_path.empty() ? "auth/" + auth.mount + "/role/ROLE/secret-id" : auth.creation_path;
    co_return fail(Errc::denied,
                   step + ": it was not made by " + wanted + ": somebody may have exchanged or opened it");
  }

  Ask open;
  open.what = step;
  open.method = "POST";
  open.path = "sys/wrapping/unwrap";
  open.space = settings_->auth_space;
  open.token = &*token;
  open.deadline = deadline;
  const auto opened = co_await cluster_->ask(std::move(open));
  if (!opened) co_return fail(opened.error());
  if (!opened->ok()) co_return fail(refusal(*opened, step));
  const auto secret_id = opened->data()["secret_id"].string();
  if (secret_id.empty()) co_return fail(Errc::denied, step + ": there is no secret id in it");
  secret_id_ = Secret::copy_of(secret_id);
  wrapping_ = token->clone();
  co_return secret_id_.clone();
}

Result<Secret> credential(const std::string& path) {
  const scanner::base::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return fail(Errc::config, "reading " + path + ": " + std::strerror(errno));
  auto text = Secret::of_size(kLargestCredential + 1);
  std::size_t size = 0;
  while (size < text.size()) {
    const auto n = ::read(file.get(), text.writable().data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(Errc::config, "reading " + path + ": " + std::strerror(errno));
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  if (size > kLargestCredential) return fail(Errc::config, "reading " + path + ": more than 64 KiB are no credential");
  text.shrink(size);
  auto credential = trimmed(text);
  if (credential.empty()) return fail(Errc::config, "reading " + path + ": it is empty");
  return credential;
}

}  // namespace injector::backend::vault
