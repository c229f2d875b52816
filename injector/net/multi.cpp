#include "injector/net/multi.h"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <utility>

#include "injector/net/failure.h"
#include "scanner/base/check.h"

namespace injector::net {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kMaxHeaderBytes = 256UL << 10;
constexpr std::size_t kMaxHeaders = 500;
constexpr std::size_t kTrustedLength = 1UL << 20;  // A promised length up to here is taken at its word.

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

Transfer::Transfer(const asio::any_io_executor& executor, Request request_in)
    : easy(::curl_easy_init()), url(::curl_url()), request(std::move(request_in)), done(executor) {
  SCANNER_CHECK(easy != nullptr && url != nullptr);
}

Transfer::~Transfer() {
  ::curl_easy_cleanup(easy);
  ::curl_slist_free_all(header_lines);
  ::curl_slist_free_all(connect_to);
  ::curl_url_cleanup(url);
}

bool Transfer::take_header(std::string_view line) {
  header_bytes += line.size();
  if (line.starts_with("HTTP/")) {
    // Of a "100 Continue" or a proxy's answer before it nothing is kept.
    response.headers.clear();
    head_ended = false;
    return true;
  }
  head_ended = head_ended || trimmed(line).empty();
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  std::string header_name(line.substr(0, colon));
  std::ranges::transform(header_name, header_name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  response.headers.push_back({std::move(header_name), memory::Secret::copy_of(trimmed(line.substr(colon + 1)))});
  too_large = header_bytes > kMaxHeaderBytes || response.headers.size() > kMaxHeaders;
  return !too_large;
}

bool Transfer::take_body(std::string_view bytes) {
  if (body.size() == 0) {
    curl_off_t promised = 0;
    ::curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &promised);
    if (promised > 0 && std::cmp_less_equal(promised, std::min(response_limit, kTrustedLength))) {
      body = memory::Text(static_cast<std::size_t>(promised));
    }
  }
  too_large = bytes.size() > response_limit - body.size();
  if (!too_large) body.append(bytes);
  return !too_large;
}

struct Multi::Socket {
  explicit Socket(const asio::any_io_executor& executor) : descriptor(executor) {}

  asio::posix::stream_descriptor descriptor;  ///< Borrows what libcurl opened and will close.
  curl_socket_t fd = -1;
  int wanted = 0;   ///< CURL_POLL_IN, CURL_POLL_OUT.
  int waiting = 0;  ///< Of these, what is being waited for.
};

Multi::Multi(asio::any_io_executor executor, long connections)
    : executor_(std::move(executor)), connections_(connections), timer_(executor_) {
  open();
}

Multi::~Multi() {  // NOLINT(bugprone-exception-escape): Asio throws here on no memory only
  close();
}

void Multi::open() {
  multi_ = ::curl_multi_init();
  SCANNER_CHECK(multi_ != nullptr);
  ::curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Multi::on_socket);
  ::curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  ::curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Multi::on_timer);
  ::curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  ::curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  ::curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, connections_);
  ::curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 8L);
  // Above this libcurl would open a second connection; the server's own limit still holds.
  ::curl_multi_setopt(multi_, CURLMOPT_MAX_CONCURRENT_STREAMS, 1000L);
  used_ = false;
}

void Multi::close() {
  ::curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, nullptr);
  ::curl_multi_cleanup(multi_);
  timer_.cancel();
  for (auto& [fd, socket] : sockets_) {
    socket->wanted = 0;
    socket->descriptor.release();
  }
  sockets_.clear();
}

void Multi::close_idle(std::chrono::seconds idle) {
  if (!used_ || !transfers_.empty() || std::chrono::steady_clock::now() - last_used_ < idle) return;
  close();
  open();
}

void Multi::add(Transfer& transfer) {
  used_ = true;
  transfers_.insert(&transfer);
  if (const CURLMcode code = ::curl_multi_add_handle(multi_, transfer.easy); code != CURLM_OK) {
    asio::post(executor_, [self = shared_from_this(), &transfer] {
      if (self->transfers_.contains(&transfer)) self->finish(transfer, CURLE_FAILED_INIT);
    });
  }
}

