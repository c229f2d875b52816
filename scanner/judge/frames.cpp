#include "scanner/judge/frames.h"

#include <algorithm>
#include <utility>

#include "scanner/judge/lines.h"
#include "scanner/judge/redact.h"
#include "scanner/model/hit.h"

namespace scanner::judge {
namespace {

bool by_begin(Span a, Span b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); }
bool same(Span a, Span b) { return a.begin == b.begin && a.end == b.end; }

/// Cuts `frame` to its width, what is marked in the middle when both sides are long.
void cut(Frame& frame) {
  const std::size_t mark = frame.mark_end - frame.mark_begin;
  const std::size_t room = Hit::kFrameWidth - std::min(mark, Hit::kFrameWidth);
  const std::size_t right = frame.text.size() - frame.mark_end;
  const std::size_t keep_left =
      std::min<std::size_t>(frame.mark_begin, std::max(room / 2, room - std::min(right, room)));
  const std::size_t keep_right = std::min(right, room - keep_left);
  const std::size_t dropped = frame.mark_begin - keep_left;
  frame.text.resize(frame.mark_end + keep_right);
  frame.text.erase(0, dropped);
  frame.mark_begin -= static_cast<std::uint32_t>(dropped);
  frame.mark_end -= static_cast<std::uint32_t>(dropped);
}

}  // namespace

Frames::Frames(const Chunk& chunk, std::vector<Span> secrets) : chunk_(&chunk), secrets_(std::move(secrets)) {
  std::sort(secrets_.begin(), secrets_.end(), by_begin);
  secrets_.erase(std::unique(secrets_.begin(), secrets_.end(), same), secrets_.end());
  for (const Span secret : secrets_) longest_ = std::max(longest_, secret.size());
}

// Twice what fits, since masks are often shorter than what they hide. Beyond own_end secrets are not known yet.
Span Frames::shown_around(Span secret) const {
  const std::string_view bytes = chunk_->bytes;
  Span shown = lines_around(bytes, secret, 0, Hit::kFrameWidth);
  if (secret.of(bytes).find('\n') != std::string_view::npos) shown.end = secret.end;
  if (!chunk_->last) shown.end = std::min(shown.end, std::max(chunk_->own_end, secret.end));
  if (shown.end > secret.end && bytes[shown.end - 1] == '\r') --shown.end;
  return shown;
}

void Frames::mask(std::string_view value, Span shown) {
  const std::string_view text = shown.of(chunk_->bytes);
  for (std::size_t at = text.find(value); at != std::string_view::npos; at = text.find(value, at + value.size())) {
    masks_.push_back({shown.begin + at, shown.begin + at + value.size()});
  }
}

// A value is masked wherever it stands in the frame, also where no rule found it.
void Frames::collect_masks(Span shown, Span secret) {
  masks_.assign(1, secret);
  const std::size_t first = shown.begin - std::min(shown.begin, longest_);
  auto other = std::lower_bound(secrets_.begin(), secrets_.end(), Span{first, 0}, by_begin);
  for (; other != secrets_.end() && other->begin < shown.end; ++other) {
    if (other->end <= shown.begin) continue;
    masks_.push_back({std::max(other->begin, shown.begin), std::min(other->end, shown.end)});
    mask(other->of(chunk_->bytes), shown);
  }
  std::sort(masks_.begin(), masks_.end(), by_begin);
  masks_.erase(std::unique(masks_.begin(), masks_.end(), same), masks_.end());
}

Frame Frames::around(Span secret) {
  const std::string_view bytes = chunk_->bytes;
  const Span shown = shown_around(secret);
  collect_masks(shown, secret);
  Frame frame;
  std::size_t place = shown.begin;
  for (std::size_t i = 0; i < masks_.size();) {
    Span joined = masks_[i];
    std::size_t next = i + 1;
    for (; next < masks_.size() && masks_[next].begin < joined.end; ++next) {
      joined.end = std::max(joined.end, masks_[next].end);
    }
    frame.text.append(bytes.substr(place, joined.begin - place));
    const auto mark_begin = static_cast<std::uint32_t>(frame.text.size());
    // Where secrets overlap, the first bytes of one may be all of another.
    if (next == i + 1 && same(joined, secret)) {
      frame.text += redact(secret.of(bytes));
    } else {
      frame.text += kMask;
    }
    if (joined.begin <= secret.begin && secret.end <= joined.end) {
      frame.mark_begin = mark_begin;
      frame.mark_end = static_cast<std::uint32_t>(frame.text.size());
    }
    place = joined.end;
    i = next;
  }
  frame.text.append(bytes.substr(place, shown.end - place));
  cut(frame);
  return frame;
}

}  // namespace scanner::judge
