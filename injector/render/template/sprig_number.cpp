#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "injector/render/template/format.h"
#include "injector/render/template/function.h"
#include "injector/render/template/sprig.h"
#include "injector/render/template/stop.h"
#include "injector/render/template/text.h"

/// Sprig's arithmetic: whatever is given becomes an int64 or a float64.
namespace injector::render::templates {
namespace {

/// As Go converts on the machines that we run on: out of range gives the least.
std::int64_t truncated(double value) {
  constexpr double kBeyond = 9223372036854775808.0;
  if (!(value >= -kBeyond && value < kBeyond)) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(value);
}

/// "1.00" is 1, for it has but zeros behind its point.
std::string_view without_zero_decimals(std::string_view text) {
  const auto point = text.rfind('.');
  if (point == std::string_view::npos || point == 0) return text;
  return text.find_first_not_of('0', point + 1) == std::string_view::npos && point + 1 < text.size()
             ? text.substr(0, point)
             : text;
}

}  // namespace

std::int64_t whole_of(const Value& value) {
  std::int64_t whole = 0;
  if (value.is_integer()) return value.integer;
  if (value.type == Type::float64) return truncated(value.real);
  if (value.type == Type::boolean) return value.boolean ? 1 : 0;
  if (value.is_text()) {
    if (try_parse_int(without_zero_decimals(value.text()), 0, whole)) return whole;
    return 0;
  }
  return 0;
}

double real_of_any(const Value& value) {
  double real = 0;
  if (value.type == Type::float64) return value.real;
  if (value.is_text() && try_parse_real(value.text(), real)) return real;
  if (value.is_text()) return 0;
  if (value.is_unsigned()) return static_cast<double>(value.natural);
  return static_cast<double>(whole_of(value));
}

namespace {

using Arguments = std::span<const Value>;

Value whole(std::int64_t value) { return of_int(value, Type::int64); }
std::uint64_t bits(const Value& value) { return static_cast<std::uint64_t>(whole_of(value)); }

Value add(Context&, Arguments arguments) {
  std::uint64_t sum = 0;
  for (const Value& value : arguments) sum += bits(value);
  return whole(static_cast<std::int64_t>(sum));
}

Value multiply(Context&, Arguments arguments) {
  std::uint64_t product = bits(arguments[0]);
  for (const Value& value : arguments.subspan(1)) product *= bits(value);
  return whole(static_cast<std::int64_t>(product));
}

template <bool remainder>
Value divide(Context&, Arguments arguments) {
  const auto a = whole_of(arguments[0]);
  const auto b = whole_of(arguments[1]);
  if (b == 0) stop("it divides by zero");
  if (b == -1) return whole(remainder ? 0 : static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(a)));
  return whole(remainder ? a % b : a / b);
}

template <bool largest>
Value extreme(Context&, Arguments arguments) {
  auto best = whole_of(arguments[0]);
  for (const Value& value : arguments.subspan(1)) {
    const auto next = whole_of(value);
    if (largest ? next > best : next < best) best = next;
  }
  return whole(best);
}

template <bool largest>
Value extreme_real(Context&, Arguments arguments) {
  auto best = real_of_any(arguments[0]);
  for (const Value& value : arguments.subspan(1)) {
    const auto next = real_of_any(value);
    best = largest ? std::fmax(best, next) : std::fmin(best, next);
  }
  return of_real(best);
}

Value rounded(Context&, Arguments arguments) {
  double on = 0.5;
  if (arguments.size() > 2) on = arguments[2].real;
  const double value = real_of_any(arguments[0]);
  const double power = std::pow(10.0, static_cast<double>(arguments[1].integer));
  const double digit = power * value;
  double whole_part = 0;
  const double fraction = std::modf(digit, &whole_part);
  return of_real((fraction >= on ? std::ceil(digit) : std::floor(digit)) / power);
}

constexpr std::size_t kMostNumbers = 200'000;

std::vector<std::int64_t> counted(std::int64_t begin, std::int64_t end, std::int64_t step) {
  std::vector<std::int64_t> out;
  if (end < begin ? step >= 0 : step <= 0) return out;
  for (auto i = begin; end < begin ? i > end : i < end; i += step) {
    if (out.size() == kMostNumbers) stop_at_limit("it counts too far");
    out.push_back(i);
    const bool last = step > 0 ? i > std::numeric_limits<std::int64_t>::max() - step
                               : i < std::numeric_limits<std::int64_t>::min() - step;
    if (last) break;
  }
  return out;
}

Value ints_of(Context& context, const std::vector<std::int64_t>& numbers) {
  const auto items = context.pool->array<Value>(numbers.size());
  std::ranges::transform(numbers, items.begin(), [](std::int64_t number) { return of_int(number); });
  return of_list(items, Type::ints);
}

Value until(Context& context, Arguments arguments) {
  const auto count = arguments[0].integer;
  return ints_of(context, counted(0, count, count < 0 ? -1 : 1));
}
Value until_step(Context& context, Arguments arguments) {
  return ints_of(context, counted(arguments[0].integer, arguments[1].integer, arguments[2].integer));
}

Value seq(Context& context, Arguments arguments) {
  std::vector<std::int64_t> numbers;
  const auto at = [&](std::size_t i) { return arguments[i].integer; };
  if (arguments.size() == 1) {
    const auto step = at(0) < 1 ? -1 : 1;
    numbers = counted(1, at(0) + step, step);
  } else if (arguments.size() == 2) {
    const auto step = at(1) < at(0) ? -1 : 1;
    numbers = counted(at(0), at(1) + step, step);
  } else if (arguments.size() == 3) {
    const auto step = at(1);
    if (at(2) < at(0) && step > 0) return of_text({});
    numbers = counted(at(0), at(2) + (at(2) < at(0) ? -1 : 1), step);
  }
  Builder out;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i > 0) out.add(' ');
    print_int(out, numbers[i]);
  }
  return keep(*context.pool, out);
}

