#include "scanner/base/stream.h"

#include <system_error>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

namespace scanner::base {
namespace {

/// Repeats `read_some(data, size, done)` until `out` is full or it returns 0.
template <typename ReadSome>
Result<std::size_t> fill(std::span<char> out, const std::string& name, ReadSome read_some) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = read_some(out.data() + done, out.size() - done, done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(Errc::io, name + ": " + std::generic_category().message(errno));
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

}  // namespace

Result<std::uint64_t> Stream::skip(std::uint64_t n) {
  std::array<char, 65536> sink;
  std::uint64_t skipped = 0;
  while (skipped < n) {
    auto got = read(std::span(sink).first(static_cast<std::size_t>(std::min<std::uint64_t>(sink.size(), n - skipped))));
    if (!got) return fail(std::move(got).error());
    if (*got == 0) break;
    skipped += *got;
  }
  return skipped;
}

Result<std::uint64_t> drain(Stream& stream) { return stream.skip(std::numeric_limits<std::uint64_t>::max()); }

Result<std::size_t> MemoryStream::read(std::span<char> out) {
  const std::size_t n = rest_.copy(out.data(), out.size());
  rest_.remove_prefix(n);
  return n;
}

Result<std::size_t> FdStream::read(std::span<char> out) {
  return fill(out, name_, [this](char* data, std::size_t size, std::size_t) { return ::read(fd_.get(), data, size); });
}

Result<std::size_t> RangeStream::read(std::span<char> out) {
  if (short_) return fail(Errc::truncated, name_ + ": ends before its size says so");
  const std::span<char> wanted = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left_)));
  auto got = fill(wanted, name_, [this](char* data, std::size_t size, std::size_t done) {
    return ::pread(fd_, data, size, static_cast<off_t>(offset_ + done));
  });
  if (!got) return got;
  if (*got < wanted.size()) {
    short_ = true;
    if (*got == 0) return fail(Errc::truncated, name_ + ": ends before its size says so");
  }
  offset_ += *got;
  left_ -= *got;
  return got;
}

Result<std::uint64_t> RangeStream::skip(std::uint64_t n) {
  const std::uint64_t step = std::min(n, left_);
  offset_ += step;
  left_ -= step;
  return step;
}

Result<std::size_t> PrefixedStream::read(std::span<char> out) {
  if (error_) return fail(*error_);
  const std::size_t n = std::string_view(prefix_).substr(taken_).copy(out.data(), out.size());
  taken_ += n;
  if (n == out.size()) return n;
  auto more = rest_->read(out.subspan(n));
  // An error is told by the next call, after what came before it.
  if (!more && n > 0) {
    error_ = std::move(more).error();
    return n;
  }
  if (!more) return more;
  return n + *more;
}

Result<std::string> read_up_to(Stream& stream, std::size_t limit) {
  constexpr std::size_t kStep = 65536;
  std::string bytes;
  for (;;) {
    const std::size_t had = bytes.size();
    const std::size_t want = std::min(kStep, limit - had);
    if (want == 0) return bytes;
    bytes.resize(had + want);
    auto got = stream.read(std::span(bytes).subspan(had));
    if (!got) return fail(std::move(got).error());
    bytes.resize(had + *got);
    if (*got == 0) return bytes;
  }
}

}  // namespace scanner::base
