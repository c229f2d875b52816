#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "scanner/base/stream.h"
#include "scanner/model/limits.h"

namespace scanner::unpack {

struct ZipMember {
  std::string path;
  bool directory = false;
  bool encrypted = false;  ///< Its data cannot be read; nobody can without the password.
};

/// Reads a zip archive (jar, whl, ...) front to back by its local headers, through libarchive with only its streaming
/// zip reader enabled. Borrows the stream. One thread.
class ZipReader {
 public:
  ZipReader(base::Stream& stream, const Limits& limits);
  ZipReader(ZipReader&&) noexcept;
  ~ZipReader();

  /// Goes to the next member. False at the end; errors as libarchive gives them, the archive then ends there.
  base::Result<bool> next(ZipMember& member);

  /// The current member's data, decompressed. Borrowed from the reader; ends at the next call of `next`.
  base::Stream& data();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace scanner::unpack
