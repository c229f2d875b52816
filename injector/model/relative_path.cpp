#include "injector/model/relative_path.h"

#include <algorithm>

namespace injector {
namespace {

constexpr std::size_t kLongest = 1024;
constexpr std::size_t kLongestComponent = 255;  // NAME_MAX
constexpr std::size_t kMostComponents = 16;

/// What is wrong with one component; null when nothing is.
const char* flaw(std::string_view component) {
  if (component.empty()) return "it ends with a slash, or has two in a row";
  if (component == ".") return "no part of it may be \".\"";
  if (component.starts_with("..")) return "no part of it may start with \"..\"";
  if (component.size() > kLongestComponent) return "no part of it may be longer than 255 bytes";
  const bool plain = std::ranges::none_of(component, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
  return plain ? nullptr : "it holds a control character";
}

std::vector<std::string_view> parts(std::string_view text) {
  std::vector<std::string_view> out;
  for (;;) {
    const auto slash = text.find('/');
    out.push_back(text.substr(0, slash));
    if (slash == std::string_view::npos) return out;
    text.remove_prefix(slash + 1);
  }
}

}  // namespace

scanner::base::Result<RelativePath> RelativePath::parse(std::string_view text) {
  using scanner::base::Errc;
  using scanner::base::fail;
  if (text.empty()) return fail(Errc::config, "the path is empty");
  if (text.size() > kLongest) return fail(Errc::config, "the path is longer than 1024 bytes");
  if (text.front() == '/') return fail(Errc::config, "the path must be relative to the mount");
  const auto components = parts(text);
  if (components.size() > kMostComponents) return fail(Errc::config, "the path has more than 16 parts");
  for (const auto component : components) {
    if (const char* wrong = flaw(component)) return fail(Errc::config, std::string("the path is not good: ") + wrong);
  }
  return RelativePath(text);
}

std::vector<std::string_view> RelativePath::components() const { return parts(text_); }

std::string_view RelativePath::first() const { return std::string_view(text_).substr(0, text_.find('/')); }

bool RelativePath::contains(const RelativePath& other) const {
  return other.text_.starts_with(text_) && (other.text_.size() == text_.size() || other.text_[text_.size()] == '/');
}

}  // namespace injector