void Multi::remove(Transfer& transfer) {
  last_used_ = std::chrono::steady_clock::now();
  transfers_.erase(&transfer);
  ::curl_multi_remove_handle(multi_, transfer.easy);
}

int Multi::on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
  static_cast<Multi*>(self)->watch(fd, what);
  return 0;
}

void Multi::watch(curl_socket_t fd, int what) {
  if (what == CURL_POLL_REMOVE) {
    const auto found = sockets_.find(fd);
    if (found == sockets_.end()) return;
    found->second->wanted = 0;
    found->second->descriptor.release();
    sockets_.erase(found);
    return;
  }
  std::shared_ptr<Socket>& socket = sockets_[fd];
  if (!socket) {
    socket = std::make_shared<Socket>(executor_);
    socket->fd = fd;
    boost::system::error_code failed;
    socket->descriptor.assign(fd, failed);
    SCANNER_CHECK(!failed);  // Only epoll's own exhaustion gets here.
  }
  socket->wanted = what == CURL_POLL_INOUT ? CURL_POLL_IN | CURL_POLL_OUT : what;
  const std::shared_ptr<Socket> held = socket;
  wait(held, CURL_POLL_IN);
  wait(held, CURL_POLL_OUT);
}

void Multi::wait(const std::shared_ptr<Socket>& socket, int direction) {
  if ((socket->wanted & direction) == 0 || (socket->waiting & direction) != 0) return;
  socket->waiting |= direction;
  const bool in = direction == CURL_POLL_IN;
  socket->descriptor.async_wait(
      in ? asio::posix::descriptor_base::wait_read : asio::posix::descriptor_base::wait_write,
      [weak = weak_from_this(), socket, direction, in](const boost::system::error_code& failed) {
        socket->waiting &= ~direction;
        const auto self = weak.lock();
        if (failed || !self || (socket->wanted & direction) == 0) return;
        self->act(socket->fd, in ? CURL_CSELECT_IN : CURL_CSELECT_OUT);
        self->wait(socket, direction);
      });
}

int Multi::on_timer(CURLM*, long milliseconds, void* self_pointer) {
  auto* const self = static_cast<Multi*>(self_pointer);
  if (milliseconds < 0) {
    self->timer_.cancel();
    return 0;
  }
  // At once means soon: libcurl must not be called from its own callback.
  self->timer_.expires_after(std::chrono::milliseconds(milliseconds));
  self->timer_.async_wait([weak = self->weak_from_this()](const boost::system::error_code& failed) {
    if (const auto multi = weak.lock(); multi && !failed) multi->act(CURL_SOCKET_TIMEOUT, 0);
  });
  return 0;
}

void Multi::act(curl_socket_t fd, int events) {
  int running = 0;
  ::curl_multi_socket_action(multi_, fd, events, &running);
  collect();
}

void Multi::collect() {
  int left = 0;
  while (const CURLMsg* const message = ::curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    Transfer* transfer = nullptr;
    ::curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    ::curl_easy_getinfo(transfer->easy, CURLINFO_SSL_VERIFYRESULT, &transfer->verify_result);
    ::curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &transfer->os_error);
    finish(*transfer, code);
    if (transfer->connected || !is_connection_failure(code)) continue;
    // A connection that cannot be had is tried once, not once for each that waits for it.
    for (Transfer* const other : transfers_) {
      if (other->finished || other->connected || other->origin != transfer->origin) continue;
      other->verify_result = transfer->verify_result;
      other->os_error = transfer->os_error;
      other->detail = transfer->detail;
      finish(*other, code);
    }
  }
}

void Multi::finish(Transfer& transfer, CURLcode code) {
  transfer.code = code;
  transfer.finished = true;
  transfer.done.cancel();
}

}  // namespace injector::net
