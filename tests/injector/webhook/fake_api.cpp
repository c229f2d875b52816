#include "tests/injector/webhook/fake_api.h"

#include <utility>

namespace tests {

using injector::memory::Secret;
using nlohmann::json;

void FakeApi::put(const std::string& path, json object) {
  object["metadata"]["resourceVersion"] = std::to_string(next_version_++);
  objects[path] = std::move(object);
}

std::pair<int, json> FakeApi::answer(const std::string& method, const std::string& path, const std::string& type,
                                     const std::string& body) {
  asked.push_back(method + " " + path);
  if (weather) {
    if (const int status = weather(method, path); status != 0) return {status, json::object()};
  }
  const auto found = objects.find(path);
  if (method == "GET") return found == objects.end() ? std::pair(404, json()) : std::pair(200, found->second);
  if (method == "POST") {
    if (!may_create) return {403, json::object()};
    json object = json::parse(body);
    const std::string place = path + "/" + object.at("metadata").at("name").get<std::string>();
    if (objects.contains(place)) return {409, json::object()};
    put(place, std::move(object));
    return {201, objects.at(place)};
  }
  if (found == objects.end()) return {404, json::object()};
  json changed = found->second;
  const std::string version = changed.at("metadata").at("resourceVersion");
  if (type == "application/json-patch+json") {
    try {
      changed = changed.patch(json::parse(body));
    } catch (const json::exception&) {
      return {422, json::object()};
    }
  } else if (type == "application/merge-patch+json") {
    changed.merge_patch(json::parse(body));
  } else {
    return {415, json::object()};
  }
  if (changed.at("metadata").at("resourceVersion") != version) return {409, json::object()};
  put(path, std::move(changed));
  return {200, objects.at(path)};
}

injector::net::Task<injector::net::Response> FakeApiHttp::send(injector::net::Request request) {
  std::string type;
  for (const auto& header : request.headers) {
    if (header.name == "Content-Type") type = header.value.reveal();
  }
  const std::string path = request.url.substr(request.url.find('/', std::string("https://").size()));
  const auto [status, object] = api_->answer(request.method, path, type, std::string(request.body.reveal()));
  if (status < 0) co_return scanner::base::fail(scanner::base::Errc::away, "connection refused");
  injector::net::Response response;
  response.status = status;
  response.body = Secret::copy_of(object.dump());
  co_return response;
}

}  // namespace tests
