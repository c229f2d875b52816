#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <curl/curl.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "injector/memory/text.h"
#include "injector/net/http.h"
#include "injector/net/tls_files.h"

namespace injector::net {

/// One request on its way: libcurl's handle, what it reads from, and what came back. Not movable: libcurl points to it.
struct Transfer {
  Transfer(const boost::asio::any_io_executor& executor, Request request_in);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer();

  /// Takes a header line, CR LF included, or a piece of the body. False when a limit is reached.
  bool take_header(std::string_view line);
  bool take_body(std::string_view bytes);

  CURL* easy = nullptr;
  CURLU* url = nullptr;
  curl_slist* header_lines = nullptr;
  curl_slist* connect_to = nullptr;
  Request request;
  std::shared_ptr<const TlsIdentity> identity;
  std::string origin;  ///< "https://host:port"
  std::string host;    ///< "host:port"
  std::string name;    ///< What the certificate must be for.
  std::size_t response_limit = 0;

  boost::asio::steady_timer done;  ///< Runs out at the deadline; cancelled when the transfer is at its end.
  bool connected = false;          ///< A connection stood, and the request went out.
  bool finished = false;
  bool too_large = false;
  bool head_ended = false;  ///< The empty line after the headers came; libcurl takes an answer without it.
  CURLcode code = CURLE_OK;
  long verify_result = 0;
  long os_error = 0;
  std::array<char, CURL_ERROR_SIZE> detail{};

  Response response;
  memory::Text body;
  std::size_t header_bytes = 0;
};

/// libcurl's multi interface on an Asio loop: its sockets and its timer are waited for there.
class Multi : public std::enable_shared_from_this<Multi> {
 public:
  Multi(boost::asio::any_io_executor executor, long connections);
  Multi(const Multi&) = delete;
  Multi& operator=(const Multi&) = delete;
  ~Multi();

  /// The transfer must be removed before it ends. Its `done` is cancelled when it has finished.
  void add(Transfer& transfer);
  void remove(Transfer& transfer);
  /// Closes every connection when no transfer has run for so long.
  void close_idle(std::chrono::seconds idle);

 private:
  struct Socket;
  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* socket);
  static int on_timer(CURLM* multi, long milliseconds, void* self);
  void open();
  void close();
  void watch(curl_socket_t fd, int what);
  void wait(const std::shared_ptr<Socket>& socket, int direction);
  void act(curl_socket_t fd, int events);
  void collect();
  void finish(Transfer& transfer, CURLcode code);

  boost::asio::any_io_executor executor_;
  long connections_;
  CURLM* multi_ = nullptr;
  std::chrono::steady_clock::time_point last_used_;
  bool used_ = false;  ///< Since `open`.
  boost::asio::steady_timer timer_;
  std::unordered_map<curl_socket_t, std::shared_ptr<Socket>> sockets_;
  std::unordered_set<Transfer*> transfers_;
};

}  // namespace injector::net
