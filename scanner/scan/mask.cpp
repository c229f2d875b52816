#include "scanner/scan/mask.h"

namespace scanner::scan {

void Mask::add(std::string_view secret) {
  if (secret.size() < kShortest) return;
  if (secrets_.size() == kMost) {
    full_ = true;
    return;
  }
  secrets_.emplace(secret);
}

void Mask::apply(std::string& text) const {
  if (full_) {
    text = "(withheld: too many secrets)";
    return;
  }
  for (const std::string& secret : secrets_) {
    for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos;) {
      text.replace(at, secret.size(), "********");
      at += 8;
    }
  }
}

}  // namespace scanner::scan
