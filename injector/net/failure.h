#pragma once

#include <curl/curl.h>

#include <string>
#include <string_view>

#include "scanner/base/result.h"

namespace injector::net {

/// What is known about a request that failed.
struct Failed {
  CURLcode code = CURLE_OK;
  long verify_result = 0;   ///< OpenSSL's X509_V_ERR_*, 0 when the chain was not the matter.
  long os_error = 0;        ///< errno of the last connect.
  std::string_view detail;  ///< libcurl's own words: looked at for TLS alerts only, for they may hold the server's.
  std::string_view host;    ///< "bao-0.example:8200"
  std::string_view name;    ///< The name its certificate must carry.
  std::string_view authorities;  ///< "ca.crt" or "the system".
  bool connected = false;        ///< The request went out.
};

/// A sentence that names the host and the cause, and holds nothing that came from the server.
/// `Errc::away`, but `Errc::config` when our own certificate is at fault.
scanner::base::Error explain(const Failed& failed);

/// Whether no connection came about: then nothing was sent, and whoever waits for the same connection fails alike.
bool is_connection_failure(CURLcode code);

}  // namespace injector::net
