#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "tests/support/temporary.h"

namespace tests {

/// nghttpd, the reference server of HTTP/2, on a folder of files.
class Http2Server {
 public:
  explicit Http2Server(const TemporaryDirectory& folder);
  Http2Server(const Http2Server&) = delete;
  Http2Server& operator=(const Http2Server&) = delete;
  ~Http2Server() { stop(); }

  void stop();
  /// False when it is not installed.
  [[nodiscard]] bool started() const { return started_; }
  [[nodiscard]] const std::string& authority() const { return authority_; }
  [[nodiscard]] std::string url(const std::string& path) const;
  [[nodiscard]] ::pid_t child() const { return child_; }
  [[nodiscard]] std::string log() const { return contents_of(log_); }

 private:
  std::uint16_t port_;
  std::string authority_;
  std::string log_;
  ::pid_t child_ = 0;
  bool started_ = false;
};

}  // namespace tests
