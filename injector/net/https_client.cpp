#include "injector/net/https_client.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <curl/curl.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "injector/net/failure.h"
#include "injector/net/multi.h"
#include "injector/net/start.h"
#include "injector/net/tls_files.h"
#include "scanner/base/check.h"

namespace injector::net {

namespace asio = boost::asio;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Ok;
using scanner::base::Result;

namespace {

template <typename T>
void set(CURL* easy, CURLoption option, T value) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): it is libcurl's way
  SCANNER_CHECK(::curl_easy_setopt(easy, option, value) == CURLE_OK);
}

void set_blob(CURL* easy, CURLoption option, std::string_view bytes) {
  // libcurl only reads, and the bytes outlive the transfer.
  curl_blob blob{const_cast<char*>(bytes.data()), bytes.size(), CURL_BLOB_NOCOPY};
  set(easy, option, &blob);
}

std::string part(CURLU* url, CURLUPart which, unsigned flags) {
  char* text = nullptr;
  if (::curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
  std::string copy(text);
  ::curl_free(text);
  return copy;
}

/// A method or the name of a header: RFC 9110's token.
bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_header_value(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

bool append_line(curl_slist*& list, std::string_view name, std::string_view value) {
  // With a semicolon libcurl sends a header without a value; with a colon it would drop the header.
  memory::Text line(name.size() + value.size() + 3);
  line.append(name).append(value.empty() ? ";" : ": ").append(value).append('\0');
  curl_slist* const longer = ::curl_slist_append(list, line.reveal().data());
  if (longer != nullptr) list = longer;
  return longer != nullptr;
}

std::size_t on_header(char* bytes, std::size_t, std::size_t size, void* transfer) {
  return static_cast<Transfer*>(transfer)->take_header({bytes, size}) ? size : 0;
}

std::size_t on_body(char* bytes, std::size_t, std::size_t size, void* transfer) {
  return static_cast<Transfer*>(transfer)->take_body({bytes, size}) ? size : 0;
}

int on_connected(void* transfer, char*, char*, int, int) {
  static_cast<Transfer*>(transfer)->connected = true;
  return CURL_PREREQFUNC_OK;
}

/// libcurl's own sockets would be inherited by the programs that we start.
curl_socket_t open_socket(void*, curlsocktype, curl_sockaddr* address) {
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// libcurl takes it for the end of an answer when the connection ends, even without TLS' goodbye. So an answer must say
/// itself how long it is.
bool is_whole(const Transfer& transfer) {
  long status = 0;
  long version = 0;
  ::curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
  ::curl_easy_getinfo(transfer.easy, CURLINFO_HTTP_VERSION, &version);
  if (!transfer.head_ended) return false;
  if (version >= CURL_HTTP_VERSION_2_0 || status == 204 || status == 304 || transfer.request.method == "HEAD")
    return true;
  return std::ranges::any_of(transfer.response.headers, [](const Header& header) {
    return header.name == "content-length" || header.name == "transfer-encoding";
  });
}

std::string seconds(std::chrono::milliseconds time) {
  const auto whole = time.count() / 1000;
  return whole * 1000 == time.count() ? std::to_string(whole) + " s" : std::to_string(time.count()) + " ms";
}

}  // namespace

class HttpsClient::Engine : public std::enable_shared_from_this<Engine> {
 public:
  Engine(asio::any_io_executor executor, ClientSettings settings)
      : executor_(std::move(executor)),
        settings_(std::move(settings)),
        files_(settings_.ca_file, settings_.ca_pem, settings_.cert_file, settings_.key_file),
        multi_(std::make_shared<Multi>(executor_, settings_.connections)) {}

  Ok check_files() {
    auto identity = files_.current();
    if (!identity) return fail(std::move(identity).error());
    return {};
  }

  static Task<Response> send(std::shared_ptr<Engine> self, Request request);
  void close_idle(std::chrono::seconds idle) { multi_->close_idle(idle); }
  [[nodiscard]] Counts counts() const { return counts_; }

 private:
  Ok prepare(Transfer& transfer);
  Ok prepare_url(Transfer& transfer) const;
  Ok prepare_headers(Transfer& transfer) const;
  void prepare_tls(Transfer& transfer) const;
  void prepare_body(Transfer& transfer) const;
  Result<Response> outcome(Transfer& transfer, bool cancelled);

  asio::any_io_executor executor_;
  ClientSettings settings_;
  TlsFiles files_;
  std::shared_ptr<Multi> multi_;
  Counts counts_;
};

Ok HttpsClient::Engine::prepare_url(Transfer& transfer) const {
  if (::curl_url_set(transfer.url, CURLUPART_URL, transfer.request.url.c_str(),
                     CURLU_PATH_AS_IS | CURLU_DISALLOW_USER | CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
    return fail(Errc::config, "the address of a request is no URL");
  }
  const std::string scheme = part(transfer.url, CURLUPART_SCHEME, 0);
  const std::string host = part(transfer.url, CURLUPART_HOST, 0);
  const std::string port = part(transfer.url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  transfer.host = host + ":" + port;
  transfer.origin = scheme + "://" + transfer.host;
  transfer.name = settings_.server_name.empty() ? host : settings_.server_name;
  if (scheme != "https" &&
      (scheme != "http" || std::ranges::find(settings_.plain_hosts, host) == settings_.plain_hosts.end())) {
    return fail(Errc::config, transfer.host + " may only be spoken to by https");
  }
  if (!settings_.server_name.empty() && scheme == "https") {
    if (::curl_url_set(transfer.url, CURLUPART_HOST, settings_.server_name.c_str(), 0) != CURLUE_OK) {
      return fail(Errc::config, "the server name is none");
    }
    transfer.connect_to = ::curl_slist_append(nullptr, ("::" + transfer.host).c_str());
    set(transfer.easy, CURLOPT_CONNECT_TO, transfer.connect_to);
  }
  set(transfer.easy, CURLOPT_CURLU, transfer.url);
  set(transfer.easy, CURLOPT_PROTOCOLS_STR, scheme == "http" ? "http" : "https");
  return {};
}

Ok HttpsClient::Engine::prepare_headers(Transfer& transfer) const {
  bool fits = true;
  bool typed = false;
  for (const Header& header : transfer.request.headers) {
    if (!is_token(header.name)) return fail(Errc::config, "the name of a header is none");
    if (!is_header_value(header.value.reveal())) {
      return fail(Errc::config, "the value of header " + header.name + " holds a line break or NUL");
    }
    std::string lower = header.name;
    std::ranges::transform(lower, lower.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    typed = typed || lower == "content-type";
    fits = fits && append_line(transfer.header_lines, header.name, header.value.reveal());
  }
  const auto drop = [&](const char* name) {
    curl_slist* const longer = ::curl_slist_append(transfer.header_lines, name);
    if (longer != nullptr) transfer.header_lines = longer;
  };
  drop("Expect:");  // It would wait a second for servers that do not know it.
  if (!typed) drop("Content-Type:");
  if (transfer.connect_to != nullptr) fits = fits && append_line(transfer.header_lines, "Host", transfer.host);
  if (!fits) return fail(Errc::limit, "no memory for the headers of a request");
  set(transfer.easy, CURLOPT_HTTPHEADER, transfer.header_lines);
  return {};
}

void HttpsClient::Engine::prepare_tls(Transfer& transfer) const {
  CURL* const easy = transfer.easy;
  const TlsIdentity& identity = *transfer.identity;
  set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!identity.authorities.empty() || !settings_.ca_path.empty()) {
    // Both have the distribution's defaults until they are told otherwise.
    set(easy, CURLOPT_CAINFO, static_cast<char*>(nullptr));
    set(easy, CURLOPT_CAPATH, settings_.ca_path.empty() ? nullptr : settings_.ca_path.c_str());
    if (!identity.authorities.empty()) set_blob(easy, CURLOPT_CAINFO_BLOB, identity.authorities);
  }
  set(easy, CURLOPT_CA_CACHE_TIMEOUT, 300L);
  if (!identity.certificate.empty()) {
    set_blob(easy, CURLOPT_SSLCERT_BLOB, identity.certificate);
    set_blob(easy, CURLOPT_SSLKEY_BLOB, identity.key.reveal());
    set(easy, CURLOPT_SSLCERTTYPE, "PEM");
    set(easy, CURLOPT_SSLKEYTYPE, "PEM");
    set(easy, CURLOPT_KEYPASSWD, "");  // Or OpenSSL would ask the terminal.
  }
}

void HttpsClient::Engine::prepare_body(Transfer& transfer) const {
  CURL* const easy = transfer.easy;
  const Request& request = transfer.request;
  if (request.method == "HEAD") {
    set(easy, CURLOPT_NOBODY, 1L);
  } else if (request.method != "GET" || !request.body.empty()) {
    if (request.method == "POST" || request.method == "PUT" || request.method == "PATCH" || !request.body.empty()) {
      set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      set(easy, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.reveal().data());
    }
    set(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  transfer.response_limit = settings_.response_limit;
  set(easy, CURLOPT_HEADERFUNCTION, &on_header);
  set(easy, CURLOPT_HEADERDATA, &transfer);
  set(easy, CURLOPT_WRITEFUNCTION, &on_body);
  set(easy, CURLOPT_WRITEDATA, &transfer);
}

Ok HttpsClient::Engine::prepare(Transfer& transfer) {
  if (!is_token(transfer.request.method)) return fail(Errc::config, "the method of a request is none");
  auto identity = files_.current();
  if (!identity) return fail(std::move(identity).error());
  transfer.identity = *std::move(identity);
  if (auto ok = prepare_url(transfer); !ok) return ok;
  if (auto ok = prepare_headers(transfer); !ok) return ok;
  prepare_tls(transfer);
  prepare_body(transfer);

  CURL* const easy = transfer.easy;
  set(easy, CURLOPT_PRIVATE, &transfer);
  set(easy, CURLOPT_ERRORBUFFER, transfer.detail.data());
  set(easy, CURLOPT_PREREQFUNCTION, &on_connected);
  set(easy, CURLOPT_PREREQDATA, &transfer);
  set(easy, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_QUICK_EXIT, 1L);  // Or ending a request would wait for a resolver that hangs, and all with it.
  set(easy, CURLOPT_PROXY, settings_.proxy.c_str());  // Empty: none, whatever the environment says.
  set(easy, CURLOPT_NOPROXY, "");
  set(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy, CURLOPT_REDIR_PROTOCOLS_STR, "https");
  set(easy, CURLOPT_HTTP09_ALLOWED, 0L);
  set(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);  // Nothing compressed is asked for, and a bomb stays small.
  set(easy, CURLOPT_USERAGENT, "secret-injector");
  set(easy, CURLOPT_HTTP_VERSION,
      static_cast<long>(settings_.protocol == ClientSettings::Protocol::http1 ? CURL_HTTP_VERSION_1_1
                                                                              : CURL_HTTP_VERSION_2TLS));
  set(easy, CURLOPT_PIPEWAIT, 1L);
  set(easy, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(settings_.response_limit));
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings_.connect_timeout.count()));
  set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(transfer.request.timeout.count()));
  set(easy, CURLOPT_DNS_CACHE_TIMEOUT, 10L);
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  set(easy, CURLOPT_TCP_KEEPIDLE, 30L);
  set(easy, CURLOPT_TCP_KEEPINTVL, 10L);
  // HTTP/2 keeps header values in its tables for as long as the connection lives.
  set(easy, CURLOPT_MAXAGE_CONN, 90L);
  set(easy, CURLOPT_MAXLIFETIME_CONN, 600L);
  return {};
}

Result<Response> HttpsClient::Engine::outcome(Transfer& transfer, bool cancelled) {
  if (transfer.too_large || transfer.code == CURLE_FILESIZE_EXCEEDED) {
    return fail(Errc::limit,
                transfer.host + " answers with more than " + std::to_string(transfer.response_limit) + " bytes");
  }
  if (cancelled) return fail(Errc::away, "the request to " + transfer.host + " was cancelled");
  if (!transfer.finished) {
    return fail(Errc::away, (transfer.connected ? "no whole answer from " : "no connection to ") + transfer.host +
                                " within " + seconds(transfer.request.timeout));
  }
  long opened = 0;
  ::curl_easy_getinfo(transfer.easy, CURLINFO_NUM_CONNECTS, &opened);
  if (transfer.connected && opened > 0) ++counts_.connections;
  if (transfer.code == CURLE_OK && !is_whole(transfer)) transfer.code = CURLE_PARTIAL_FILE;
  if (transfer.code != CURLE_OK) {
    return fail(explain({.code = transfer.code,
                         .verify_result = transfer.verify_result,
                         .os_error = transfer.os_error,
                         .detail = transfer.detail.data(),
                         .host = transfer.host,
                         .name = transfer.name,
                         .authorities = !settings_.ca_file.empty() ? settings_.ca_file
                                        : settings_.ca_pem.empty() && settings_.ca_path.empty()
                                            ? std::string("the system")
                                            : std::string("the configuration"),
                         .connected = transfer.connected}));
  }
  long status = 0;
  ::curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
  transfer.response.status = static_cast<int>(status);
  transfer.response.fresh_connection = opened > 0;
  transfer.response.body = transfer.body.finish();
  return std::move(transfer.response);
}

Task<Response> HttpsClient::Engine::send(std::shared_ptr<Engine> self, Request request) {
  // Being cancelled is an answer here, not an exception.
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto is_cancelled = [](const asio::cancellation_state& state) {
    return state.cancelled() != asio::cancellation_type::none;
  };
  ++self->counts_.requests;
  Transfer transfer(self->executor_, std::move(request));
  transfer.done.expires_after(transfer.request.timeout);
  if (auto ok = self->prepare(transfer); !ok) co_return fail(std::move(ok).error());
  bool cancelled = is_cancelled(co_await asio::this_coro::cancellation_state);
  if (!cancelled) {
    /// The coroutine may also be destroyed where it waits.
    struct Running {
      Multi& multi;
      Transfer& transfer;
      Running(Multi& multi_in, Transfer& transfer_in) : multi(multi_in), transfer(transfer_in) { multi.add(transfer); }
      Running(const Running&) = delete;
      Running& operator=(const Running&) = delete;
      ~Running() { multi.remove(transfer); }
    };
    const Running running(*self->multi_, transfer);
    co_await transfer.done.async_wait(asio::as_tuple(asio::use_awaitable));
    cancelled = !transfer.finished && is_cancelled(co_await asio::this_coro::cancellation_state);
  }
  co_return self->outcome(transfer, cancelled);
}

HttpsClient::HttpsClient(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}
HttpsClient::~HttpsClient() = default;

Result<std::unique_ptr<HttpsClient>> HttpsClient::create(asio::any_io_executor executor, ClientSettings settings) {
  start();
  auto engine = std::make_shared<Engine>(std::move(executor), std::move(settings));
  if (auto ok = engine->check_files(); !ok) return fail(std::move(ok).error());
  return std::unique_ptr<HttpsClient>(new HttpsClient(std::move(engine)));
}

Task<Response> HttpsClient::send(Request request) { return Engine::send(engine_, std::move(request)); }

void HttpsClient::close_idle(std::chrono::seconds idle) { engine_->close_idle(idle); }

HttpsClient::Counts HttpsClient::counts() const { return engine_->counts(); }

}  // namespace injector::net
