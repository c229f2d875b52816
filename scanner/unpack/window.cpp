#include "scanner/unpack/window.h"

#include <algorithm>
#include <cstring>

namespace scanner::unpack {

using base::Result;

Result<void> Window::refill(std::size_t keep) {
  const std::size_t from = begin_ - keep;
  std::memmove(buffer_.data(), buffer_.data() + from, end_ - from);
  end_ -= from;
  begin_ = keep;
  if (ended_) return {};
  auto got = stream_->read(buffer_.subspan(end_));
  if (!got) return fail(std::move(got).error());
  ended_ = *got == 0;
  end_ += *got;
  return {};
}

Result<std::string_view> Window::peek(std::size_t want) {
  SCANNER_CHECK(want <= buffer_.size());
  while (end_ - begin_ < want && !ended_) {
    if (auto done = refill(0); !done) return fail(std::move(done).error());
  }
  return std::string_view(buffer_.data() + begin_, end_ - begin_);
}

Result<std::string_view> Window::take(std::uint64_t limit, std::size_t keep) {
  SCANNER_CHECK(keep <= begin_ && keep <= buffer_.size() / 2);
  const std::uint64_t room = std::min<std::uint64_t>(limit, buffer_.size() - keep);
  while (end_ - begin_ < room && !ended_) {
    if (auto done = refill(keep); !done) {
      if (begin_ == end_) return fail(std::move(done).error());
      break;  // told by the next call, after what came before it
    }
  }
  const auto fresh = static_cast<std::size_t>(std::min<std::uint64_t>(end_ - begin_, limit));
  return std::string_view(buffer_.data() + begin_ - keep, keep + fresh);
}

void Window::consume(std::size_t n) {
  SCANNER_CHECK(n <= end_ - begin_);
  begin_ += n;
  position_ += n;
}

Result<std::uint64_t> Window::skip(std::uint64_t n) {
  const auto at_hand = static_cast<std::size_t>(std::min<std::uint64_t>(n, end_ - begin_));
  consume(at_hand);
  if (at_hand == n || ended_) return at_hand;
  begin_ = end_ = 0;
  auto beyond = stream_->skip(n - at_hand);
  if (!beyond) return beyond;
  position_ += *beyond;
  return at_hand + *beyond;
}

}  // namespace scanner::unpack
