#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "scanner/base/hash.h"
#include "scanner/base/stream.h"

namespace scanner::scan {

/// Passes a stream's bytes on, counts them and computes their SHA-256.
class HashingStream final : public base::Stream {
 public:
  explicit HashingStream(std::unique_ptr<base::Stream> stream) : stream_(std::move(stream)) {}

  base::Result<std::size_t> read(std::span<char> out) override {
    auto got = stream_->read(out);
    if (got) {
      hash_.update({out.data(), *got});
      bytes_ += *got;
    }
    return got;
  }

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  /// Of what was read. Once.
  base::Sha256 digest() { return hash_.finish(); }

 private:
  std::unique_ptr<base::Stream> stream_;
  base::Sha256Stream hash_;
  std::uint64_t bytes_ = 0;
};

}  // namespace scanner::scan
