#include "scanner/judge/inline_ignore.h"

namespace scanner::judge {
namespace {

bool in_id(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

/// `text` is what follows "allow".
bool is_for(std::string_view text, std::string_view rule_id) {
  if (!text.starts_with('=')) return true;
  text.remove_prefix(1);
  return text.starts_with(rule_id) && (text.size() == rule_id.size() || !in_id(text[rule_id.size()]));
}

}  // namespace

bool has_inline_ignore(std::string_view lines, std::string_view rule_id) {
  constexpr std::string_view kAllow = ":allow";
  for (std::size_t at = lines.find(kAllow); at != std::string_view::npos; at = lines.find(kAllow, at + 1)) {
    const std::string_view before = lines.substr(0, at);
    const bool ours = before.ends_with("gitleaks") || before.ends_with("scan-secrets");
    if (ours && is_for(lines.substr(at + kAllow.size()), rule_id)) return true;
  }
  return false;
}

}  // namespace scanner::judge
