#include "tests/injector/backend/aws/fake_aws.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>

#include "injector/backend/aws/sigv4.h"
#include "injector/backend/aws/times.h"
#include "scanner/base/hash.h"

namespace tests {

namespace aws = injector::backend::aws;
using injector::net::Request;
using injector::net::Response;
using scanner::base::Json;

namespace {

std::string header_of(const Request& request, const std::string& name) {
  for (const auto& header : request.headers) {
    if (header.name == name) return std::string(header.value.reveal());
  }
  return {};
}

std::string host_in(const std::string& url) {
  const auto start = url.find("://") + 3;
  return url.substr(start, url.find('/', start) - start);
}

std::string path_in(const std::string& url) { return url.substr(url.find('/', url.find("://") + 3)); }

std::string field(const std::string& text, const std::string& before, const std::string& after) {
  const auto start = text.find(before);
  if (start == std::string::npos) return {};
  const auto from = start + before.size();
  return text.substr(from, text.find(after, from) - from);
}

std::string http_date(aws::Time time) {
  const auto clock = std::chrono::system_clock::to_time_t(time);
  std::array<char, 40> text{};
  std::tm parts{};
  ::gmtime_r(&clock, &parts);
  return {text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

std::string base64(const std::string& bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = (group << 8) | (i + k < bytes.size() ? static_cast<std::uint8_t>(bytes[i + k]) : 0U);
    }
    for (int k = 0; k < 4; ++k) out += kDigits[(group >> (18 - 6 * k)) & 63];
  }
  for (std::size_t k = bytes.size() % 3; k != 0 && k < 3; ++k) out[out.size() - (3 - k)] = '=';
  return out;
}

std::string arn_of(const std::string& name, const std::string& region) {
  return "arn:aws:secretsmanager:" + region + ":123456789012:secret:" + name + "-AbCdEf";
}

}  // namespace

Response json_answer(int status, const std::string& body) {
  Response response;
  response.status = status;
  response.headers.push_back({"x-amzn-requestid", injector::memory::Secret::copy_of("req-1")});
  response.body = injector::memory::Secret::copy_of(body);
  return response;
}

Response aws_error(int status, const std::string& code) {
  return json_answer(status, Json{{"__type", code}, {"Message", "canary-of-a-message"}}.dump());
}

int FakeAws::count(const std::string& what) const {
  return static_cast<int>(std::count_if(seen.begin(), seen.end(), [&](const Seen& one) { return one.what == what; }));
}

std::string FakeAws::put(const std::string& name, const std::string& value, bool binary) {
  Secret& secret = secrets[name];
  for (Version& version : secret.versions) {
    std::erase(version.stages, "AWSPREVIOUS");
    for (std::string& stage : version.stages) {
      if (stage == "AWSCURRENT") stage = "AWSPREVIOUS";
    }
  }
  const std::string id = scanner::base::hex(scanner::base::sha256(name + std::to_string(secret.versions.size())));
  secret.versions.push_back({id.substr(0, 36), value, binary, {"AWSCURRENT"}});
  return id.substr(0, 36);
}

injector::net::Task<Response> FakeAws::send(Request request) {
  const std::string host = host_in(request.url);
  const std::string target = header_of(request, "X-Amz-Target");
  const std::string what = !target.empty()            ? target.substr(target.find('.') + 1)
                           : request.method == "POST" ? field(std::string(request.body.reveal()), "Action=", "&")
                                                      : request.method + " " + path_in(request.url);
  seen.push_back(
      {host, what, std::string(request.body.reveal()), field(header_of(request, "Authorization"), "Credential=", "/")});
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, latency);
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  boost::system::error_code stopped;
  co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, stopped));
  if (stopped) co_return scanner::base::fail(scanner::base::Errc::away, "the request was cancelled");
  if (away[host]) co_return scanner::base::fail(scanner::base::Errc::away, host + ": connection refused");
  auto& scripted = script[host];
  std::optional<Response> response;
  if (!scripted.empty()) {
    const Scripted next = scripted.front();
    scripted.pop_front();
    response = next();
    if (!response) co_return scanner::base::fail(scanner::base::Errc::away, host + ": connection reset");
  } else {
    response = answer(request, host);
  }
  if (date_header) {
    const auto now = std::chrono::system_clock::now() + clock;
    response->headers.push_back({"date", injector::memory::Secret::copy_of(http_date(now))});
  }
  co_return std::move(*response);
}

