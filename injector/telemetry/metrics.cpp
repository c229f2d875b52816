#include "injector/telemetry/metrics.h"

#include <array>
#include <charconv>
#include <cmath>

namespace injector::telemetry {
namespace {

std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || (quotes && c == '"')) out += '\\';
    out += c;
  }
  return out;
}

std::string_view name_of(Exposition::Type type) {
  switch (type) {
    case Exposition::Type::counter:
      return "counter";
    case Exposition::Type::gauge:
      return "gauge";
    case Exposition::Type::histogram:
      return "histogram";
  }
  return "untyped";
}

}  // namespace

std::string Exposition::number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 40> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

void Exposition::family(std::string_view name, Type type, std::string_view help) {
  name_ = name;
  head_ =
      "# HELP " + name_ + " " + escaped(help, false) + "\n# TYPE " + name_ + " " + std::string(name_of(type)) + "\n";
}

void Exposition::add(std::string_view suffix, const std::string& value, const Labels& labels) {
  text_ += head_;
  head_.clear();
  text_ += name_;
  text_ += suffix;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    text_ += (i == 0 ? "{" : ",") + std::string(labels[i].first) + "=\"" + escaped(labels[i].second, true) + "\"";
  }
  text_ += (labels.empty() ? " " : "} ") + value + "\n";
}

void Exposition::histogram(std::span<const double> bounds, std::span<const std::uint64_t> counts, double sum,
                           const Labels& labels) {
  Labels with_bound = labels;
  with_bound.emplace_back("le", "");
  std::uint64_t total = 0;
  for (std::size_t i = 0; i <= bounds.size(); ++i) {
    if (i < counts.size()) total += counts[i];
    with_bound.back().second = i < bounds.size() ? number(bounds[i]) : "+Inf";
    add("_bucket", std::to_string(total), with_bound);
  }
  add("_sum", number(sum), labels);
  add("_count", std::to_string(total), labels);
}

}  // namespace injector::telemetry
