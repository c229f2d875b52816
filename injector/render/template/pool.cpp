#include "injector/render/template/pool.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "injector/render/template/stop.h"
#include "injector/render/template/unicode.h"

namespace injector::render::templates {
namespace {

constexpr std::size_t kBlock = 16UL << 10;
constexpr std::size_t kBytesAStep = 64;

}  // namespace

void* Pool::take(std::size_t size) {
  size = (size + 15) / 16 * 16;
  if (size > bytes_left_) stop_at_limit("its values need too much memory");
  bytes_left_ -= size;
  if (size > free_.size()) {
    // A large one gets a block of its own, and what was left of the last block stays in use.
    auto& block = blocks_.emplace_back(memory::Secret::of_size(std::max(size, kBlock)));
    if (size >= kBlock) return block.writable().data();
    free_ = block.writable();
  }
  void* const taken = free_.data();
  free_ = free_.subspan(size);
  return taken;
}

std::string_view Pool::keep(std::string_view text) {
  if (text.empty()) return {};
  auto* const copy = static_cast<char*>(take(text.size()));
  std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

void Pool::step(std::size_t bytes) {
  const std::size_t cost = 1 + bytes / kBytesAStep;
  if (cost > steps_left_) stop_at_limit("it takes too many steps");
  steps_left_ -= cost;
}

Builder& Builder::add(std::string_view bytes) {
  if (bytes.size() > most_ - text_.size()) stop_at_limit("a text becomes too long");
  text_.append(bytes);
  return *this;
}

Builder& Builder::add(std::size_t count, char byte) {
  constexpr std::size_t kPiece = 256;
  if (count > most_ - text_.size()) stop_at_limit("a text becomes too long");
  std::array<char, kPiece> piece{};
  piece.fill(byte);
  for (; count > 0; count -= std::min(count, kPiece))
    text_.append(std::string_view(piece.data(), std::min(count, kPiece)));
  return *this;
}

Builder& Builder::add_rune(char32_t rune) {
  std::array<char, 4> bytes{};
  return add(std::string_view(bytes.data(), encode(rune, bytes.data())));
}

}  // namespace injector::render::templates