Value to_decimal(Context& context, Arguments arguments) {
  std::int64_t out = 0;
  auto text = shown(*context.pool, arguments[0]);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.size() > 21) return whole(0);
  for (const char c : text) {
    if (c < '0' || c > '7') return whole(0);
    out = out * 8 + (c - '0');
  }
  return whole(negative ? -out : out);
}

Value atoi(Context&, Arguments arguments) {
  std::int64_t out = 0;
  if (!try_parse_int(arguments[0].text(), 10, out)) out = 0;
  return of_int(out);
}

constexpr auto kFunctions = std::to_array<Function>({
    {"sprig_int", "a", [](Context&, Arguments a) { return of_int(whole_of(a[0])); }},
    {"sprig_int64", "a", [](Context&, Arguments a) { return whole(whole_of(a[0])); }},
    {"sprig_float64", "a", [](Context&, Arguments a) { return of_real(real_of_any(a[0])); }},
    {"sprig_toDecimal", "a", to_decimal},
    {"sprig_atoi", "s", atoi},
    {"sprig_add", "*a", add},
    {"sprig_add1", "a", [](Context&, Arguments a) { return whole(static_cast<std::int64_t>(bits(a[0]) + 1)); }},
    {"sprig_sub", "aa",
     [](Context&, Arguments a) { return whole(static_cast<std::int64_t>(bits(a[0]) - bits(a[1]))); }},
    {"sprig_mul", "a*a", multiply},
    {"sprig_div", "aa", divide<false>},
    {"sprig_mod", "aa", divide<true>},
    {"sprig_max", "a*a", extreme<true>},
    {"sprig_biggest", "a*a", extreme<true>},
    {"sprig_min", "a*a", extreme<false>},
    {"sprig_maxf", "a*a", extreme_real<true>},
    {"sprig_minf", "a*a", extreme_real<false>},
    {"sprig_ceil", "a", [](Context&, Arguments a) { return of_real(std::ceil(real_of_any(a[0]))); }},
    {"sprig_floor", "a", [](Context&, Arguments a) { return of_real(std::floor(real_of_any(a[0]))); }},
    {"sprig_round", "ai*f", rounded},
    {"sprig_until", "i", until},
    {"sprig_untilStep", "iii", until_step},
    {"sprig_seq", "*i", seq},
});

}  // namespace

std::span<const Function> sprig_number_functions() { return kFunctions; }

}  // namespace injector::render::templates
