#include "injector/webhook/chunked.h"

#include <algorithm>
#include <charconv>

namespace injector::webhook {
namespace {

constexpr std::size_t kLongestSize = 8;  // Hex digits: 4 GiB, which the limit refuses long before.

}  // namespace

/// `more` when `rest` does not hold the whole of the next part; `done` at the end; `too_large` and `broken` as they
/// say.
Chunked::State Chunked::step(std::string_view& rest, std::string& body) {
  if (part_ == Part::data) {
    const std::string_view bytes = rest.substr(0, left_);
    body += bytes;
    rest.remove_prefix(bytes.size());
    left_ -= bytes.size();
    if (left_ == 0) part_ = Part::data_end;
    return State::more;
  }
  if (part_ == Part::data_end || part_ == Part::end) {
    if (rest.size() < 2) return std::string_view("\r\n").starts_with(rest) ? State::more : State::broken;
    if (!rest.starts_with("\r\n")) return State::broken;
    rest.remove_prefix(2);
    if (part_ == Part::end) return State::done;
    part_ = Part::size;
    return State::more;
  }
  const std::size_t end = rest.substr(0, kLongestSize + 2).find("\r\n");
  if (end == std::string_view::npos) return rest.size() < kLongestSize + 2 ? State::more : State::broken;
  const char* const stop = rest.data() + end;
  const auto [at, failed] = std::from_chars(rest.data(), stop, left_, 16);
  if (failed != std::errc() || at != stop) return State::broken;
  if (left_ > limit_ - std::min(limit_, body.size())) return State::too_large;
  rest.remove_prefix(end + 2);
  part_ = left_ == 0 ? Part::end : Part::data;
  return State::more;
}

Chunked::State Chunked::feed(std::string& raw, std::string& body) {
  std::string_view rest = raw;
  State state = State::more;
  for (std::size_t before = rest.size() + 1; state == State::more && !rest.empty() && rest.size() < before;) {
    before = rest.size();
    state = step(rest, body);
  }
  raw.erase(0, raw.size() - rest.size());
  return state;
}

}  // namespace injector::webhook
