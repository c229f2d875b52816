#include "injector/pod/yaml_text.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace injector::pod {
namespace {

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool digit(char c) { return c >= '0' && c <= '9'; }

/// A word that some reader of YAML takes for a truth value or for nothing.
bool is_word(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
  static constexpr std::array kWords = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"};
  return std::ranges::find(kWords, lower) != kWords.end();
}

/// Text that means itself without quotes, to every reader: it begins as no number does, and holds no sign of YAML's
/// own.
bool is_plain(std::string_view text) {
  if (text.empty() || text.size() > 500 || is_word(text)) return false;
  const char first = text[0];
  const bool begins = letter(first) || first == '/' || first == '_';
  if (!begins && !(digit(first) && letter(text.back()) && text.find_first_of("eExX_:.-+") == std::string_view::npos))
    return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool usual = letter(c) || digit(c) || std::string_view("-_./@+=$(),;").find(c) != std::string_view::npos;
    const bool sign =
        (c == ':' || c == '#') && i + 1 < text.size() && text[i + 1] != ' ' && text[i - (i == 0 ? 0 : 1)] != ' ';
    const bool space =
        c == ' ' && i > 0 && i + 1 < text.size() && text[i - 1] != ' ' && text[i - 1] != ':' && text[i + 1] != '#';
    if (!usual && !sign && !space) return false;
  }
  return true;
}

/// JSON's quotes do for YAML, but for what YAML does not let stand raw.
std::string quoted(const std::string& text) {
  const std::string json = OrderedJson(text).dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  std::string out;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const auto at = [&](std::size_t k) { return static_cast<unsigned char>(i + k < json.size() ? json[i + k] : 0); };
    static constexpr std::string_view kDigits = "0123456789abcdef";
    if (at(0) == 0x7f) {
      out += "\\x7f";
    } else if (at(0) == 0xc2 && at(1) >= 0x80 && at(1) <= 0x9f) {
      out += "\\x";
      out += kDigits[at(1) >> 4U];
      out += kDigits[at(1) & 15U];
      ++i;
    } else if (at(0) == 0xe2 && at(1) == 0x80 && (at(2) == 0xa8 || at(2) == 0xa9)) {
      out += at(2) == 0xa8 ? "\\L" : "\\P";
      i += 2;
    } else if (at(0) == 0xef && at(1) == 0xbb && at(2) == 0xbf) {
      out += "\\ufeff";
      i += 2;
    } else if (at(0) == 0xef && at(1) == 0xbf && at(2) >= 0xbe) {
      out += at(2) == 0xbe ? "\\ufffe" : "\\uffff";
      i += 2;
    } else {
      out += json[i];
    }
  }
  return out;
}

/// Text of several lines that a block can hold as it is.
bool is_block(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text[0] == ' ' || text[0] == '\n') return false;
  const bool plain = std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c < 0x7f); });
  return plain && text.find_first_not_of('\n') != std::string_view::npos;
}

class Writer {
 public:
  std::string take() { return std::move(out_); }

  /// After a key or a dash: on the same line what fits there, the rest on lines of its own.
  void value(const OrderedJson& value, std::size_t indent, bool after_dash) {
    if (value.is_object() && !value.empty()) {
      if (!after_dash) out_ += '\n';
      members(value, indent, after_dash);
    } else if (value.is_array() && !value.empty()) {
      if (!after_dash) out_ += '\n';
      items(value, indent, after_dash);
    } else {
      if (!after_dash) out_ += ' ';
      scalar(value, indent);
    }
  }

  /// A document's root.
  void root(const OrderedJson& value) {
    if (value.is_object() && !value.empty()) {
      members(value, 0, false);
    } else if (value.is_array() && !value.empty()) {
      items(value, 0, false);
    } else {
      scalar(value, 0);
    }
  }

 private:
  void pad(std::size_t indent) { out_.append(indent, ' '); }

  void members(const OrderedJson& object, std::size_t indent, bool inline_first) {
    bool first = inline_first;
    for (const auto& [key, member] : object.items()) {
      if (!first) pad(indent);
      first = false;
      out_ += is_plain(key) ? key : quoted(key);
      out_ += ':';
      // The items of a list stand at the level of their key.
      value(member, member.is_array() ? indent : indent + 2, false);
    }
  }

  void items(const OrderedJson& list, std::size_t indent, bool inline_first) {
    bool first = inline_first;
    for (const auto& item : list) {
      if (!first) pad(indent);
      first = false;
      out_ += "- ";
      value(item, indent + 2, true);
    }
  }

  void scalar(const OrderedJson& value, std::size_t indent) {
    if (!value.is_string()) {
      out_ += value.dump() + "\n";
      return;
    }
    const auto& text = value.get_ref<const std::string&>();
    if (is_block(text)) return block(text, indent);
    out_ += (is_plain(text) ? text : quoted(text)) + "\n";
  }

  void block(std::string_view text, std::size_t indent) {
    const auto end = text.find_last_not_of('\n') + 1;
    const std::size_t feeds = text.size() - end;
    out_ += feeds == 0 ? "|-\n" : feeds == 1 ? "|\n" : "|+\n";
    const std::size_t inner = std::max<std::size_t>(indent, 2);
    std::string_view rest = feeds == 0 ? text : text.substr(0, text.size() - 1);
    for (;;) {
      const auto feed = rest.find('\n');
      const auto line = rest.substr(0, feed);
      if (!line.empty()) pad(inner);
      out_ += line;
      out_ += '\n';
      if (feed == std::string_view::npos) return;
      rest.remove_prefix(feed + 1);
    }
  }

  std::string out_;
};

}  // namespace

std::string yaml_text(const OrderedJson& value) {
  Writer writer;
  writer.root(value);
  return writer.take();
}

}  // namespace injector::pod
