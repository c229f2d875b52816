#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "injector/memory/secret.h"
#include "injector/net/http.h"

namespace injector::webhook {

/// The API server of the cluster that we run in, spoken to with the pod's own token.
///
/// `Errc::away` for the network and for 429 and 5xx: try again. `Errc::denied` for 401 and 403, `Errc::missing` for
/// 404, `Errc::limit` for 409 and 422 (somebody else was faster: read again), `Errc::config` for any other refusal.
/// Messages name the verb, the path and the status, never a body.
class Kubernetes {
 public:
  /// `url`: "https://10.0.0.1:443". The token is read from `token_file` for each request, because the kubelet replaces
  /// it.
  Kubernetes(std::unique_ptr<net::Http> http, std::string url, std::string token_file)
      : http_(std::move(http)), url_(std::move(url)), token_file_(std::move(token_file)) {}

  enum class Verb : std::uint8_t { get, create, merge_patch, json_patch };
  struct Answer {
    int status = 0;
    memory::Secret body;
  };
  /// Sends `body`, empty for get. The answer may hold keys, and so stays in the arena.
  net::Task<Answer> send(Verb verb, std::string path, memory::Secret body);
  net::Task<Answer> get(std::string path);
  /// The same for objects that hold nothing secret. `Errc::corrupt` when the answer is no JSON.
  net::Task<nlohmann::json> send_public(Verb verb, std::string path, nlohmann::json body);
  net::Task<nlohmann::json> get_public(std::string path);

 private:
  std::unique_ptr<net::Http> http_;
  std::string url_;
  std::string token_file_;
};

/// "/api/v1/namespaces/NS/secrets/NAME" and so on.
std::string path_of_secret(std::string_view object_namespace, std::string_view name);
std::string path_of_lease(std::string_view object_namespace, std::string_view name);
std::string path_of_webhook(std::string_view name);
/// Where an object of that path is created: the path without its last part.
std::string collection_of(std::string_view path);

}  // namespace injector::webhook