Response FakeAws::answer(const Request& request, const std::string& host) {
  if (host.starts_with("secretsmanager")) return secrets_manager(request, host);
  if (host.starts_with("sts")) return sts(request);
  return metadata(request, host);
}

std::string FakeAws::refusal_of_signature(const Request& request, const std::string& host) {
  const std::string authorization = header_of(request, "Authorization");
  if (authorization.empty()) return "MissingAuthenticationTokenException";
  const auto key = keys.find(field(authorization, "Credential=", "/"));
  if (key == keys.end() || header_of(request, "X-Amz-Security-Token") != key->second.token) {
    return "UnrecognizedClientException";
  }
  if (key->second.expired) return "ExpiredTokenException";
  const std::string date = header_of(request, "X-Amz-Date");
  const auto time = aws::parse_iso8601(date.substr(0, 4) + "-" + date.substr(4, 2) + "-" + date.substr(6, 5) + ":" +
                                       date.substr(11, 2) + ":" + date.substr(13, 3));
  const auto off = *time - (std::chrono::system_clock::now() + clock);
  if (std::chrono::abs(off) > std::chrono::minutes(5)) return "InvalidSignatureException";

  Request unsigned_request;
  unsigned_request.method = request.method;
  unsigned_request.url = request.url;
  unsigned_request.body = request.body.clone();
  for (const auto& header : request.headers) {
    if (header.name.starts_with("X-Amz-Target") || header.name == "Content-Type") {
      unsigned_request.headers.push_back({header.name, header.value.clone()});
    }
  }
  aws::Credentials credentials;
  credentials.access_key_id = key->first;
  credentials.secret_access_key = injector::memory::Secret::copy_of(key->second.secret);
  credentials.session_token = injector::memory::Secret::copy_of(key->second.token);
  const bool manager = host.starts_with("secretsmanager");
  const std::string region = field(host, ".", ".");
  aws::Signer(std::move(credentials)).sign(unsigned_request, {region, manager ? "secretsmanager" : "sts"}, *time);
  return unsigned_request.headers.back().value.reveal() == authorization ? "" : "InvalidSignatureException";
}

Response FakeAws::secrets_manager(const Request& request, const std::string& host) {
  if (const std::string refusal = refusal_of_signature(request, host); !refusal.empty()) return aws_error(400, refusal);
  const Json asked = Json::parse(request.body.reveal());
  const std::string operation = header_of(request, "X-Amz-Target").substr(15);
  const std::string region = field(host, ".", ".");

  // One secret's answer, or the code of its refusal.
  const auto value_of = [&](const std::string& id, const std::string& version, const std::string& stage,
                            Json& out) -> std::string {
    const auto found = std::find_if(secrets.begin(), secrets.end(), [&](const auto& secret) {
      const std::string arn = arn_of(secret.first, region);
      return id == secret.first || id == arn || id + "-AbCdEf" == arn;
    });
    if (found == secrets.end()) return "ResourceNotFoundException";
    if (!found->second.refusal.empty()) return found->second.refusal;
    if (found->second.deleted) return "InvalidRequestException";
    for (const Version& one : found->second.versions) {
      const bool staged = std::find(one.stages.begin(), one.stages.end(), stage) != one.stages.end();
      if (version.empty() ? !staged : one.id != version) continue;
      out = {{"ARN", arn_of(found->first, region)},
             {"Name", found->first},
             {"VersionId", one.id},
             {"CreatedDate", 1.7e9},
             {"VersionStages", one.stages}};
      out[one.binary ? "SecretBinary" : "SecretString"] = one.binary ? base64(one.value) : one.value;
      return "";
    }
    return "ResourceNotFoundException";
  };

  if (operation == "BatchGetSecretValue") {
    if (!batch_allowed) return aws_error(400, "AccessDeniedException");
    Json out{{"SecretValues", Json::array()}, {"Errors", Json::array()}};
    if (asked["SecretIdList"].size() > 20) return aws_error(400, "InvalidParameterException");
    for (const Json& id : asked["SecretIdList"]) {
      Json value;
      const std::string code = value_of(id.get<std::string>(), "", "AWSCURRENT", value);
      if (code.empty()) {
        out["SecretValues"].push_back(value);
      } else {
        out["Errors"].push_back({{"SecretId", id}, {"ErrorCode", code}, {"Message", "canary marked for deletion"}});
      }
    }
    return json_answer(200, out.dump());
  }
  const std::string id = asked["SecretId"].get<std::string>();
  if (operation == "DescribeSecret") {
    if (!describe_allowed) return aws_error(400, "AccessDeniedException");
    const auto found = std::find_if(secrets.begin(), secrets.end(), [&](const auto& secret) {
      return id == secret.first || id == arn_of(secret.first, region);
    });
    if (found == secrets.end()) return aws_error(400, "ResourceNotFoundException");
    Json out{{"ARN", arn_of(found->first, region)}, {"Name", found->first}, {"VersionIdsToStages", Json::object()}};
    for (const Version& one : found->second.versions) out["VersionIdsToStages"][one.id] = one.stages;
    if (found->second.deleted) out["DeletedDate"] = 1.7e9;
    return json_answer(200, out.dump());
  }
  Json value;
  const std::string code = value_of(id, asked.value("VersionId", ""), asked.value("VersionStage", ""), value);
  if (code == "InvalidRequestException") {
    return json_answer(400, Json{{"__type", code}, {"Message", "canary: it was marked for deletion."}}.dump());
  }
  return code.empty() ? json_answer(200, value.dump()) : aws_error(400, code);
}

