#include "scanner/source/documents_texts.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "scanner/base/hash.h"
#include "scanner/source/documents_json.h"

namespace scanner::source {
namespace {

using base::Errc;
using base::Json;

constexpr std::size_t kMaxTexts = 100'000;
constexpr std::size_t kMaxTextBytes = 16U << 20;
constexpr std::size_t kLongestMediaType = 127;
constexpr std::string_view kTimeForm = "0000-00-00T00:00:00";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_digest(std::string_view text) {
  base::Sha256 digest{};
  return base::parse_oci_digest(text, digest);
}

bool has_form(std::string_view text, std::string_view form) {
  return text.size() == form.size() && std::equal(text.begin(), text.end(), form.begin(),
                                                  [](char c, char f) { return f == '0' ? is_digit(c) : c == f; });
}

/// RFC 3339, as Go writes it.
bool is_time(std::string_view text) {
  if (!has_form(text.substr(0, kTimeForm.size()), kTimeForm)) return false;
  auto rest = text.substr(kTimeForm.size());
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    while (!rest.empty() && is_digit(rest.front())) rest.remove_prefix(1);
  }
  return rest == "Z" || has_form(rest, "+00:00") || has_form(rest, "-00:00");
}

bool is_media_type(std::string_view text) {
  return text.starts_with("application/vnd.") && text.size() <= kLongestMediaType &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || is_digit(c) || c == '.' || c == '+' || c == '-' || c == '/' || c == '_';
         });
}

bool is_no_text(std::string_view value) {
  return value.empty() || is_digest(value) || is_time(value) || is_media_type(value);
}

}  // namespace

void Texts::add_pair(Kind kind, std::string_view field, std::string_view key, std::string_view value,
                     int history_index) {
  if (full_ || (key.empty() && value.empty())) return;
  bytes_ += name_.size() + field.size() + key.size() + value.size();
  full_ = texts_.size() == kMaxTexts || bytes_ > kMaxTextBytes;
  if (full_) return;

  Text text;
  text.entry.kind = kind;
  text.entry.path = name_;
  text.entry.field = field;
  text.entry.history_index = history_index;
  text.text.reserve(key.size() + 1 + value.size());
  if (!key.empty()) text.text.append(key).append("=");
  text.text.append(value);
  const auto& kept = texts_.emplace_back(std::move(text));
  if (!seen_.emplace(kind, history_index, kept.entry.field, kept.text).second) texts_.pop_back();
}

void Texts::add_all(Kind kind, std::string& pointer, std::string_view key, const Json& value, int history_index) {
  if (full_) return;
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (!is_no_text(text)) add_pair(kind, pointer, key, text, history_index);
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size() && !full_; ++i) {
      const PointerStep step(pointer, std::to_string(i));
      add_all(kind, pointer, key, value[i], history_index);
    }
  } else if (value.is_object()) {
    for (const auto& [name, member] : value.get_ref<const Json::object_t&>()) {
      if (full_) return;
      if (member.is_object() && member.empty()) add(kind, pointer, name, history_index);
      const PointerStep step(pointer, name);
      add_all(kind, pointer, name, member, history_index);
    }
  }
}

base::Result<std::vector<Text>> Texts::take() && {
  if (full_) return fail(Errc::limit, "more than 100000 texts or 16 MiB of them");
  seen_.clear();
  return std::vector<Text>(std::make_move_iterator(texts_.begin()), std::make_move_iterator(texts_.end()));
}

PointerStep::PointerStep(std::string& pointer, std::string_view step) : pointer_(pointer), length_(pointer.size()) {
  pointer_ += '/';
  for (const char c : step) {
    if (c == '~') {
      pointer_ += "~0";
    } else if (c == '/') {
      pointer_ += "~1";
    } else {
      pointer_ += c;
    }
  }
}

std::string_view name_in(std::string_view assignment) {
  const auto equals = assignment.find('=');
  return equals == std::string_view::npos ? std::string_view() : assignment.substr(0, equals);
}

}  // namespace scanner::source
