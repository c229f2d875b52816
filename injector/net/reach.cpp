#include "injector/net/reach.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>

namespace injector::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Ok;

constexpr auto kTold = asio::as_tuple(asio::use_awaitable);

/// Cancels `what` when the time is over; which may be after this function's caller is gone.
template <typename T>
struct Limit {
  asio::steady_timer timer;
  std::shared_ptr<bool> over = std::make_shared<bool>(false);

  Limit(const asio::any_io_executor& executor, std::chrono::milliseconds timeout, std::shared_ptr<T> what)
      : timer(executor, timeout) {
    timer.async_wait([what = std::move(what), told = over](boost::system::error_code stopped) {
      if (stopped) return;
      *told = true;
      what->cancel();
    });
  }
};

}  // namespace

Task<std::vector<std::string>> resolve(std::string host, std::chrono::milliseconds timeout) {
  const auto executor = co_await asio::this_coro::executor;
  const auto resolver = std::make_shared<tcp::resolver>(executor);
  const Limit<tcp::resolver> limit(executor, timeout, resolver);
  const auto [error, found] = co_await resolver->async_resolve(host, "", kTold);
  if (*limit.over) co_return fail(Errc::away, "no answer of the resolver");
  if (error) co_return fail(Errc::away, error.message());
  std::vector<std::string> addresses;
  for (const auto& entry : found) addresses.push_back(entry.endpoint().address().to_string());
  co_return addresses;
}

Task<void> connect(std::string address, std::uint16_t port, std::chrono::milliseconds timeout) {
  const auto executor = co_await asio::this_coro::executor;
  boost::system::error_code invalid;
  const auto ip = asio::ip::make_address(address, invalid);
  if (invalid) co_return fail(Errc::away, invalid.message());
  const auto socket = std::make_shared<tcp::socket>(executor);
  const Limit<tcp::socket> limit(executor, timeout, socket);
  const auto [error] = co_await socket->async_connect(tcp::endpoint(ip, port), kTold);
  if (*limit.over) co_return fail(Errc::away, "no answer");
  if (error) co_return fail(Errc::away, error.message());
  co_return Ok();
}

}  // namespace injector::net
