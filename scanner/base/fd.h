#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "scanner/base/result.h"

namespace scanner::base {

/// Owns one file descriptor; closes it. -1 means none.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
  int release();
  void reset();

 private:
  int fd_ = -1;
};

/// Opens `path` for reading, close-on-exec. `Errc::io` names the path and the reason.
Result<Fd> open_for_reading(const std::string& path);

/// The whole file, which may hold at most `limit` bytes (`Errc::limit` otherwise). For configuration, not for targets.
Result<std::string> read_file(const std::string& path, std::size_t limit);

/// Replaces `path` by `contents` so that a reader sees the old file or the new one, mode 0600. A path that is no
/// regular file (a device, a pipe) is written in place.
Ok write_file(const std::string& path, std::string_view contents);

}  // namespace scanner::base
