#include "scanner/rules/lint.h"

#include <algorithm>
#include <string>

namespace scanner::rules {
namespace {

/// <issuer>.<kind>: lower-case words, digits and dashes, with at least one dot between them.
bool is_well_formed_id(std::string_view id) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'; };
  return std::ranges::all_of(id, allowed) && id.find('.') != std::string_view::npos && !id.starts_with('.') &&
         !id.ends_with('.') && id.find("..") == std::string_view::npos;
}

bool has_slow_literal(const Rule& rule, const RegexShape& shape) {
  if (shape.literal.size() >= kMinLiteral) return false;
  const auto is_short = [](const std::string& keyword) { return keyword.size() < kMinKeyword; };
  return rule.keywords.empty() || std::ranges::any_of(rule.keywords, is_short);
}

std::vector<std::string> remarks_on(const Rule& rule, const RegexShape& shape) {
  std::vector<std::string> remarks;
  if (has_slow_literal(rule, shape)) {
    remarks.push_back("the regex has no text of at least " + std::to_string(kMinLiteral) +
                      " bytes that every match contains (best: " + std::to_string(shape.literal.size()) +
                      "), and no keywords of at least " + std::to_string(kMinKeyword) + " bytes stand in for it");
  }
  if (shape.max_width == RegexShape::kNoLimit) {
    remarks.emplace_back("a repeat has no upper bound: write {n,m} for *, + and {n,}");
  } else if (shape.max_width > kMaxWidth) {
    remarks.push_back("a match may be " + std::to_string(shape.max_width) + " bytes wide, more than " +
                      std::to_string(kMaxWidth));
  }
  if (shape.leading_optional) remarks.emplace_back("the regex starts with a part that may be empty");
  if (!shape.terminated) {
    remarks.emplace_back(
        R"(the regex has no terminator, so it cuts longer tokens: end it in \b or (?:[^0-9A-Za-z_-]|$))");
  }
  if (shape.groups != 1) {
    remarks.push_back("the regex has " + std::to_string(shape.groups) +
                      " capturing groups: exactly one, the secret itself");
  }
  return remarks;
}

}  // namespace

std::vector<Problem> lint(const Rule& rule) {
  std::vector<Problem> problems;
  const auto remark = [&](std::string message) { problems.push_back({rule.origin, rule.id, std::move(message)}); };
  if (!rule.regex.empty()) {
    const auto shape = shape_of(rule.regex);
    if (!shape) {
      remark("regex: " + shape.error().message());
    } else {
      for (std::string& message : remarks_on(rule, *shape)) remark(std::move(message));
    }
  }
  if (!is_well_formed_id(rule.id)) remark("the id is not <issuer>.<kind> in lower case");
  if (rule.title.empty() || rule.title == rule.id) remark("title is missing");
  if (rule.fix.empty()) remark("fix is missing: say what to do about a finding");
  if (rule.matches.empty()) remark("matches is empty: give an example that must be found");
  if (rule.near_misses.empty()) remark("near_misses is empty: give an example that must not be found");
  return problems;
}

}  // namespace scanner::rules
