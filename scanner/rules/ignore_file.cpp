#include "scanner/rules/ignore_file.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "scanner/rules/fingerprint_text.h"

namespace scanner::rules {
namespace {

constexpr std::string_view kSpace = " \t\r\v\f";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string_view without_leading_slashes(std::string_view path) {
  while (path.starts_with("./") || path.starts_with('/')) path.remove_prefix(path.starts_with('/') ? 1 : 2);
  return path;
}

/// A place as one text, for look-up. No path holds a NUL.
std::string key_of(std::string_view path, std::string_view rule, std::uint64_t line) {
  std::string key(path);
  key += '\0';
  key += rule;
  key += '\0';
  key += std::to_string(line);
  return key;
}

/// Git's object names: SHA-1 or SHA-256.
bool is_commit(std::string_view text) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
  return (text.size() == 40 || text.size() == 64) && std::ranges::all_of(text, is_hex);
}

/// Cuts what follows the last ':' off `text`.
std::optional<std::string_view> cut_last(std::string_view& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view last = text.substr(colon + 1);
  text = text.substr(0, colon);
  return last;
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::optional<Ignore> fingerprint_line(std::string_view line) {
  const std::string_view fingerprint = line.substr(0, kFingerprintLength);
  if (!is_fingerprint(fingerprint)) return std::nullopt;
  const std::string_view rest = line.substr(kFingerprintLength);
  const std::string_view comment = trimmed(rest);
  if (!comment.empty() && (comment == rest || !comment.starts_with('#'))) return std::nullopt;
  Ignore ignore;
  ignore.fingerprint = fingerprint;
  return ignore;
}

std::optional<Ignore> place_line(std::string_view line) {
  const auto number = cut_last(line);
  const auto line_number = number ? whole_number(*number) : std::nullopt;
  const auto rule = cut_last(line);
  if (!line_number || !rule || rule->empty()) return std::nullopt;
  Ignore ignore;
  ignore.line = *line_number;
  ignore.rule = *rule;
  if (const std::size_t colon = line.find(':'); colon != std::string_view::npos && is_commit(line.substr(0, colon))) {
    ignore.commit = line.substr(0, colon);
    line.remove_prefix(colon + 1);
  }
  std::string path(line);
  std::ranges::replace(path, '\\', '/');
  ignore.path = without_leading_slashes(path);
  if (ignore.path.empty()) return std::nullopt;
  return ignore;
}

}  // namespace

IgnoreFile IgnoreFile::parse(std::string_view text, const std::string& file) {
  IgnoreFile result;
  Origin origin{file, 0};
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    ++origin.line;
    if (line.empty() || line.starts_with('#')) continue;
    std::optional<Ignore> ignore = fingerprint_line(line);
    if (!ignore) ignore = place_line(line);
    if (!ignore) {
      result.problems_.push_back({origin, "", "neither file:rule:line, commit:file:rule:line nor a fingerprint"});
      continue;
    }
    ignore->origin = origin;
    result.add(std::move(*ignore));
  }
  return result;
}

void IgnoreFile::add(Ignore ignore) {
  if (!ignore.fingerprint.empty()) {
    by_key_.emplace(ignore.fingerprint, ignores_.size());
  } else if (ignore.commit.empty()) {
    by_key_.emplace(key_of(ignore.path, ignore.rule, ignore.line), ignores_.size());
  }
  ignores_.push_back(std::move(ignore));
}

std::vector<std::size_t> IgnoreFile::matching(std::string_view path, std::string_view rule, std::uint64_t line,
                                              std::string_view fingerprint) const {
  std::vector<std::size_t> positions;
  const auto collect = [&](std::string_view key) {
    const auto [first, last] = by_key_.equal_range(key);
    for (auto it = first; it != last; ++it) positions.push_back(it->second);
  };
  collect(fingerprint);
  collect(key_of(without_leading_slashes(path), rule, line));
  return positions;
}

}  // namespace scanner::rules
