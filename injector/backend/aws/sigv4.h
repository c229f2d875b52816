#pragma once

#include <map>
#include <string>

#include "injector/backend/aws/credentials.h"
#include "injector/net/http.h"

namespace injector::backend::aws {

/// What a signature is good for: one region's one service ("eu-central-1", "secretsmanager").
struct Scope {
  std::string region;
  std::string service;
  friend auto operator<=>(const Scope&, const Scope&) = default;
};

/// AWS Signature Version 4, with one set of credentials. Pure: the time comes from the caller.
///
/// The derived keys (one a day, region and service) are kept, and wiped together with the credentials when the signer
/// ends: so credentials are rotated by replacing the signer.
class Signer {
 public:
  explicit Signer(Credentials credentials) : credentials_(std::move(credentials)) {}

  /// Adds `X-Amz-Date`, `X-Amz-Security-Token` where there is a session, and `Authorization`. Every header that the
  /// request has by then is signed, and `host`, which is taken from the URL (with its port, as an HTTP client sends
  /// it). The URL's path and query must be as SigV4 would have them: the JSON and query protocols send "/" and no
  /// query.
  void sign(net::Request& request, const Scope& scope, Time now);

  [[nodiscard]] const Credentials& credentials() const { return credentials_; }

 private:
  struct Key {
    std::string date;
    memory::Secret bytes;
  };
  const memory::Secret& key(const std::string& date, const Scope& scope);

  Credentials credentials_;
  std::map<Scope, Key> keys_;
};

/// The same without a signer's memory: what to sign is all in the request's headers but `host`. Returns the value of
/// `Authorization`. For tests, and for whoever signs once.
std::string authorization(const net::Request& request, const std::string& access_key_id,
                          const memory::Secret& signing_key, const std::string& amz_date, const Scope& scope);

}  // namespace injector::backend::aws
