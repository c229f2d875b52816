#include "injector/render/value.h"

#include <algorithm>
#include <array>

namespace injector::render {

using memory::Document;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Result;

Result<Value> Value::of(const Reading& reading, std::string_view key) {
  Value out;
  out.single_ = !key.empty();
  for (const auto& member : reading.members) {
    if (key.empty() || member.name == key) out.members_.push_back({member.name, member.value.reveal()});
  }
  if (!key.empty() && out.members_.empty()) return fail(Errc::missing, "there is no key " + shown(key));
  std::ranges::stable_sort(out.members_, {}, &Member::name);
  out.bytes_ = key.empty() ? reading.document.reveal() : out.members_.front().bytes;

  auto document = Document::parse(reading.document);
  if (!document) return out;  // Plain text, or bytes.
  const auto root = document->root();
  out.json_ = key.empty() ? root : root[key];
  // A bare number or word is text that happens to look like JSON.
  if (key.empty() && !root.is_object() && !root.is_array()) out.json_ = {};
  out.document_.push_back(std::move(*document));
  return out;
}

std::string shown(std::string_view key) {
  const bool printable = key.size() <= 100 && std::ranges::all_of(key, [](char c) { return c >= ' ' && c <= '~'; });
  return printable ? '"' + std::string(key) + '"' : std::string("(a key that cannot be shown)");
}

bool take_code_point(std::string_view& text, char32_t& out) {
  if (text.empty()) return false;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  std::size_t size = 1;
  char32_t least = 0;
  if (first < 0x80) {
    out = first;
  } else if ((first & 0xe0U) == 0xc0) {
    size = 2, out = first & 0x1fU, least = 0x80;
  } else if ((first & 0xf0U) == 0xe0) {
    size = 3, out = first & 0x0fU, least = 0x800;
  } else if ((first & 0xf8U) == 0xf0) {
    size = 4, out = first & 0x07U, least = 0x10000;
  } else {
    return false;
  }
  if (text.size() < size) return false;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return false;
    out = (out << 6U) | (byte(i) & 0x3fU);
  }
  if (out < least || out > 0x10ffff || (out >= 0xd800 && out <= 0xdfff)) return false;
  text.remove_prefix(size);
  return true;
}

bool is_utf8(std::string_view text) {
  char32_t point = 0;
  while (!text.empty()) {
    if (!take_code_point(text, point)) return false;
  }
  return true;
}

}  // namespace injector::render
