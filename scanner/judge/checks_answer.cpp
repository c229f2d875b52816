#include "scanner/judge/checks_answer.h"

#include <chrono>

namespace scanner::judge {
namespace {

std::string padded(unsigned number) { return (number < 10 ? "0" : "") + std::to_string(number); }

std::string day_of(std::int64_t unix_time) {
  const auto days = std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(unix_time)));
  const std::chrono::year_month_day date(days);
  return std::to_string(static_cast<int>(date.year())) + "-" + padded(static_cast<unsigned>(date.month())) + "-" +
         padded(static_cast<unsigned>(date.day()));
}

}  // namespace

CheckResult with_expiry(CheckResult result, std::int64_t expiry_unix, std::int64_t now_unix) {
  constexpr std::int64_t kEndOf9999 = 253'402'300'799;
  if (expiry_unix < 0 || expiry_unix > kEndOf9999 || expiry_unix >= now_unix) return result;
  return with_severity(std::move(result), Severity::low, "expired " + day_of(expiry_unix));
}

}  // namespace scanner::judge
