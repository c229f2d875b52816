#include "injector/webhook/kubernetes.h"

#include <array>
#include <cstring>
#include <utility>

#include "injector/memory/text.h"
#include "scanner/base/fd.h"
#include "scanner/base/json.h"

namespace injector::webhook {

using memory::Secret;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Result;

namespace {

constexpr std::size_t kLongestToken = 16UL << 10;

struct VerbText {
  const char* method;
  const char* content_type;
};
VerbText text_of(Kubernetes::Verb verb) {
  static constexpr std::array<VerbText, 4> kTexts = {{{"GET", ""},
                                                      {"POST", "application/json"},
                                                      {"PATCH", "application/merge-patch+json"},
                                                      {"PATCH", "application/json-patch+json"}}};
  return kTexts.at(static_cast<std::size_t>(verb));
}

Errc code_of(int status) {
  if (status == 401 || status == 403) return Errc::denied;
  if (status == 404) return Errc::missing;
  if (status == 409 || status == 422) return Errc::limit;
  return status == 429 || status >= 500 ? Errc::away : Errc::config;
}

/// "Bearer TOKEN", in the arena.
Result<Secret> bearer(const std::string& token_file) {
  auto token = scanner::base::read_file(token_file, kLongestToken);
  if (!token) return fail(std::move(token).error());
  std::string_view text = *token;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  memory::Text line;
  line.append("Bearer ");
  line.append(text);
  const bool good = !text.empty() && text.find_first_of("\r\n") == std::string_view::npos;
  ::explicit_bzero(token->data(), token->size());
  if (!good) return fail(Errc::config, "no token in " + token_file);
  return line.finish();
}

}  // namespace

net::Task<Kubernetes::Answer> Kubernetes::send(Verb verb, std::string path, Secret body) {
  const VerbText text = text_of(verb);
  const std::string what = std::string(text.method) + " " + path;
  net::Request request;
  request.method = text.method;
  request.url = url_ + path;
  auto authorization = bearer(token_file_);
  if (!authorization) co_return fail(std::move(authorization).error());
  request.headers.push_back({"Authorization", std::move(*authorization)});
  request.headers.push_back({"Accept", Secret::copy_of("application/json")});
  if (verb != Verb::get) request.headers.push_back({"Content-Type", Secret::copy_of(text.content_type)});
  request.body = std::move(body);
  auto response = co_await http_->send(std::move(request));
  if (!response) co_return fail(std::move(response).error().during(what));
  if (response->status < 200 || response->status > 299) {
    co_return fail(code_of(response->status), what + ": the API server answered " + std::to_string(response->status));
  }
  Answer answer;
  answer.status = response->status;
  answer.body = std::move(response->body);
  co_return answer;
}

net::Task<nlohmann::json> Kubernetes::send_public(Verb verb, std::string path, nlohmann::json body) {
  const std::string what = std::string(text_of(verb).method) + " " + path;
  Secret text;
  if (!body.is_null()) text = Secret::copy_of(scanner::base::dump_json(body));
  auto answer = co_await send(verb, std::move(path), std::move(text));
  if (!answer) co_return fail(std::move(answer).error());
  auto json = scanner::base::parse_json(answer->body.reveal());
  if (!json) co_return fail(Errc::corrupt, what + ": the answer is no JSON");
  co_return *std::move(json);
}

net::Task<Kubernetes::Answer> Kubernetes::get(std::string path) {
  Secret nothing;
  auto answer = co_await send(Verb::get, std::move(path), std::move(nothing));
  co_return answer;
}

net::Task<nlohmann::json> Kubernetes::get_public(std::string path) {
  nlohmann::json nothing;
  auto answer = co_await send_public(Verb::get, std::move(path), std::move(nothing));
  co_return answer;
}

std::string path_of_secret(std::string_view object_namespace, std::string_view name) {
  return "/api/v1/namespaces/" + std::string(object_namespace) + "/secrets/" + std::string(name);
}

std::string path_of_lease(std::string_view object_namespace, std::string_view name) {
  return "/apis/coordination.k8s.io/v1/namespaces/" + std::string(object_namespace) + "/leases/" + std::string(name);
}

std::string path_of_webhook(std::string_view name) {
  return "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/" + std::string(name);
}

std::string collection_of(std::string_view path) { return std::string(path.substr(0, path.rfind('/'))); }

}  // namespace injector::webhook
