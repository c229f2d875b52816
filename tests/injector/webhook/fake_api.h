#pragma once

#include <nlohmann/json.hpp>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "injector/net/http.h"

namespace tests {

/// An API server as far as the webhook needs one: objects by path, each with a resourceVersion that a write must know,
/// JSON Patch and JSON Merge Patch. Several clients may share the objects.
class FakeApi {
 public:
  std::map<std::string, nlohmann::json> objects;
  std::vector<std::string> asked;  ///< "PATCH /api/v1/...", in their order.
  /// Called before each request is looked at; another status than 0 is the answer.
  std::function<int(const std::string& method, const std::string& path)> weather;
  bool may_create = true;

  /// `status` and the object after `method` was done to it.
  std::pair<int, nlohmann::json> answer(const std::string& method, const std::string& path, const std::string& type,
                                        const std::string& body);
  void put(const std::string& path, nlohmann::json object);

 private:
  int next_version_ = 1;
};

/// One client's way to it.
class FakeApiHttp final : public injector::net::Http {
 public:
  explicit FakeApiHttp(FakeApi& api) : api_(&api) {}
  injector::net::Task<injector::net::Response> send(injector::net::Request request) override;

 private:
  FakeApi* api_;
};

}  // namespace tests
