#include <algorithm>
#include <string>
#include <utility>

#include "injector/backend/aws/fault.h"
#include "injector/backend/aws/file_text.h"
#include "injector/backend/aws/pause.h"
#include "injector/backend/aws/provider.h"
#include "injector/backend/aws/times.h"
#include "injector/backend/aws/xml.h"
#include "injector/memory/text.h"

namespace injector::backend::aws {
namespace {

using memory::Secret;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Result;

constexpr std::size_t kLargestToken = 20'000;  // Of STS.
constexpr int kAttempts = 3;
constexpr std::string_view kUnreserved = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~";

void append_escaped(memory::Text& out, std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : bytes) {
    if (kUnreserved.find(c) != kUnreserved.npos) {
      out.append(c);
      continue;
    }
    const auto byte = static_cast<std::uint8_t>(c);
    out.append('%').append(kDigits[byte >> 4]).append(kDigits[byte & 15]);
  }
}

/// The token in the file, less the line break at its end that people's editors leave.
Result<Secret> token_in(const std::string& path) {
  auto text = read_secret_file(path, kLargestToken);
  if (!text) return fail(text.error().code() == Errc::missing ? Errc::away : Errc::config, text.error().message());
  const std::string_view bytes = text->reveal();
  const std::size_t end = bytes.find_last_not_of(" \t\r\n");
  if (end == bytes.npos) return fail(Errc::away, path + " is empty");
  text->shrink(end + 1);
  return std::move(*text);
}

class WebIdentityProvider final : public Provider {
 public:
  WebIdentityProvider(WebIdentity identity, net::Http& http) : identity_(std::move(identity)), http_(&http) {
    if (identity_.session_name.empty()) identity_.session_name = "secret-injector";
  }

  [[nodiscard]] std::string name() const override { return "web identity"; }

  net::Task<Credentials> fetch() override {
    if (identity_.token_file.empty()) co_return fail(Errc::missing, "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
    if (identity_.role_arn.empty()) {
      co_return fail(Errc::config, "a web identity token needs a role: AWS_ROLE_ARN is not set");
    }
    if (!session_name_is_well()) {
      co_return fail(Errc::config, "a role session name is 2 to 64 of letters, digits and _+=,.@-");
    }
    bool token_was_stale = false;
    for (int attempt = 0;; ++attempt) {
      auto token = token_in(identity_.token_file);
      if (!token) co_return fail(std::move(token).error());
      net::Request request = ask(*token);
      auto response = co_await http_->send(std::move(request));
      Fault fault;
      if (!response) {
        fault.transport = response.error().message();
        fault.remedy = Remedy::retry;
      } else if (response->status == 200) {
        auto credentials = read_sts_credentials(response->body);
        if (credentials) {
          credentials->answered = parse_http_date(response->header("date"));
          co_return credentials;
        }
        fault.status = 200;
        fault.code = credentials.error().message();
        fault.remedy = Remedy::retry;
      } else {
        fault = fault_of(*response);
      }
      const bool again = fault.remedy == Remedy::retry || fault.remedy == Remedy::throttle ||
                         (fault.remedy == Remedy::credentials && !std::exchange(token_was_stale, true));
      if (!again || attempt + 1 >= kAttempts) co_return fail(fault.error("AssumeRoleWithWebIdentity"));
      const Milliseconds wait = retry_wait(attempt, fault.remedy == Remedy::throttle, fault.wait);
      if (wait > kLongestWait) co_return fail(fault.error("AssumeRoleWithWebIdentity"));
      const bool waited = co_await pause(wait);
      if (!waited) co_return fail(Errc::away, kCancelled);
    }
  }

 private:
  static constexpr Milliseconds kLongestWait{5'000};

  [[nodiscard]] bool session_name_is_well() const {
    const std::string& name = identity_.session_name;
    return name.size() >= 2 && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
             return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    std::string_view("_+=,.@-").find(c) != std::string_view::npos;
           });
  }

  [[nodiscard]] net::Request ask(const Secret& token) const {
    memory::Text body(token.size() + 512);
    body.append("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&DurationSeconds=3600&RoleArn=");
    append_escaped(body, identity_.role_arn);
    body.append("&RoleSessionName=");
    append_escaped(body, identity_.session_name);
    body.append("&WebIdentityToken=");
    append_escaped(body, token.reveal());
    net::Request request;
    request.method = "POST";
    request.url = identity_.sts_url;
    request.headers.push_back({"Content-Type", Secret::copy_of("application/x-www-form-urlencoded; charset=utf-8")});
    request.body = body.finish();
    request.timeout = identity_.timeout;
    return request;
  }

  WebIdentity identity_;
  net::Http* http_;
};

}  // namespace

Result<Credentials> read_sts_credentials(const Secret& body) {
  const auto xml = XmlLeaves::parse(body);
  if (!xml) return fail(xml.error());
  const auto field = [&](const char* name) {
    return xml->at("AssumeRoleWithWebIdentityResult/Credentials/" + std::string(name));
  };
  Credentials out;
  out.access_key_id = std::string(field("AccessKeyId"));
  out.secret_access_key = Secret::copy_of(field("SecretAccessKey"));
  out.session_token = Secret::copy_of(field("SessionToken"));
  out.expires = parse_iso8601(field("Expiration"));
  if (out.access_key_id.empty() || out.secret_access_key.empty() || out.session_token.empty() || !out.expires) {
    return fail(Errc::corrupt, "an answer without whole credentials");
  }
  return out;
}

std::unique_ptr<Provider> web_identity_provider(WebIdentity identity, net::Http& http) {
  return std::make_unique<WebIdentityProvider>(std::move(identity), http);
}

}  // namespace injector::backend::aws
