#include "injector/cli/notifier.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fcntl.h>

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "injector/deliver/notify.h"
#include "injector/net/loop.h"

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
  const auto& program = std::get<RunProgram>(how.how);
  std::string what = "running " + program.argv.front();
  auto ran = co_await net::with_deadline(how.timeout, std::move(what), run(program));
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

net::Task<void> Notifier::run(RunProgram program) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto child = deliver::Child::start(program);
  if (!child) co_return fail(std::move(child).error());
  const int copy = ::fcntl(child->pidfd(), F_DUPFD_CLOEXEC, 3);
  if (copy < 0) co_return fail(Errc::io, "running " + program.argv.front() + ": no descriptor to wait for it with");
  asio::posix::stream_descriptor end(executor_, copy);
  co_await end.async_wait(asio::posix::descriptor_base::wait_read, asio::as_tuple(asio::use_awaitable));
  auto outcome = child->ended();
  if (!outcome) co_return fail(Errc::away, "running " + program.argv.front() + ": cut off");
  if (!*outcome) co_return fail(scanner::base::Error(outcome->error()).during("running " + program.argv.front()));
  co_return Ok();
}

}  // namespace injector::cli
