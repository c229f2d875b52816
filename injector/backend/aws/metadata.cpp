// The two services that a machine itself offers: the container endpoint (ECS, EKS Pod Identity) and EC2's.

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "injector/backend/aws/fault.h"
#include "injector/backend/aws/file_text.h"
#include "injector/backend/aws/host.h"
#include "injector/backend/aws/pause.h"
#include "injector/backend/aws/provider.h"
#include "injector/backend/aws/times.h"
#include "injector/memory/document.h"

namespace injector::backend::aws {
namespace {

using memory::Document;
using memory::Secret;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Result;

class ContainerProvider final : public Provider {
 public:
  ContainerProvider(const Environment& environment, net::Http& http)
      : full_(text_of(environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI")),
        relative_(text_of(environment, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")),
        token_file_(text_of(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")),
        token_(Secret::copy_of(value_of(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN"))),
        http_(&http) {}

  [[nodiscard]] std::string name() const override { return "container endpoint"; }

  net::Task<Credentials> fetch() override {
    if (full_.empty() && relative_.empty()) {
      co_return fail(Errc::missing, "AWS_CONTAINER_CREDENTIALS_FULL_URI is not set");
    }
    // The relative one wins, as in AWS' own clients: it can lead nowhere but to ECS.
    const std::string url = relative_.empty() ? full_ : "http://169.254.170.2" + relative_;
    if (!relative_.empty() && relative_.front() != '/') {
      co_return fail(Errc::config, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI must begin with a slash");
    }
    if (!url.starts_with("https://") && !plain_http_allowed(url)) {
      co_return fail(Errc::config,
                     "AWS_CONTAINER_CREDENTIALS_FULL_URI: plain http is for loopback, ECS and EKS addresses only");
    }
    for (int attempt = 0;; ++attempt) {
      auto token = authorization_token();
      if (!token) co_return fail(std::move(token).error());
      net::Request request;
      request.url = url;
      request.timeout = kTimeout;
      request.headers.push_back({"Accept", Secret::copy_of("application/json")});
      if (!token->empty()) request.headers.push_back({"Authorization", std::move(*token)});
      auto response = co_await http_->send(std::move(request));
      Fault fault;
      if (!response) {
        fault.transport = response.error().message();
        fault.remedy = Remedy::retry;
      } else if (response->status == 200) {
        auto credentials = read_metadata_credentials(response->body);
        if (credentials) credentials->answered = parse_http_date(response->header("date"));
        if (credentials || credentials.error().code() == Errc::denied) co_return credentials;
        fault = {200, credentials.error().message(), Remedy::retry, Errc::away, {}, {}, {}, false};
      } else {
        fault = fault_of(*response);
        if (fault.errc == Errc::missing || fault.errc == Errc::config) fault.errc = Errc::denied;
      }
      const bool again = fault.remedy == Remedy::retry || fault.remedy == Remedy::throttle;
      const Milliseconds wait = retry_wait(attempt, false, fault.wait);
      if (!again || attempt + 1 >= kAttempts || wait > kTimeout) co_return fail(fault.error(name()));
      const bool waited = co_await pause(wait);
      if (!waited) co_return fail(Errc::away, kCancelled);
    }
  }

 private:
  static constexpr Milliseconds kTimeout{2'000};
  static constexpr int kAttempts = 3;
  static constexpr std::size_t kLargestToken = 16'384;

  /// Empty when none is set. The file is rotated by the kubelet, so it is read each time.
  [[nodiscard]] Result<Secret> authorization_token() const {
    Secret token = token_.clone();
    if (!token_file_.empty()) {
      auto text = read_secret_file(token_file_, kLargestToken);
      if (!text) return fail(text.error().code() == Errc::missing ? Errc::away : Errc::config, text.error().message());
      if (text->empty()) return fail(Errc::away, token_file_ + " is empty");
      token = std::move(*text);
    }
    if (token.reveal().find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
      return fail(Errc::config, "the container's authorization token holds a line break");
    }
    return token;
  }

  std::string full_;
  std::string relative_;
  std::string token_file_;
  Secret token_;
  net::Http* http_;
};

class InstanceProvider final : public Provider {
 public:
  InstanceProvider(const Environment& environment, net::Http& http)
      : disabled_(value_of(environment, "AWS_EC2_METADATA_DISABLED") == "true"),
        base_(text_of(environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT")),
        http_(&http) {
    if (base_.empty()) {
      const bool v6 = value_of(environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE") == "IPv6";
      base_ = v6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
    }
    while (base_.ends_with('/')) base_.pop_back();
  }

  [[nodiscard]] std::string name() const override { return "EC2 metadata"; }

  net::Task<Credentials> fetch() override {
    if (disabled_) co_return fail(Errc::missing, "EC2 metadata is disabled");
    const std::string_view host = host_of(base_);
    if (!base_.starts_with("https://") && host != "169.254.169.254" && host != "[fd00:ec2::254]" &&
        !is_loopback(host)) {
      co_return fail(Errc::config, "AWS_EC2_METADATA_SERVICE_ENDPOINT: plain http is for EC2's own addresses");
    }
    constexpr const char* kPath = "/latest/meta-data/iam/security-credentials/";
    auto role = co_await get(kPath);
    if (!role) co_return fail(std::move(role).error());
    const std::string_view name_of_role = role->reveal().substr(0, role->reveal().find('\n'));
    constexpr std::string_view kRole = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@-";
    if (name_of_role.empty() || name_of_role.size() > 64 ||
        name_of_role.find_first_not_of(kRole) != name_of_role.npos) {
      co_return fail(Errc::corrupt, "EC2 metadata: no name of a role");
    }
    const std::string path = kPath + std::string(name_of_role);
    auto body = co_await get(path);
    if (!body) co_return fail(std::move(body).error());
    auto credentials = read_metadata_credentials(*body);
    if (!credentials) co_return fail(std::move(credentials).error().during("EC2 metadata"));
    co_return credentials;
  }

 private:
  static constexpr Milliseconds kTimeout{1'000};
  static constexpr const char* kTokenSeconds = "21600";
  static constexpr std::chrono::seconds kTokenLife{21'000};

  net::Task<Secret> get(std::string path) {
    for (int attempt = 0;; ++attempt) {
      if (token_.empty() || BootClock::now() >= token_until_) {
        auto token = co_await session();
        if (!token) co_return fail(std::move(token).error());
        token_ = std::move(*token);
        token_until_ = BootClock::now() + kTokenLife;
      }
      net::Request request;
      request.url = base_ + path;
      request.timeout = kTimeout;
      request.headers.push_back({"X-aws-ec2-metadata-token", token_.clone()});
      auto response = co_await http_->send(std::move(request));
      if (!response) co_return fail(response.error().during("EC2 metadata"));
      if (response->status == 200) co_return std::move(response->body);
      if (response->status == 404) co_return fail(Errc::missing, "EC2 metadata: the instance has no role");
      if (response->status != 401 || attempt > 0) co_return fail(fault_of(*response).error("EC2 metadata"));
      token_ = Secret();
    }
  }

  /// Never without it: version 1 hands credentials to whoever can make a process fetch a URL.
  net::Task<Secret> session() {
    net::Request request;
    request.method = "PUT";
    request.url = base_ + "/latest/api/token";
    request.timeout = kTimeout;
    request.headers.push_back({"X-aws-ec2-metadata-token-ttl-seconds", Secret::copy_of(kTokenSeconds)});
    auto response = co_await http_->send(std::move(request));
    if (!response) {
      co_return fail(response.error().during("EC2 metadata (is its hop limit 1, or is this no EC2 instance?)"));
    }
    if (response->status != 200) co_return fail(fault_of(*response).error("EC2 metadata, session token"));
    const std::string_view token = response->body.reveal();
    if (token.empty() || token.size() > 1024 || token.find_first_of(std::string_view("\r\n\0", 3)) != token.npos) {
      co_return fail(Errc::corrupt, "EC2 metadata: no session token");
    }
    co_return std::move(response->body);
  }

  bool disabled_;
  std::string base_;
  Secret token_;
  BootClock::time_point token_until_{};
  net::Http* http_;
};

}  // namespace

bool plain_http_allowed(const std::string& url) {
  constexpr std::array<std::string_view, 3> kLinkLocal = {"169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};
  if (!url.starts_with("http://")) return false;
  const std::string_view host = host_of(url);
  return is_loopback(host) || std::find(kLinkLocal.begin(), kLinkLocal.end(), host) != kLinkLocal.end();
}

Result<Credentials> read_metadata_credentials(const Secret& body) {
  const auto json = Document::parse(body);
  if (!json) return fail(json.error());
  const Document::Value root = json->root();
  const std::string_view code = root["Code"].string();
  if (!code.empty() && code != "Success") {
    return fail(Errc::denied, "no credentials: " + plain_code(code));
  }
  Credentials out;
  out.access_key_id = std::string(root["AccessKeyId"].string());
  out.secret_access_key = Secret::copy_of(root["SecretAccessKey"].string());
  out.session_token = Secret::copy_of(root["Token"].string());
  if (out.access_key_id.empty() || out.secret_access_key.empty()) {
    return fail(Errc::corrupt, "an answer without AccessKeyId or SecretAccessKey");
  }
  const Document::Value expiration = root["Expiration"];
  if (expiration.is_string()) {
    out.expires = parse_iso8601(expiration.string());
    if (!out.expires) return fail(Errc::corrupt, "an Expiration that is no time");
  }
  return out;
}

std::unique_ptr<Provider> container_provider(const Environment& environment, net::Http& http) {
  return std::make_unique<ContainerProvider>(environment, http);
}

std::unique_ptr<Provider> instance_provider(const Environment& environment, net::Http& http) {
  return std::make_unique<InstanceProvider>(environment, http);
}

}  // namespace injector::backend::aws
