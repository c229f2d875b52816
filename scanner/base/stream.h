#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "scanner/base/fd.h"
#include "scanner/base/result.h"

namespace scanner::base {

/// Bytes in order, read once. Used by one thread at a time.
class Stream {
 public:
  virtual ~Stream() = default;

  /// Fills `out` from the front and returns how many bytes it put there. Fewer than asked means that the end or an
  /// error comes next, and the next call says which: 0 is the end. What comes before an error is given first. After an
  /// error the stream gives nothing more.
  virtual Result<std::size_t> read(std::span<char> out) = 0;

  /// Goes `n` bytes on without giving them; says how many there really were. Reads them where it cannot do better.
  virtual Result<std::uint64_t> skip(std::uint64_t n);
};

/// Bytes that are in memory already. Borrows them.
class MemoryStream final : public Stream {
 public:
  explicit MemoryStream(std::string_view bytes) : rest_(bytes) {}
  Result<std::size_t> read(std::span<char> out) override;

 private:
  std::string_view rest_;
};

/// A text of its own.
class TextStream final : public Stream {
 public:
  explicit TextStream(std::string text) : text_(std::move(text)), rest_(text_) {}
  TextStream(const TextStream&) = delete;
  TextStream& operator=(const TextStream&) = delete;
  Result<std::size_t> read(std::span<char> out) override { return rest_.read(out); }

 private:
  std::string text_;
  MemoryStream rest_;
};

/// The bytes of a descriptor from its current position to its end: a file, a pipe, a socket. Owns the descriptor.
class FdStream final : public Stream {
 public:
  /// `name` is for error messages.
  FdStream(Fd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}
  Result<std::size_t> read(std::span<char> out) override;

 private:
  Fd fd_;
  std::string name_;
};

/// `size` bytes of a file from `offset`, by pread: many may share one descriptor, on many threads. A file that ends
/// early is `Errc::truncated`. Borrows the descriptor.
class RangeStream final : public Stream {
 public:
  RangeStream(int fd, std::uint64_t offset, std::uint64_t size, std::string name)
      : fd_(fd), offset_(offset), left_(size), name_(std::move(name)) {}
  Result<std::size_t> read(std::span<char> out) override;
  Result<std::uint64_t> skip(std::uint64_t n) override;

 private:
  int fd_;
  std::uint64_t offset_;
  std::uint64_t left_;
  bool short_ = false;
  std::string name_;
};

/// First `prefix`, then `rest`: puts back what was read to find out what a stream is.
class PrefixedStream final : public Stream {
 public:
  PrefixedStream(std::string prefix, std::unique_ptr<Stream> rest)
      : prefix_(std::move(prefix)), rest_(std::move(rest)) {}
  Result<std::size_t> read(std::span<char> out) override;

 private:
  std::string prefix_;
  std::size_t taken_ = 0;
  std::unique_ptr<Stream> rest_;
  std::optional<Error> error_;
};

/// Lends a stream to somebody who wants to own one.
class LentStream final : public Stream {
 public:
  explicit LentStream(Stream& stream) : stream_(&stream) {}
  Result<std::size_t> read(std::span<char> out) override { return stream_->read(out); }

 private:
  Stream* stream_;
};

/// Reads `stream` to its end; says how many bytes there were.
Result<std::uint64_t> drain(Stream& stream);

/// Reads up to `limit` bytes into a string; what is beyond stays in the stream.
Result<std::string> read_up_to(Stream& stream, std::size_t limit);

}  // namespace scanner::base
