#include "injector/pod/names.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace injector::pod {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }
bool small(char c) { return (c >= 'a' && c <= 'z') || digit(c); }
bool alphanumeric(char c) { return small(c) || (c >= 'A' && c <= 'Z'); }

bool label(std::string_view name) {
  return !name.empty() && name.size() <= 63 && small(name.front()) && small(name.back()) &&
         std::ranges::all_of(name, [](char c) { return small(c) || c == '-'; });
}

/// Absolute, and written in the one plain way.
const char* flaw_of_plain_path(std::string_view path) {
  if (path.size() < 2 || path[0] != '/') return "must be a path from the root, such as /run/secrets/app";
  if (path.size() > 512) return "must be at most 512 bytes long";
  for (std::string_view rest = path.substr(1);;) {
    const auto slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part.empty() || part == "." || part == "..")
      return "must be a path without empty parts, \".\" and \"..\", and without '/' at its end";
    const bool plain = std::ranges::all_of(
        part, [](char c) { return alphanumeric(c) || c == '-' || c == '_' || c == '.' || c == '@' || c == '+'; });
    if (!plain) return "may have letters, digits, '-', '_', '.', '@', '+' and '/' alone";
    if (slash == std::string_view::npos) return nullptr;
    rest.remove_prefix(slash + 1);
  }
}

template <std::size_t N>
bool within(std::string_view path, const std::array<std::string_view, N>& places) {
  return std::ranges::any_of(places, [&](std::string_view place) { return nested(place, path); });
}

}  // namespace

const char* flaw_of_label(std::string_view name) {
  return label(name) ? nullptr : "must be small letters, digits and '-', at most 63, with no '-' at its ends";
}

const char* flaw_of_object_name(std::string_view name) {
  static constexpr const char* kWrong = "must be small letters, digits, '-' and '.', as names of objects are";
  if (name.size() > 253) return kWrong;
  for (;;) {
    const auto dot = name.find('.');
    if (!label(name.substr(0, dot))) return kWrong;
    if (dot == std::string_view::npos) return nullptr;
    name.remove_prefix(dot + 1);
  }
}

const char* flaw_of_data_key(std::string_view key) {
  const bool good =
      !key.empty() && key.size() <= 253 && key != "." && !key.starts_with("..") &&
      std::ranges::all_of(key, [](char c) { return alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
  return good ? nullptr : "must be letters, digits, '-', '_' and '.'";
}

const char* flaw_of_directory(std::string_view path) {
  if (const char* wrong = flaw_of_plain_path(path)) return wrong;
  static constexpr std::array<std::string_view, 8> kTaken = {"/proc",
                                                             "/sys",
                                                             "/dev",
                                                             "/run/secret-injector",
                                                             "/run/secret-injector-token",
                                                             "/run/secret-injector-handover",
                                                             "/var/run/secrets/kubernetes.io",
                                                             "/run/secrets/kubernetes.io"};
  if (within(path, kTaken)) return "must not be a place of the system: choose one such as /run/secrets/app";
  return nullptr;
}

const char* flaw_of_sidecar_path(std::string_view path) {
  if (const char* wrong = flaw_of_directory(path)) return wrong;
  static constexpr std::array<std::string_view, 3> kTaken = {"/usr", "/lib", "/lib64"};
  return within(path, kTaken) ? "must not be where the sidecar's own program stands" : nullptr;
}

const char* flaw_of_image(std::string_view image) {
  const bool good =
      !image.empty() && image.size() <= 512 && alphanumeric(image.front()) && std::ranges::all_of(image, [](char c) {
        return alphanumeric(c) || c == '-' || c == '_' || c == '.' || c == '/' || c == ':' || c == '@';
      });
  return good ? nullptr : "must be an image such as registry.example/secret-injector:1.0";
}

std::optional<double> quantity(std::string_view text) {
  const auto end = std::min(text.size(), text.find_first_not_of("0123456789."));
  const std::string_view number = text.substr(0, end);
  if (number.empty() || number == "." || number.size() > 18 || std::ranges::count(number, '.') > 1) return std::nullopt;
  double value = 0;
  std::from_chars(number.data(), number.data() + number.size(), value);
  const std::string_view suffix = text.substr(end);
  struct Unit {
    std::string_view name;
    double factor;
  };
  static constexpr std::array<Unit, 16> kUnits{{{"", 1},
                                                {"n", 1e-9},
                                                {"u", 1e-6},
                                                {"m", 1e-3},
                                                {"k", 1e3},
                                                {"M", 1e6},
                                                {"G", 1e9},
                                                {"T", 1e12},
                                                {"P", 1e15},
                                                {"E", 1e18},
                                                {"Ki", 0x1p10},
                                                {"Mi", 0x1p20},
                                                {"Gi", 0x1p30},
                                                {"Ti", 0x1p40},
                                                {"Pi", 0x1p50},
                                                {"Ei", 0x1p60}}};
  const auto* unit = std::ranges::find(kUnits, suffix, &Unit::name);
  if (unit != kUnits.end()) return value * unit->factor;
  if (suffix.size() < 2 || suffix.size() > 4 || (suffix[0] != 'e' && suffix[0] != 'E')) return std::nullopt;
  int power = 0;
  const char* from = suffix.data() + (suffix[1] == '+' ? 2 : 1);
  const auto [stop, failed] = std::from_chars(from, suffix.data() + suffix.size(), power);
  if (failed != std::errc() || stop != suffix.data() + suffix.size()) return std::nullopt;
  return value * std::pow(10.0, power);
}

const char* flaw_of_quantity(std::string_view text) {
  return quantity(text) ? nullptr : "must be a quantity such as 50m, 64Mi or 0.5";
}

bool nested(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  return b.starts_with(a) && (a.size() == b.size() || b[a.size()] == '/');
}

bool matches(std::string_view pattern, std::string_view text) {
  if (!pattern.ends_with('*')) return pattern == text;
  pattern.remove_suffix(1);
  return text.starts_with(pattern);
}

}  // namespace injector::pod
