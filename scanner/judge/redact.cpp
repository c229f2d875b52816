#include "scanner/judge/redact.h"

#include <cstring>

namespace scanner::judge {
namespace {

constexpr std::size_t kLongEnough = 16;
constexpr std::size_t kShown = 4;
constexpr std::size_t kLongestLabel = 64;

/// "-----BEGIN RSA PRIVATE KEY-----" when `secret` starts like that; otherwise empty.
std::string_view pem_label(std::string_view secret) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  constexpr std::string_view kEnd = "-----";
  if (!secret.starts_with(kBegin)) return {};
  std::size_t i = kBegin.size();
  while (i < secret.size() &&
         ((secret[i] >= 'A' && secret[i] <= 'Z') || (secret[i] >= '0' && secret[i] <= '9') || secret[i] == ' ')) {
    ++i;
  }
  const std::size_t size = i + kEnd.size();
  if (size > kLongestLabel || !secret.substr(i).starts_with(kEnd)) return {};
  return secret.substr(0, size);
}

}  // namespace

std::string redact(std::string_view secret) {
  std::string text;
  if (const std::string_view label = pem_label(secret); !label.empty()) {
    text = label;
  } else if (secret.size() >= kLongEnough) {
    for (const char c : secret.substr(0, kShown)) text += c >= ' ' && c <= '~' ? c : '?';
  }
  text += kMask;
  return text;
}

void wipe(std::string& text) {
  text.resize(text.capacity());
  explicit_bzero(text.data(), text.size());
  text.clear();
}

}  // namespace scanner::judge
