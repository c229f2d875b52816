#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "injector/net/http.h"
#include "scanner/base/result.h"

namespace injector::backend::aws {

/// What helps against an error of AWS.
enum class Remedy : std::uint8_t {
  retry,        ///< Its fault or the network's: ask again, soon.
  throttle,     ///< It has had enough of us: ask again, later. Comes as 400 as often as as 429.
  credentials,  ///< Ours are stale: get others, ask once more.
  clock,        ///< Our clock may be wrong: correct it by the answer's `Date`, ask once more.
  none,         ///< Nothing that this process could do.
};

/// An error as AWS answered it. The message that comes with it is never kept: it may quote anything.
struct Fault {
  int status = 0;    ///< 0: there was no answer.
  std::string code;  ///< "ResourceNotFoundException"; "HTTP 503" where the answer names none; empty: no answer.
  Remedy remedy = Remedy::none;
  scanner::base::Errc errc = scanner::base::Errc::away;
  std::optional<std::chrono::milliseconds> wait;  ///< It asked to be left alone for so long (at most 300 s).
  std::string request_id;
  std::string transport;  ///< Without an answer: what the network did.
  bool timed_out = false;

  /// "GetSecretValue: AccessDeniedException (request 1b2c)".
  [[nodiscard]] scanner::base::Error error(const std::string& step) const;
};

/// The code in an `x-amzn-ErrorType` header or a `__type` member: without a namespace before '#' and a URL after ':'.
/// Empty when what is left is no name (letters, digits, '.', '_', '-', at most 64).
std::string plain_code(std::string_view text);

/// What a code and a status mean: the table of errors of Secrets Manager and STS. InvalidRequestException says of a
/// secret that it is scheduled for deletion, or of a request that it makes no sense: `message` is looked at for that
/// word, and for nothing else.
Fault classify(int status, const std::string& code, std::string_view message = {});

/// Reads the error out of an answer whose status is not 200: header first, then JSON `__type` or `code`, then XML
/// `Error/Code`.
Fault fault_of(const net::Response& response);

/// `Retry-After` in seconds and `x-amz-retry-after` in milliseconds, the longer one; not more than 300 s. Dates, and
/// what is no number, are ignored.
std::optional<std::chrono::milliseconds> wait_of(const net::Response& response);

}  // namespace injector::backend::aws
