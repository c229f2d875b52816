#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "injector/backend/backend.h"

namespace injector::watch {

/// A store in memory: a map of paths that a test changes, takes away, and counts the questions for.
class FakeStore final : public backend::Backend {
 public:
  struct Value {
    std::map<std::string, std::string> members;
    int version = 1;
    std::optional<Lease> lease;
  };
  std::map<std::string, Value> values;
  std::optional<scanner::base::Error> trouble;  ///< The answer to everything.
  std::map<std::string, scanner::base::Error> refused;
  std::uint64_t current_session = 1;
  int requests = 0;
  int reads = 0;
  int renewals = 0;
  bool closed = false;

  void put(const std::string& path, std::map<std::string, std::string> members) {
    const int version = values.contains(path) ? values[path].version + 1 : 1;
    values[path] = {std::move(members), version, std::nullopt};
  }

  net::Task<Reading> read(const Query& query) override { co_return look(query); }

  boost::asio::awaitable<std::vector<scanner::base::Result<Reading>>> read_all(
      const std::vector<Query>& queries) override {
    std::vector<scanner::base::Result<Reading>> answers;
    for (const Query& query : queries) answers.push_back(look(query));
    co_return answers;
  }

  net::Task<bool> changed(const Query& query, const std::string& version) override {
    ++requests;
    if (trouble) co_return scanner::base::fail(*trouble);
    const auto found = values.find(query.path);
    if (found == values.end()) co_return true;
    co_return std::to_string(found->second.version) != version;
  }

  net::Task<Lease> renew(const Lease& lease) override {
    ++requests;
    if (trouble) co_return scanner::base::fail(*trouble);
    ++renewals;
    co_return lease;
  }

  [[nodiscard]] std::uint64_t session() const override { return current_session; }
  boost::asio::awaitable<std::vector<backend::Check>> check(const std::vector<Query>&) override {
    co_return std::vector<backend::Check>();
  }
  boost::asio::awaitable<void> close() override {
    closed = true;
    co_return;
  }

 private:
  scanner::base::Result<Reading> look(const Query& query) {
    ++requests;
    if (trouble) return scanner::base::fail(*trouble);
    if (const auto no = refused.find(query.path); no != refused.end()) return scanner::base::fail(no->second);
    const auto found = values.find(query.path);
    if (found == values.end()) return scanner::base::fail(scanner::base::Errc::missing, "nothing at " + query.path);
    ++reads;
    Reading reading;
    std::string json = "{";
    for (const auto& [name, value] : found->second.members) {
      reading.members.push_back({name, memory::Secret::copy_of(value)});
      json += (json.size() > 1 ? ",\"" : "\"") + name + "\":\"" + value + "\"";
    }
    reading.document = memory::Secret::copy_of(json + "}");
    reading.version = std::to_string(found->second.version);
    reading.lease = found->second.lease;
    return reading;
  }
};

}  // namespace injector::watch
