#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "injector/telemetry/log.h"

namespace injector::webhook {

/// HOST:PORT, where HOST is an IP address, or nothing for all of this machine's.
struct Listen {
  std::string ip;  ///< Without the brackets of IPv6; empty: all.
  std::uint16_t port = 0;

  /// "127.0.0.1:8443", "[::1]:8443", ":8443"; nothing when it is none of them. Port 0 takes any that is free.
  static std::optional<Listen> of(const std::string& text);
};

/// What the command line says.
struct Options {
  std::string policy;  ///< A path; empty: the policy without a file.
  Listen listen{"", 8443};
  Listen health{"", 9090};

  enum class Certificates : std::uint8_t { files, self_managed };
  Certificates certificates = Certificates::files;
  std::string tls_cert;
  std::string tls_key;
  std::string service;
  std::string own_namespace;  ///< Empty: the service account's.
  std::string secret;
  std::string webhook_configuration;
  std::string lease;
  std::string api_server;  ///< Empty: what the kubelet puts into the environment.
  std::string service_account = "/var/run/secrets/kubernetes.io/serviceaccount";

  std::chrono::seconds drain_delay{3};
  telemetry::Level log_level = telemetry::Level::info;
  std::optional<telemetry::Log::Format> log_format;  ///< Absent: text on a terminal, else JSON.
};

inline constexpr int kGood = 0;
inline constexpr int kFailed = 1;  ///< Ended by itself.
inline constexpr int kUsage = 2;   ///< Wrong usage, policy, certificate or address.

/// Either options, or what to print and how to end.
struct Parsed {
  std::optional<Options> options;
  std::string out;
  std::string err;
  int exit_code = kGood;
};

Parsed parse(int argc, const char* const* argv);

}  // namespace injector::webhook
