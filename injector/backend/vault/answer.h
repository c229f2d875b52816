#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "injector/memory/document.h"
#include "injector/memory/secret.h"
#include "injector/model/reading.h"
#include "injector/net/http.h"
#include "scanner/base/result.h"

namespace injector::backend::vault {

/// The `auth` of a login or of a renewal.
struct Grant {
  memory::Secret token;
  std::chrono::seconds duration{0};  ///< Zero: never ends.
  bool renewable = false;
  std::int64_t uses = 0;  ///< How often the token may be used; zero: no such limit.
  bool batch = false;     ///< Not kept by the server: cannot be renewed or revoked.
};

/// A response-wrapped answer: the token that opens it once, and the path that made it.
struct Wrap {
  memory::Secret token;
  std::string creation_path;
};

/// What a server answered: a status, and an envelope of JSON if it is Vault that answered. The server is not trusted to
/// be one: whatever is missing, of another type or too long is as if it were not there.
class Answer {
 public:
  /// `known`: whether the body is a JSON object or empty. Else it is some proxy's page, and no envelope.
  static Answer of(int status, const memory::Secret& body);

  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] bool ok() const { return status_ == 200 || status_ == 204; }
  [[nodiscard]] bool known() const { return known_; }

  [[nodiscard]] memory::Document::Value root() const;
  [[nodiscard]] memory::Document::Value data() const { return root()["data"]; }
  [[nodiscard]] std::string request_id() const;
  /// Nothing without a lease id: KV 1 gives a duration and no lease.
  [[nodiscard]] std::optional<Lease> lease() const;
  /// At most 8, each cut to 200 printable characters.
  [[nodiscard]] std::vector<std::string> warnings() const;
  [[nodiscard]] std::optional<Grant> grant() const;
  [[nodiscard]] std::optional<Wrap> wrap() const;
  /// Whether one of `errors` holds the phrase, in lower case.
  [[nodiscard]] bool complains(std::string_view phrase) const;

 private:
  explicit Answer(int status) : status_(status) {}

  int status_;
  bool known_ = false;
  std::optional<memory::Document> document_;
};

/// What went wrong when `what` ("reading kv/shop/db") was answered by something other than 200 or 204. A server's texts
/// may quote what they complain about, so the message is made of our own words for those that we know, and no others.
scanner::base::Error error_of(const Answer& answer, const std::string& what);

/// A duration as Vault writes it: whole seconds as a number or text, or Go's "1h30m". Nothing for anything else.
std::optional<std::chrono::seconds> duration_of(memory::Document::Value value);

/// RFC 3339 as Go writes it, to the second. Nothing for anything else, or the year 1 that Go has for "not set".
std::optional<std::chrono::system_clock::time_point> time_of(std::string_view text);

/// A Date header. Nothing for anything else.
std::optional<std::chrono::system_clock::time_point> http_date(const std::string& text);

}  // namespace injector::backend::vault
