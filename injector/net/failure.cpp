#include "injector/net/failure.h"

#include <openssl/x509_vfy.h>

#include <array>
#include <cstring>
#include <utility>

namespace injector::net {

using scanner::base::Errc;
using scanner::base::Error;

namespace {

std::string certificate_problem(const Failed& failed) {
  const std::string host(failed.host);
  switch (failed.verify_result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "the certificate of " + host + " has expired (or this machine's clock is ahead)";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "the certificate of " + host + " is not valid yet (or this machine's clock is behind)";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "the certificate of " + host + " is self-signed and not among those that " +
             std::string(failed.authorities) + " trusts";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "the certificate of " + host + " is signed by an authority that " + std::string(failed.authorities) +
             " does not trust";
    case X509_V_ERR_INVALID_PURPOSE:
      return "the certificate of " + host + " is not for servers";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
    case X509_V_ERR_UNSPECIFIED:  // libcurl compares names itself, after OpenSSL has found the chain well.
    case X509_V_OK:
      return "the certificate of " + host + " is not for the name " + std::string(failed.name);
    default:
      return "the certificate of " + host + " is refused: " + ::X509_verify_cert_error_string(failed.verify_result);
  }
}

/// TLS' own words for what went wrong, where they tell more than libcurl's code.
std::string tls_problem(const Failed& failed) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kCauses{{
      {"alert certificate required", " demands a client certificate"},
      {"alert bad certificate", " refuses our client certificate"},
      {"alert unknown ca", " does not trust our client certificate's authority"},
      {"alert certificate expired", " says that our client certificate has expired"},
      {"alert certificate unknown", " refuses our client certificate"},
      {"alert handshake failure", " refuses the TLS handshake (no cipher in common, or no client certificate)"},
      {"alert protocol version", " speaks no TLS of version 1.2 or newer"},
      {"unsupported protocol", " speaks no TLS of version 1.2 or newer"},
      {"wrong version number", " does not speak TLS on this port"},
      {"packet length too long", " does not speak TLS on this port"},
      {"key too small", " has a certificate whose key is too small"},
  }};
  for (const auto& [words, cause] : kCauses) {
    if (failed.detail.find(words) != std::string_view::npos) return std::string(failed.host) + std::string(cause);
  }
  return {};
}

std::string sentence(const Failed& failed) {
  const std::string host(failed.host);
  if (failed.code == CURLE_PEER_FAILED_VERIFICATION) return certificate_problem(failed);
  if (std::string problem = tls_problem(failed); !problem.empty()) return problem;
  switch (failed.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return "the name of " + host + " does not resolve";
    case CURLE_COULDNT_RESOLVE_PROXY:
      return "the name of the proxy does not resolve";
    case CURLE_COULDNT_CONNECT:
      // GNU's strerror_r: a static text, or one in the buffer.
      if (std::array<char, 128> buffer{}; failed.os_error != 0) {
        return "cannot connect to " + host + ": " +
               ::strerror_r(static_cast<int>(failed.os_error), buffer.data(), buffer.size());
      }
      return "cannot connect to " + host;
    case CURLE_OPERATION_TIMEDOUT:
      return failed.connected ? "no whole answer from " + host + " in time" : "no connection to " + host + " in time";
    case CURLE_SSL_CONNECT_ERROR:
      return "the TLS handshake with " + host + " failed";
    case CURLE_SSL_CERTPROBLEM:
      return "our client certificate for " + host + " cannot be used";
    case CURLE_GOT_NOTHING:
      return host + " closed the connection without an answer";
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return host + " broke off before its answer was whole";
    case CURLE_SEND_ERROR:
      return host + " closed the connection while the request was being sent";
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return host + " does not answer in HTTP";
    default:
      return "the request to " + host + " failed: " + ::curl_easy_strerror(failed.code);
  }
}

}  // namespace

Error explain(const Failed& failed) {
  return {failed.code == CURLE_SSL_CERTPROBLEM ? Errc::config : Errc::away, sentence(failed)};
}

bool is_connection_failure(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_OPERATION_TIMEDOUT:
      return true;
    default:
      return false;
  }
}

}  // namespace injector::net
