#include "scanner/judge/checks_armor.h"

#include "scanner/judge/checks_chars.h"
#include "scanner/judge/decode.h"

namespace scanner::judge {
namespace {

/// Spelt-out escapes of any depth become what they stand for.
std::string unescaped(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      plain += text[i];
      continue;
    }
    while (i + 1 < text.size() && text[i + 1] == '\\') ++i;
    if (i + 1 == text.size()) break;
    const char escaped = text[++i];
    const auto code = escaped == 'u' && i + 4 < text.size() ? parse_number(text.substr(i + 1, 4), 16) : std::nullopt;
    if (code && *code < 0x80) {
      plain += static_cast<char>(*code);
      i += 4;
    } else if (escaped == 'n') {
      plain += '\n';
    } else if (escaped != 'r' && escaped != 't') {
      plain += escaped;
    }
  }
  return plain;
}

bool is_quote(char c) { return c == '"' || c == '\'' || c == '`'; }

/// String literals that a program joins become one: a closing quote, what may stand between, an opening quote.
std::string joined(std::string_view text) {
  const auto joins = [](char c) {
    return is_space(c) || std::string_view("+.,&;()").find(c) != std::string_view::npos;
  };
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_quote(text[i])) {
      plain += text[i];
      continue;
    }
    std::size_t next = i + 1;
    while (next < text.size() && joins(text[next])) ++next;
    if (next < text.size() && text[next] == text[i]) i = next;
    plain += '\n';
  }
  return plain;
}

void add_line(std::string_view line, Armor& armor) {
  const auto decorates = [](char c) {
    return is_space(c) || std::string_view("#*|>,;").find(c) != std::string_view::npos;
  };
  while (!line.empty() && decorates(line.front())) line.remove_prefix(1);
  while (!line.empty() && decorates(line.back())) line.remove_suffix(1);
  if (line.find(':') != std::string_view::npos) {
    armor.encrypted = armor.encrypted || line.find("ENCRYPTED") != std::string_view::npos;
  } else if (line.size() == 5 && line.front() == '=') {
    armor.checksum = line.substr(1);
  } else {
    for (const char c : line) {
      if (!is_space(c)) armor.body += c;
    }
  }
}

Armor parse_armor(std::string_view label, std::string_view inside) {
  Armor armor;
  armor.label = label;
  const std::string plain = joined(unescaped(inside));
  std::string_view rest = plain;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    add_line(rest.substr(0, end), armor);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return armor;
}

bool follows_dashes(std::string_view text, std::size_t at) {
  if (at > 0 && text[at - 1] == ' ') --at;
  return at > 0 && text[at - 1] == '-';
}

}  // namespace

std::optional<Armor> find_armor(std::string_view text, std::string_view label_end) {
  constexpr std::string_view kBegin = "BEGIN ";
  constexpr std::size_t kLongestLabel = 64;
  for (auto at = text.find(kBegin); at != std::string_view::npos; at = text.find(kBegin, at + 1)) {
    const auto head = text.substr(at + kBegin.size(), kLongestLabel);
    const auto label = trimmed(head.substr(0, head.find('-')));
    if (!follows_dashes(text, at) || !label.ends_with(label_end)) continue;
    auto inside = text.substr(at + kBegin.size() + label.size());
    const auto end = inside.find("END " + std::string(label));
    if (end == std::string_view::npos || !follows_dashes(inside, end)) return std::nullopt;
    inside = inside.substr(0, end);
    const auto is_rule = [](char c) { return c == '-' || c == ' '; };
    while (!inside.empty() && is_rule(inside.front())) inside.remove_prefix(1);
    while (!inside.empty() && is_rule(inside.back())) inside.remove_suffix(1);
    return parse_armor(label, inside);
  }
  return std::nullopt;
}

}  // namespace scanner::judge
