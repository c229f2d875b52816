#include "injector/backend/aws/xml.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

namespace injector::backend::aws {

using memory::Secret;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Failure;
using scanner::base::Ok;
using scanner::base::Result;

namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::size_t kDepth = 16;
constexpr std::size_t kElements = 1000;

bool name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || c == ':';
}

bool blank(std::string_view text) { return text.find_first_not_of(kSpace) == text.npos; }

/// Appends UTF-8 at `out`; false when it is no character.
bool put_character(std::uint32_t code, char*& out) {
  const auto put = [&](std::uint32_t byte) { *out++ = static_cast<char>(byte); };
  if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 63));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 63));
    put(0x80 | (code & 63));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 63));
    put(0x80 | ((code >> 6) & 63));
    put(0x80 | (code & 63));
  }
  return true;
}

bool put_entity(std::string_view name, char*& out) {
  constexpr std::array<std::pair<std::string_view, char>, 5> kNamed = {
      {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};
  for (const auto& [known, character] : kNamed) {
    if (name == known) {
      *out++ = character;
      return true;
    }
  }
  if (name.size() < 2 || name[0] != '#') return false;
  name.remove_prefix(1);
  const bool hexadecimal = name[0] == 'x';
  if (hexadecimal) name.remove_prefix(1);
  std::uint32_t code = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), code, hexadecimal ? 16 : 10);
  return error == std::errc() && end == name.data() + name.size() && put_character(code, out);
}

/// Entities become characters, which are never longer: it fits into as many bytes.
std::optional<Secret> unescape(std::string_view text) {
  Secret out = Secret::of_size(text.size());
  char* at = out.writable().data();
  while (!text.empty()) {
    const std::string_view plain = text.substr(0, text.find('&'));
    at += plain.copy(at, plain.size());
    text.remove_prefix(plain.size());
    if (text.empty()) break;
    const std::size_t end = text.find(';');  // Far away when there is none.
    if (end > 10 || !put_entity(text.substr(1, end - 1), at)) return std::nullopt;
    text.remove_prefix(end + 1);
  }
  out.shrink(static_cast<std::size_t>(at - out.writable().data()));
  return out;
}

}  // namespace

class XmlReader {
 public:
  explicit XmlReader(std::string_view text) : text_(text) {}

  Result<XmlLeaves> read() {
    XmlLeaves leaves;
    skip_space();
    if (rest().starts_with("<?xml")) {
      const std::size_t end = text_.find("?>", at_);
      if (end == text_.npos) return broken();
      at_ = end + 2;
    }
    skip_space();
    if (Ok done = element("", 0, leaves); !done) return fail(std::move(done).error());
    skip_space();
    if (at_ != text_.size()) return broken();
    return leaves;
  }

 private:
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  [[nodiscard]] Failure broken() const {
    return fail(Errc::corrupt, "no XML that STS would send, at byte " + std::to_string(at_));
  }
  bool take(std::string_view token) {
    if (!rest().starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  void skip_space() { at_ = std::min(text_.find_first_not_of(kSpace, at_), text_.size()); }
  std::string_view name() {
    const std::size_t start = at_;
    while (at_ < text_.size() && name_character(text_[at_])) ++at_;
    return text_.substr(start, at_ - start);
  }

  /// Goes past the attributes; false when they are none.
  bool attributes() {
    for (;;) {
      const std::size_t before = at_;
      skip_space();
      if (at_ == text_.size() || text_[at_] == '>' || text_[at_] == '/') return true;
      if (at_ == before || name().empty() || !take("=")) return false;
      const char quote = at_ < text_.size() ? text_[at_] : '\0';
      if (quote != '"' && quote != '\'') return false;
      const std::size_t end = text_.find(quote, at_ + 1);
      if (end == text_.npos || text_.substr(at_, end - at_).find('<') != text_.npos) return false;
      at_ = end + 1;
    }
  }

  Ok element(const std::string& parent, std::size_t depth, XmlLeaves& leaves) {
    if (depth > kDepth || ++elements_ > kElements) return fail(Errc::limit, "too much XML for an answer of STS");
    if (!take("<")) return broken();
    const std::string own(name());
    if (own.empty() || !attributes()) return broken();
    // The root's own name stands in no path.
    const std::string path = depth == 0 ? "" : parent.empty() ? own : parent + "/" + own;
    if (depth == 0) leaves.root_ = own;
    if (take("/>")) return {};
    if (!take(">")) return broken();
    bool leaf = true;
    for (;;) {
      const std::size_t open = text_.find('<', at_);
      if (open == text_.npos) return broken();
      const std::string_view text = text_.substr(at_, open - at_);
      if (text_.substr(open).starts_with("</")) {
        if (!leaf && !blank(text)) return broken();
        if (leaf && depth > 0) {
          auto value = unescape(text);
          if (!value) return broken();
          leaves.leaves_.push_back({path, std::move(*value)});
        }
        at_ = open + 2;
        break;
      }
      if (!blank(text)) return broken();
      leaf = false;
      at_ = open;
      if (Ok done = element(path, depth + 1, leaves); !done) return done;
    }
    if (name() != own) return broken();
    skip_space();
    if (!take(">")) return broken();
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t elements_ = 0;
};

Result<XmlLeaves> XmlLeaves::parse(const Secret& text) { return XmlReader(text.reveal()).read(); }

std::string_view XmlLeaves::at(std::string_view path) const {
  const auto found = std::find_if(leaves_.begin(), leaves_.end(), [&](const Leaf& leaf) { return leaf.path == path; });
  return found == leaves_.end() ? std::string_view() : found->text.reveal();
}

}  // namespace injector::backend::aws
