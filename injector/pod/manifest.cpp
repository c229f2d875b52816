#include "injector/pod/manifest.h"

#include <yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>

namespace injector::pod {
namespace {

using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Ok;
using scanner::base::Result;

constexpr std::size_t kDeepest = 64;
constexpr std::size_t kMostNodes = 1'000'000;

struct EventFree {
  void operator()(yaml_event_t* event) const {
    yaml_event_delete(event);
    delete event;  // NOLINT(cppcoreguidelines-owning-memory): made by next() below.
  }
};
using Event = std::unique_ptr<yaml_event_t, EventFree>;

class Parser {
 public:
  explicit Parser(std::string_view text) {
    good_ = yaml_parser_initialize(&parser_) == 1;
    if (good_) yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  ~Parser() {
    if (good_) yaml_parser_delete(&parser_);
  }
  /// The next event; null at a mistake.
  Event next() {
    auto raw = std::make_unique<yaml_event_t>();
    if (!good_ || yaml_parser_parse(&parser_, raw.get()) != 1) return nullptr;
    return Event(raw.release());
  }
  [[nodiscard]] std::size_t line() const { return std::max(parser_.problem_mark.line, parser_.mark.line) + 1; }

 private:
  yaml_parser_t parser_{};
  bool good_ = false;
};

std::string_view view(const unsigned char* text, std::size_t size) {
  return {reinterpret_cast<const char*>(text), size};
}
std::string_view view(const unsigned char* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

bool word(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

/// A whole number in one of the ways of YAML 1.1: decimal, 0x, 0o, and octal by a leading zero.
std::optional<OrderedJson> whole(std::string_view text) {
  const bool minus = text.starts_with('-');
  std::string digits(text.substr(minus || text.starts_with('+') ? 1 : 0));
  std::erase(digits, '_');
  int base = 10;
  std::size_t skip = 0;
  if (digits.starts_with("0x")) {
    base = 16;
    skip = 2;
  } else if (digits.starts_with("0o")) {
    base = 8;
    skip = 2;
  } else if (digits.starts_with("0b")) {
    base = 2;
    skip = 2;
  } else if (digits.size() > 1 && digits[0] == '0') {
    base = 8;
    skip = 1;
  }
  if (digits.size() == skip || digits[skip] == '-' || digits[skip] == '+') return std::nullopt;
  std::uint64_t value = 0;
  const auto [stop, failed] = std::from_chars(digits.data() + skip, digits.data() + digits.size(), value, base);
  if (failed != std::errc() || stop != digits.data() + digits.size()) return std::nullopt;
  if (!minus) return OrderedJson(value);
  if (value > 1ULL << 63U) return std::nullopt;
  return OrderedJson(static_cast<std::int64_t>(0 - value));
}

std::optional<OrderedJson> fraction(std::string_view text) {
  if (text.find_first_of("0123456789") == std::string_view::npos ||
      text.find_first_not_of("0123456789.eE+-") != std::string_view::npos)
    return std::nullopt;
  const std::string_view body = text.substr(text.starts_with('+') ? 1 : 0);
  double value = 0;
  const auto [stop, failed] = std::from_chars(body.data(), body.data() + body.size(), value);
  if (failed != std::errc() || stop != body.data() + body.size()) return std::nullopt;
  return OrderedJson(value);
}

/// What a scalar without quotes means.
OrderedJson meaning(std::string_view text) {
  if (word(text, {"", "~", "null", "Null", "NULL"})) return nullptr;
  if (word(text, {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})) return true;
  if (word(text, {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"})) return false;
  if (auto number = whole(text)) return *number;
  if (auto number = fraction(text)) return *number;
  return std::string(text);
}

class Reader {
 public:
  Reader(std::string_view text, std::string name) : text_(text), name_(std::move(name)), parser_(text) {}

  Result<std::vector<Manifest>> read() {
    split_lines();
    for (;;) {
      const Event event = parser_.next();
      if (!event) return fail(broken());
      if (event->type == YAML_STREAM_END_EVENT) break;
      if (event->type != YAML_DOCUMENT_START_EVENT) continue;
      Manifest manifest;
      manifest.line = manifests_.empty() ? 1 : event->start_mark.line + 1;
      anchors_.clear();
      lines_ = &manifest.lines;
      const Event first = parser_.next();
      if (!first) return fail(broken());
      auto value = node(*first, "", 0);
      if (!value) return fail(std::move(value).error());
      manifest.value = std::move(*value);
      manifests_.push_back(std::move(manifest));
    }
    for (std::size_t i = 0; i < manifests_.size(); ++i) {
      const std::size_t from = starts_[std::min(manifests_[i].line - 1, starts_.size() - 1)];
      const std::size_t next = i + 1 < manifests_.size() ? starts_[manifests_[i + 1].line - 1] : text_.size();
      manifests_[i].text = text_.substr(from, next - from);
    }
    return std::move(manifests_);
  }

 private:
  [[nodiscard]] scanner::base::Error broken() const {
    return {Errc::config, name_ + ":" + std::to_string(parser_.line()) + ": this is no YAML"};
  }
  [[nodiscard]] scanner::base::Failure wrong(const yaml_event_t& at, const std::string& what) const {
    return fail(Errc::config, name_ + ":" + std::to_string(at.start_mark.line + 1) + ": " + what);
  }

  void split_lines() {
    starts_.push_back(0);
    for (std::size_t i = 0; i < text_.size(); ++i) {
      if (text_[i] == '\n') starts_.push_back(i + 1);
    }
  }

  Result<OrderedJson> node(const yaml_event_t& event, const std::string& path, std::size_t depth) {
    if (depth > kDeepest) return wrong(event, "nests too deeply");
    if (++nodes_ > kMostNodes) return fail(Errc::limit, name_ + ": holds more than a million values");
    switch (event.type) {
      case YAML_ALIAS_EVENT:
        return alias(event);
      case YAML_SCALAR_EVENT:
        return scalar(event);
      case YAML_SEQUENCE_START_EVENT:
        return sequence(event, path, depth);
      case YAML_MAPPING_START_EVENT:
        return mapping(event, path, depth);
      default:
        return wrong(event, "this is no YAML");
    }
  }

  Result<OrderedJson> alias(const yaml_event_t& event) {
    const auto found = anchors_.find(view(event.data.alias.anchor));
    if (found == anchors_.end()) return wrong(event, "there is no such anchor before");
    nodes_ += count(found->second);
    if (nodes_ > kMostNodes) return fail(Errc::limit, name_ + ": holds more than a million values");
    return found->second;
  }

  static std::size_t count(const OrderedJson& value) {
    std::size_t out = 1;
    if (value.is_structured()) {
      for (const auto& each : value) out += count(each);
    }
    return out;
  }

  void keep(const unsigned char* anchor, const OrderedJson& value) {
    if (anchor != nullptr) anchors_[std::string(view(anchor))] = value;
  }

  Result<OrderedJson> scalar(const yaml_event_t& event) {
    const auto& data = event.data.scalar;
    const std::string_view text = view(data.value, data.length);
    const std::string_view tag = view(data.tag);
    OrderedJson out;
    if (!tag.empty() && tag != "tag:yaml.org,2002:str" && tag != "!")
      return wrong(event, "has a tag that is not followed");
    const bool plain = data.style == YAML_PLAIN_SCALAR_STYLE && tag.empty();
    out = plain ? meaning(text) : OrderedJson(std::string(text));
    keep(data.anchor, out);
    return out;
  }

  Result<OrderedJson> sequence(const yaml_event_t& start, const std::string& path, std::size_t depth) {
    OrderedJson out = OrderedJson::array();
    for (;;) {
      const Event event = parser_.next();
      if (!event) return fail(broken());
      if (event->type == YAML_SEQUENCE_END_EVENT) break;
      auto item = node(*event, path + "/" + std::to_string(out.size()), depth + 1);
      if (!item) return item;
      out.push_back(std::move(*item));
    }
    keep(start.data.sequence_start.anchor, out);
    return out;
  }

  Result<OrderedJson> mapping(const yaml_event_t& start, const std::string& path, std::size_t depth) {
    OrderedJson out = OrderedJson::object();
    std::vector<OrderedJson> merged;
    for (;;) {
      const Event event = parser_.next();
      if (!event) return fail(broken());
      if (event->type == YAML_MAPPING_END_EVENT) break;
      if (event->type != YAML_SCALAR_EVENT) return wrong(*event, "a key must be text");
      const std::string key(view(event->data.scalar.value, event->data.scalar.length));
      const bool merge = key == "<<" && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
      const std::string inner = path + "/" + pointer_part(key);
      if (!merge && !lines_->emplace(inner, event->start_mark.line + 1).second)
        return wrong(*event, "this key is there twice");
      const Event next = parser_.next();
      if (!next) return fail(broken());
      auto value = node(*next, inner, depth + 1);
      if (!value) return value;
      if (!merge) {
        out[key] = std::move(*value);
      } else if (value->is_array()) {
        for (auto& each : *value) merged.push_back(std::move(each));
      } else {
        merged.push_back(std::move(*value));
      }
    }
    for (const OrderedJson& each : merged) {
      if (!each.is_object()) return wrong(start, "what is merged must be a mapping");
      for (const auto& [key, value] : each.items()) {
        if (!out.contains(key)) out[key] = value;
      }
    }
    keep(start.data.mapping_start.anchor, out);
    return out;
  }

  std::string_view text_;
  std::string name_;
  Parser parser_;
  std::vector<std::size_t> starts_;
  std::vector<Manifest> manifests_;
  std::map<std::string, OrderedJson, std::less<>> anchors_;
  std::map<std::string, std::size_t, std::less<>>* lines_ = nullptr;
  std::size_t nodes_ = 0;
};

}  // namespace

std::string pointer_part(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

Result<std::vector<Manifest>> read_manifests(std::string_view text, const std::string& name) {
  if (text.size() > kMostManifests) return fail(Errc::limit, name + ": is longer than 16 MiB");
  return Reader(text, name).read();
}

}  // namespace injector::pod
