#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <optional>
#include <utility>
#include <vector>

#include "injector/net/http.h"

namespace tests {

/// Runs the loop until the task has ended.
template <typename T>
scanner::base::Result<T> run(boost::asio::io_context& loop, injector::net::Task<T> task) {
  std::optional<scanner::base::Result<T>> result;
  boost::asio::co_spawn(
      loop, [&]() -> boost::asio::awaitable<void> { result.emplace(co_await std::move(task)); }, boost::asio::detached);
  loop.restart();
  loop.run();
  return *std::move(result);
}

/// Runs all at the same time; the results in their order.
template <typename T>
std::vector<scanner::base::Result<T>> run_all(boost::asio::io_context& loop,
                                              std::vector<injector::net::Task<T>> tasks) {
  std::vector<std::optional<scanner::base::Result<T>>> results(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    boost::asio::co_spawn(
        loop, [&, i]() -> boost::asio::awaitable<void> { results[i].emplace(co_await std::move(tasks[i])); },
        boost::asio::detached);
  }
  loop.restart();
  loop.run();
  std::vector<scanner::base::Result<T>> all;
  for (auto& result : results) all.push_back(*std::move(result));
  return all;
}

}  // namespace tests
