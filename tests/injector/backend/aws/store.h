#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "injector/backend/aws/secrets_manager.h"

namespace tests {

/// Runs the loop until the coroutine has ended.
template <typename T>
T run(boost::asio::io_context& loop, boost::asio::awaitable<T> task) {
  std::optional<T> result;
  boost::asio::co_spawn(
      loop, [&]() -> boost::asio::awaitable<void> { result.emplace(co_await std::move(task)); }, boost::asio::detached);
  loop.restart();
  loop.run();
  return *std::move(result);
}

/// Runs all at the same time; the results in their order.
template <typename T>
std::vector<T> run_all(boost::asio::io_context& loop, std::vector<boost::asio::awaitable<T>> tasks) {
  std::vector<std::optional<T>> results(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    boost::asio::co_spawn(
        loop, [&, i]() -> boost::asio::awaitable<void> { results[i].emplace(co_await std::move(tasks[i])); },
        boost::asio::detached);
  }
  loop.restart();
  loop.run();
  std::vector<T> all;
  for (auto& result : results) all.push_back(*std::move(result));
  return all;
}

inline injector::backend::aws::Environment variables(std::vector<std::pair<std::string, std::string>> list) {
  injector::backend::aws::Environment out;
  for (const auto& [name, value] : list) out.emplace(name, injector::memory::Secret::copy_of(value));
  return out;
}

/// A query as the configuration writes it: "path#key".
inline injector::Query query(const std::string& text) {
  injector::Query out;
  out.store = "sm";
  const auto hash = text.find('#');
  out.path = text.substr(0, hash);
  if (hash != std::string::npos) out.key = text.substr(hash + 1);
  return out;
}

}  // namespace tests
