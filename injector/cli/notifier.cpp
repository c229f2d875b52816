#include "injector/cli/notifier.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fcntl.h>

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "injector/deliver/notify.h"

namespace injector::cli {

namespace asio = boost::asio;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Ok;

Notifier::Notifier(asio::any_io_executor executor, const std::vector<FileSpec>& files)
    : executor_(std::move(executor)) {
  for (const FileSpec& file : files) {
    const auto* post = file.on_change ? std::get_if<PostLoopback>(&file.on_change->how) : nullptr;
    if (post == nullptr) continue;
    const std::string rest = post->url.substr(post->url.find("://") + 3);
    hosts_.push_back(rest.substr(0, rest.starts_with('[') ? rest.find(']') + 1 : rest.find_first_of(":/")));
  }
}

net::Task<void> Notifier::tell(OnChange how) {
  if (const auto* signal = std::get_if<SignalProcess>(&how.how)) {
    const auto told = deliver::signal(*signal);
    if (!told) co_return fail(told.error());
    co_return Ok();
  }
  if (const auto* target = std::get_if<PostLoopback>(&how.how)) {
    auto posted = co_await post(target->url, how.timeout);
    co_return posted;
  }
  auto ran = co_await run(std::get<RunProgram>(how.how), how.timeout);
  co_return ran;
}

net::Task<void> Notifier::post(std::string url, std::chrono::milliseconds timeout) {
  if (http_ == nullptr) {
    net::ClientSettings settings;
    settings.plain_hosts = hosts_;
    settings.response_limit = 64UL << 10;
    auto client = net::HttpsClient::create(executor_, std::move(settings));
    if (!client) co_return fail(std::move(client).error());
    http_ = std::move(*client);
  }
  net::Request request;
  request.method = "POST";
  request.url = url;
  request.timeout = timeout;
  const auto response = co_await http_->send(std::move(request));
  if (!response) co_return fail(response.error());
  if (response->status < 200 || response->status > 299) {
    co_return fail(Errc::io, "POST " + url + ": answered with " + std::to_string(response->status));
  }
  co_return Ok();
}

namespace {

asio::awaitable<void> wait_for_end(asio::posix::stream_descriptor& process) {
  co_await process.async_wait(asio::posix::descriptor_base::wait_read, asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<void> wait_for(asio::steady_timer& timer) {
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace

net::Task<void> Notifier::run(RunProgram program, std::chrono::milliseconds timeout) {
  using namespace asio::experimental::awaitable_operators;
  co_await asio::this_coro::throw_if_cancelled(false);
  const std::string step = "running " + program.argv.front();
  auto child = deliver::Child::start(program);
  if (!child) co_return fail(std::move(child).error());
  const int copy = ::fcntl(child->pidfd(), F_DUPFD_CLOEXEC, 3);
  if (copy < 0) co_return fail(Errc::io, step + ": no descriptor to wait for it with");
  asio::posix::stream_descriptor process(executor_, copy);
  asio::steady_timer timer(executor_, timeout);
  const auto first = co_await (wait_for_end(process) || wait_for(timer));
  auto outcome = child->ended();
  if (outcome && *outcome) co_return Ok();
  if (outcome) co_return fail(scanner::base::Error(outcome->error()).during(step));
  const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
  const bool stopped = state.cancelled() != asio::cancellation_type::none || first.index() == 0;
  const std::string limit = std::to_string(timeout.count()) + " ms";
  co_return fail(Errc::away, step + (stopped ? ": was not waited for" : ": took longer than " + limit + ", killed"));
}

}  // namespace injector::cli
