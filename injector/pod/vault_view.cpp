#include "injector/pod/vault_view.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace injector::pod {

using std::chrono::milliseconds;

namespace {

constexpr std::size_t kLongestWarning = 120;

bool digit(char c) { return c >= '0' && c <= '9'; }

/// Takes the digits at the front of `text`, as a number below 10^15; false when there are none.
bool take_digits(std::string_view& text, std::int64_t& out) {
  std::size_t count = 0;
  while (count < text.size() && digit(text[count])) ++count;
  if (count == 0 || count > 15) return false;
  std::from_chars(text.data(), text.data() + count, out);
  text.remove_prefix(count);
  return true;
}

struct Unit {
  std::string_view name;
  double milliseconds;
};
/// Longer names first, where one begins another.
constexpr std::array<Unit, 8> kUnits{
    {{"ns", 1e-6}, {"us", 1e-3}, {"\u00b5s", 1e-3}, {"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}, {"d", 8.64e7}}};

}  // namespace

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::optional<milliseconds> go_duration(std::string_view text) {
  constexpr double kMost = 100.0 * 366 * 8.64e7;
  std::int64_t seconds = 0;
  std::string_view rest = text;
  if (take_digits(rest, seconds) && rest.empty()) {
    if (static_cast<double>(seconds) * 1000 > kMost) return {};
    return milliseconds(seconds * 1000);
  }
  double total = 0;
  rest = text;
  if (rest.empty()) return {};
  while (!rest.empty()) {
    std::int64_t whole = 0;
    std::int64_t part = 0;
    const bool before = take_digits(rest, whole);
    bool after = false;
    double value = static_cast<double>(whole);
    if (rest.starts_with('.')) {
      rest.remove_prefix(1);
      const std::size_t length = rest.size();
      after = take_digits(rest, part);
      double scale = 1;
      for (std::size_t i = rest.size(); i < length; ++i) scale *= 10;
      value += static_cast<double>(part) / scale;
    }
    if (!before && !after) return {};
    const auto* unit = std::ranges::find_if(kUnits, [&](const Unit& each) { return rest.starts_with(each.name); });
    if (unit == kUnits.end()) return {};
    rest.remove_prefix(unit->name.size());
    total += value * unit->milliseconds;
    if (total > kMost) return {};
  }
  return milliseconds(static_cast<std::int64_t>(total));
}

VaultView::VaultView(const nlohmann::json& pod, Asked& asked) : asked_(&asked) {
  const auto metadata = pod.find("metadata");
  if (metadata == pod.end() || !metadata->is_object()) return;
  const auto annotations = metadata->find("annotations");
  if (annotations == metadata->end() || !annotations->is_object()) return;
  take(kVaultDomain, *annotations);
  take(kOpenBaoDomain, *annotations);
}

void VaultView::take(std::string_view domain, const nlohmann::json& annotations) {
  for (const auto& [key, value] : annotations.items()) {
    if (!key.starts_with(domain)) continue;
    std::string name = key.substr(domain.size());
    if (!value.is_string()) {
      asked_->mistakes.push_back(key + ": must be text");
      continue;
    }
    Entry entry{key, value.get<std::string>()};
    const auto [place, fresh] = entries_.try_emplace(std::move(name), entry);
    if (!fresh && place->second.value != entry.value)
      asked_->mistakes.push_back(key + ": says another thing than " + place->second.full + ": keep one of them");
  }
}

const std::string& VaultView::text(std::string_view name) const {
  static const std::string kEmpty;
  const auto found = entries_.find(name);
  return found == entries_.end() ? kEmpty : found->second.value;
}

std::string VaultView::full(std::string_view name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? std::string(kVaultDomain) + std::string(name) : found->second.full;
}

void VaultView::wrong(std::string_view name, std::string_view what) {
  asked_->mistakes.push_back(full(name) + ": " + std::string(what));
}

void VaultView::warn(std::string_view name, std::string_view what) { warn_all(full(name) + ": " + std::string(what)); }

void VaultView::warn_all(std::string text) {
  if (text.size() > kLongestWarning) {
    text.resize(kLongestWarning - 3);
    text += "...";
  }
  asked_->warnings.push_back(std::move(text));
}

std::optional<bool> VaultView::boolean(std::string_view name) {
  const std::string& value = text(name);
  if (value.empty()) return {};
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"})
    if (value == yes) return true;
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"})
    if (value == no) return false;
  wrong(name, "must be true or false");
  return {};
}

std::optional<milliseconds> VaultView::duration(std::string_view name, milliseconds least, milliseconds most) {
  const std::string_view value = trimmed(text(name));
  if (value.empty()) return {};
  const auto out = go_duration(value);
  if (!out) {
    wrong(name, "must be a duration such as 30s or 5m");
    return {};
  }
  if (*out < least || *out > most) {
    const auto shown = [](milliseconds time) {
      if (time.count() % 86'400'000 == 0 && time.count() != 0) return std::to_string(time.count() / 86'400'000) + "d";
      if (time.count() % 60'000 == 0 && time.count() != 0) return std::to_string(time.count() / 60'000) + "m";
      if (time.count() % 1000 == 0) return std::to_string(time.count() / 1000) + "s";
      return std::to_string(time.count()) + "ms";
    };
    wrong(name, "must be from " + shown(least) + " to " + shown(most));
    return {};
  }
  return out;
}

std::optional<std::int64_t> VaultView::number(std::string_view name, std::int64_t least, std::int64_t most) {
  const std::string_view value = trimmed(text(name));
  if (value.empty()) return {};
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
  if (error != std::errc() || end != value.data() + value.size() || out < least || out > most) {
    wrong(name, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return {};
  }
  return out;
}

}  // namespace injector::pod