Json FakeAws::issue(bool container) {
  const std::string id = "ASIA" + std::to_string(++issued);
  keys[id] = {"secret-of-" + id, "token-of-" + id, false};
  Json out{{"AccessKeyId", id},
           {"SecretAccessKey", keys[id].secret},
           {"Token", keys[id].token},
           {"Expiration", aws::iso8601(std::chrono::system_clock::now() + clock + lifetime)}};
  if (!container) out["Code"] = "Success";
  return out;
}

Response FakeAws::sts(const Request& request) {
  const std::string body(request.body.reveal());
  if (field(body + "&", "Action=", "&") == "GetCallerIdentity") {
    if (const std::string refusal = refusal_of_signature(request, host_in(request.url)); !refusal.empty()) {
      return json_answer(403, "<ErrorResponse><Error><Code>" + refusal + "</Code></Error></ErrorResponse>");
    }
    return json_answer(200,
                       "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/x</Arn>"
                       "</GetCallerIdentityResult></GetCallerIdentityResponse>");
  }
  if (field(body + "&", "WebIdentityToken=", "&") != web_identity_token) {
    return json_answer(400,
                       "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredTokenException</Code><Message>canary"
                       "</Message></Error><RequestId>1</RequestId></ErrorResponse>");
  }
  const Json made = issue(false);
  const auto text = [&](const char* name) { return made[name].get<std::string>(); };
  return json_answer(200,
                     "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n"
                     "<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>" +
                         text("AccessKeyId") + "</AccessKeyId><SecretAccessKey>" + text("SecretAccessKey") +
                         "</SecretAccessKey><SessionToken>" + text("Token") + "</SessionToken><Expiration>" +
                         text("Expiration") +
                         "</Expiration></Credentials></AssumeRoleWithWebIdentityResult>"
                         "</AssumeRoleWithWebIdentityResponse>");
}

Response FakeAws::metadata(const Request& request, const std::string& host) {
  const std::string path = path_in(request.url);
  if (host != "169.254.169.254") {
    if (header_of(request, "Authorization") != container_token) return json_answer(403, "{}");
    return json_answer(200, issue(true).dump());
  }
  if (request.method == "PUT" && path == "/latest/api/token") {
    if (header_of(request, "X-aws-ec2-metadata-token-ttl-seconds").empty()) return json_answer(400, "");
    return json_answer(200, "session-1");
  }
  if (header_of(request, "X-aws-ec2-metadata-token") != "session-1") return json_answer(401, "");
  const std::string folder = "/latest/meta-data/iam/security-credentials/";
  if (instance_role.empty()) return json_answer(404, "");
  if (path == folder) return json_answer(200, instance_role);
  if (path == folder + instance_role) return json_answer(200, issue(false).dump());
  return json_answer(404, "");
}

}  // namespace tests
