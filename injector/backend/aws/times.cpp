#include "injector/backend/aws/times.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace injector::backend::aws {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hh_mm_ss;
using std::chrono::seconds;
using std::chrono::sys_days;

struct Fields {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

/// `size` digits and nothing else.
template <typename Number>
bool digits(std::string_view text, std::size_t at, std::size_t size, Number& out) {
  if (text.size() < at + size) return false;
  for (const char c : text.substr(at, size)) {
    if (c < '0' || c > '9') return false;
  }
  return std::from_chars(text.data() + at, text.data() + at + size, out).ec == std::errc();
}

std::optional<Time> time_of(const Fields& fields) {
  const std::chrono::year_month_day date{std::chrono::year{fields.year}, std::chrono::month{fields.month},
                                         std::chrono::day{fields.day}};
  // The clock counts nanoseconds in 64 bits, which end in the year 2262.
  if (!date.ok() || fields.year < 1970 || fields.year > 2261) return std::nullopt;
  if (fields.hour > 23 || fields.minute > 59 || fields.second > 60) return std::nullopt;
  return sys_days{date} + std::chrono::hours{fields.hour} + std::chrono::minutes{fields.minute} +
         seconds{fields.second};
}

bool clock_at(std::string_view text, std::size_t at, Fields& out) {
  return digits(text, at, 2, out.hour) && text[at + 2] == ':' && digits(text, at + 3, 2, out.minute) &&
         text[at + 5] == ':' && digits(text, at + 6, 2, out.second);
}

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::string print(Time time, std::string_view dash, std::string_view colon) {
  const auto whole = floor<seconds>(time);
  const std::chrono::year_month_day date{floor<days>(whole)};
  const hh_mm_ss clock{whole - floor<days>(whole)};
  std::string out;
  const auto put = [&](std::string_view before, std::int64_t number, std::size_t width) {
    const std::string digits = std::to_string(number);
    out += before;
    out.append(width - std::min(width, digits.size()), '0');
    out += digits;
  };
  put("", static_cast<int>(date.year()), 4);
  put(dash, static_cast<unsigned>(date.month()), 2);
  put(dash, static_cast<unsigned>(date.day()), 2);
  put("T", clock.hours().count(), 2);
  put(colon, clock.minutes().count(), 2);
  put(colon, clock.seconds().count(), 2);
  return out += 'Z';
}

}  // namespace

std::optional<Time> parse_iso8601(std::string_view text) {
  Fields fields;
  if (text.size() < 20 || text.size() > 32 || text.back() != 'Z') return std::nullopt;
  if (!digits(text, 0, 4, fields.year) || text[4] != '-' || !digits(text, 5, 2, fields.month) || text[7] != '-' ||
      !digits(text, 8, 2, fields.day) || text[10] != 'T' || !clock_at(text, 11, fields)) {
    return std::nullopt;
  }
  const std::string_view fraction = text.substr(19, text.size() - 20);
  if (!fraction.empty() &&
      (fraction.size() < 2 || fraction[0] != '.' || fraction.find_first_not_of("0123456789", 1) != fraction.npos)) {
    return std::nullopt;
  }
  return time_of(fields);
}

std::optional<Time> parse_http_date(std::string_view text) {
  Fields fields;
  if (text.size() != 29 || text[3] != ',' || text.substr(25) != " GMT") return std::nullopt;
  if (!digits(text, 5, 2, fields.day) || !digits(text, 12, 4, fields.year) || !clock_at(text, 17, fields)) {
    return std::nullopt;
  }
  for (const std::string_view month : kMonths) {
    ++fields.month;
    if (text.substr(8, 3) == month) return time_of(fields);
  }
  return std::nullopt;
}

std::string amz_date(Time time) { return print(time, "", ""); }
std::string iso8601(Time time) { return print(time, "-", ":"); }

}  // namespace injector::backend::aws
